// Every choice that the settings of a model offer. Validation, help, the command line, the page and the plots take
// their names from here; test/choices.test.ts holds them against the names that the addon knows.

/** What the rest of the library must know of an encoding. */
export interface EncodingTraits {
  /** Completes "Encodes a value as". */
  help: string;
  /** Inputs of the network for each feature. */
  channels: 1 | 2;
  /** Whether the inputs are spikes, 0 or 1. */
  spikes: boolean;
  /** Whether the settings have a threshold, and the one for values from 0 to 1 that a change of encoding brings. */
  threshold: number | null;
  /** Whether values must lie within 0 and 1, as they stand for a probability, a time or a small change. */
  unitRange: boolean;
  /** Steps for each frame that tell values apart; 1 where one step does. */
  steps: number;
}

/** The encodings: how a feature becomes the inputs of the network's time steps. */
export const ENCODINGS = {
  rate: {
    help: 'random spikes: the larger the value, the more likely a spike',
    channels: 1,
    spikes: true,
    threshold: null,
    unitRange: true,
    steps: 10,
  },
  latency: {
    help: 'one spike a frame: the larger the value, the earlier the spike',
    channels: 1,
    spikes: true,
    threshold: 0,
    unitRange: true,
    steps: 10,
  },
  delta: {
    help: 'a spike for every change, on one channel for rises and on another for falls',
    channels: 2,
    spikes: true,
    threshold: 0.1,
    unitRange: true,
    steps: 1,
  },
  direct: {
    help: 'the value itself, as an input current',
    channels: 1,
    spikes: false,
    threshold: null,
    unitRange: false,
    steps: 1,
  },
} as const satisfies Record<string, EncodingTraits>;

/** The name of an encoding. */
export type EncodingName = keyof typeof ENCODINGS;

/** Encodings whose settings have a threshold. */
export type ThresholdEncoding = {
  [K in EncodingName]: (typeof ENCODINGS)[K]['threshold'] extends null ? never : K;
}[EncodingName];

/** The neuron models of a layer. */
export const NEURONS = {
  lif: 'leaky integrate-and-fire neurons',
  adaptive: 'leaky integrate-and-fire neurons that adapt: their spikes make further spikes less likely',
  relu: 'rectified linear units, an artificial neural network to compare with',
} as const;

/** The name of a neuron model. */
export type NeuronName = keyof typeof NEURONS;

/** Neurons that spike, and so have a potential, a threshold and a reset. */
export const SPIKING = ['lif', 'adaptive'] as const satisfies NeuronName[];

/** The spike functions, of the potential and the threshold. */
export const SPIKES = {
  hard: '1 where the potential is above the threshold, else 0; trained with a surrogate derivative',
  soft: 'sigmoid(slope (potential - threshold)), forward and backward',
} as const;

/** The surrogate derivatives of hard spikes, of x = potential - threshold. */
export const SURROGATES = {
  'fast-sigmoid': '1 / (1 + slope |x|)²',
  atan: 'the derivative of an arc tangent',
  triangle: 'max(0, 1 - slope |x|)',
  boxcar: 'constant near the threshold, else 0',
  sigmoid: 'the derivative of a sigmoid',
} as const;

/** The name of a surrogate derivative. */
export type Surrogate = keyof typeof SURROGATES;

/** What a spike does to the potential. */
export const RESETS = {
  zero: 'the potential is set to 0 after a spike',
  subtract: 'the threshold is subtracted from the potential after a spike',
} as const;

/** How a layer reads what is below it. */
export const CONNECTIONS = {
  dense: 'every neuron reads all that is below',
  convolution: 'neurons read the bands around their own, with shared weights',
} as const;

/** How the last layer's spikes become the scores of the labels. */
export const READOUTS = {
  'spike-count': 'the spikes of the last layer are counted',
  'leaky-integrator': 'mean over time of the softmax of leaky integrators',
  'mean-potential': 'mean over time of leaky integrators',
} as const;

/** The features of a frame. */
export const FRONTENDS = {
  mfcc: 'mel-frequency cepstral coefficients',
  'log-mel': 'mel bands in dB',
} as const;

/** How features are scaled before they are encoded. */
export const SCALINGS = {
  'min-max': 'the least value becomes 0, the greatest 1',
  standard: 'mean 0 and standard deviation 1',
  peak: 'the loudest band of the clip becomes 1, topDb below it 0',
  none: 'values stay as they are',
} as const;

/** What the statistics of a scaling are taken of. */
export const SCALED_OVER = {
  clip: 'statistics of the clip',
  'training-set': 'statistics of the training set, stored in the model',
} as const;

/** The optimizers of a training. */
export const OPTIMIZERS = {
  adam: 'weight decay is L2 regularisation',
  adamw: 'weight decay is decoupled from the gradient',
} as const;

/** The courses of the learning rate over a training. */
export const SCHEDULES = {
  constant: 'the learning rate stays',
  cosine: 'it falls to 0 along half a cosine',
  'one-cycle': 'it rises for warmupShare of the steps, then falls to nearly 0',
} as const;

/** The names of a table of choices. */
export function namesOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[];
}

/** The sentence of each choice: "rate: …; latency: …". */
export function choiceHelp(table: Readonly<Record<string, string | { help: string }>>): string {
  return Object.entries(table)
    .map(([name, about]) => `${name}: ${typeof about === 'string' ? about : about.help}`)
    .join('; ');
}
