import type { Field, Fields, ObjectField } from '../support/fields.js';
import {
  CONNECTIONS,
  choiceHelp,
  ENCODINGS,
  type EncodingName,
  FRONTENDS,
  NEURONS,
  namesOf,
  READOUTS,
  RESETS,
  SCALED_OVER,
  SCALINGS,
  SPIKES,
  SPIKING,
  SURROGATES,
} from './choices.js';

// The one table of model settings. Validation, help, the JSON schema, the paths of `--set` and the migration of old
// files follow from it; test/limits.test.ts holds its ranges against those of the addon.

/** Highest sample rate of clips and streams, Hz. */
export const MAX_CLIP_RATE = 768_000;
/** Time steps of a clip. */
export const MAX_STEPS = 2_000_000;
/** Frames: more than half an hour at 100 a second. */
export const MAX_FRAMES = 200_000;
/** Frames a second, so that half an hour of audio still fits. */
export const MAX_FRAME_RATE = 1000;
/** Values of a clip after the front end, frames x features: 128 MiB. */
export const MAX_FEATURES = 2 ** 25;
/** Parameters of a network: 1 GiB. */
export const MAX_PARAMETERS = 2 ** 28;
export const MAX_NEURONS = 8192;
/** Mel bands. */
const MAX_BANDS = 512;
/** A convolution has no padding of its own in the kernels' rows of 16 values. */
export const CHANNEL_MULTIPLE = 16;
/** Time steps that a layer looks back; they are kept beside each piece of a clip. */
export const MAX_HISTORY = 1024;
/** Potentials and slopes: far beyond use, yet safe from overflow in float32. */
const LARGE = 1e6;
const SMALL = 1 / LARGE;

/** Ranges of files of version 0.1.0, which refused no decay or threshold. */
const ANY = { min: -LARGE, max: LARGE } as const;

function oneOf(table: Readonly<Record<string, string | { help: string }>>, what: string) {
  return { type: 'choice', choices: namesOf(table), help: `${what}: ${choiceHelp(table)}.` } as const;
}

const encodingsWith = (has: (name: EncodingName) => boolean) => namesOf(ENCODINGS).filter(has);

export const FRONTEND_FIELDS = {
  type: oneOf(FRONTENDS, 'Features of a frame'),
  windowLength: {
    type: 'integer',
    min: 2,
    max: 16_384,
    unit: 'samples',
    help: 'Length of the periodic Hann window; a longer one tells frequencies apart better, and moments worse.',
  },
  hopLength: {
    type: 'integer',
    min: 1,
    max: 65_536,
    unit: 'samples',
    help: `Distance from one frame to the next; at most ${MAX_FRAME_RATE} frames a second.`,
  },
  fftLength: {
    type: 'integer',
    min: 2,
    max: 16_384,
    unit: 'samples',
    help: 'Length of the FFT, at least windowLength.',
  },
  melBands: {
    type: 'integer',
    min: 1,
    max: MAX_BANDS,
    help: 'Number of mel bands that the spectrum is summed in.',
  },
  minFrequency: {
    type: 'number',
    min: 0,
    max: 95_999,
    unit: 'Hz',
    help: 'Lower edge of the lowest mel band.',
  },
  maxFrequency: {
    type: 'number',
    min: 1,
    max: 96_000,
    stored: { min: 0 },
    unit: 'Hz',
    help: 'Upper edge of the highest mel band, at most half of the sample rate.',
  },
  coefficients: {
    type: 'integer',
    min: 1,
    max: MAX_BANDS,
    when: { type: ['mfcc'] },
    help: 'Cepstral coefficients of a frame, at most melBands.',
  },
  topDb: {
    type: 'number',
    min: 1,
    max: 1000,
    stored: { min: 0 },
    unit: 'dB',
    nullable: true,
    help: 'Dynamic range: what lies further below the maximum of the clip is raised to it; null: no limit.',
  },
  removeMean: {
    type: 'boolean',
    default: false,
    omit: false,
    help: 'Whether the mean of the samples (an offset of the microphone) is removed first.',
  },
} as const satisfies Fields;

const SCALED = namesOf(SCALINGS).filter((name) => name !== 'none');

export const SCALING_FIELDS = {
  type: oneOf(SCALINGS, 'Scaling of the features'),
  over: { ...oneOf(SCALED_OVER, 'Where the statistics come from'), when: { type: SCALED } },
  pooled: {
    type: 'boolean',
    when: { type: SCALED },
    help: 'Whether one statistic holds for all features, rather than one for each.',
  },
} as const satisfies Fields;

export const ENCODING_FIELDS = {
  type: oneOf(ENCODINGS, 'How values become input'),
  stepsPerFrame: {
    type: 'integer',
    min: 1,
    max: 1000,
    help: `Time steps of the network for each frame, which the time of a prediction grows with; at most ${MAX_STEPS} a clip.`,
  },
  threshold: {
    type: 'number',
    ...ANY,
    when: { type: encodingsWith((name) => ENCODINGS[name].threshold !== null) },
    help: 'delta: the change that sends a spike, above 0; latency: values at or below it never spike.',
  },
} as const satisfies Fields;

export const CONNECTION_FIELDS = {
  type: { ...oneOf(CONNECTIONS, 'How a layer reads what is below it'), default: 'dense' },
  channels: {
    type: 'integer',
    min: CHANNEL_MULTIPLE,
    max: MAX_NEURONS,
    when: { type: ['convolution'] },
    help: `Neurons of each output band, a multiple of ${CHANNEL_MULTIPLE}.`,
  },
  kernel: {
    type: 'integer',
    min: 1,
    max: 2 * MAX_BANDS,
    when: { type: ['convolution'] },
    help: 'Bands that a neuron reads, at most twice the bands below.',
  },
  stride: {
    type: 'integer',
    min: 1,
    max: MAX_BANDS,
    when: { type: ['convolution'] },
    help: 'Bands from one output band to the next, at most the bands below.',
  },
  taps: {
    type: 'integer',
    min: 1,
    max: 64,
    default: 1,
    help: 'Time steps that a neuron reads, each with weights of its own.',
  },
  dilation: {
    type: 'integer',
    min: 1,
    max: MAX_HISTORY,
    default: 1,
    help: `Steps from one tap to the next; a layer looks back at most ${MAX_HISTORY} steps.`,
  },
} as const satisfies Fields;

export const ADAPTATION_FIELDS = {
  decay: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.9,
    help: 'Initial decay of the adaptation per time step (rho); nearer to 1 it lasts longer.',
  },
  coupling: {
    type: 'number',
    min: 0,
    max: LARGE,
    default: 0.1,
    help: 'Greatest initial weight of the potential in the adaptation; each neuron draws one from 0 to this.',
  },
  jump: {
    type: 'number',
    ...ANY,
    default: 0.5,
    help: 'Initial rise of the adaptation at a spike, which makes the next spike harder (a negative one, easier).',
  },
} as const satisfies Fields;

export const SPIKE_FIELDS = {
  type: oneOf(SPIKES, 'What a neuron sends'),
  surrogate: {
    ...oneOf(SURROGATES, 'Derivative that stands for that of a hard spike (x: potential - threshold)'),
    when: { type: ['hard'] },
  },
  slope: {
    type: 'number',
    min: SMALL,
    max: LARGE,
    help: 'Steepness of the surrogate derivative or of the soft spike: a greater one lets only potentials near the threshold learn.',
  },
} as const satisfies Fields;

const spiking = { when: { neuron: SPIKING } } as const;

export const LAYER_FIELDS = {
  neurons: {
    type: 'integer',
    min: 1,
    max: MAX_NEURONS,
    help: 'Number of neurons; for a convolution it follows from bands and channels and may be left out.',
  },
  connection: {
    type: 'object',
    fields: CONNECTION_FIELDS,
    default: { type: 'dense', taps: 1, dilation: 1 },
    help: 'How the layer reads what is below it.',
  },
  neuron: { ...oneOf(NEURONS, 'Model of the neurons'), default: 'lif' },
  adaptation: {
    type: 'object',
    fields: ADAPTATION_FIELDS,
    default: { decay: 0.9, coupling: 0.1, jump: 0.5 },
    when: { neuron: ['adaptive'] },
    help: 'Initial values of the adaptation.',
  },
  recurrent: {
    type: 'boolean',
    help: 'Whether the layer reads its own spikes of the step before; only dense layers of one tap can.',
  },
  dropout: {
    type: 'number',
    min: 0,
    max: 0.95,
    default: 0,
    help: 'Probability with which training silences a neuron for a whole clip, against overfitting.',
  },
  weightGain: {
    type: 'number',
    min: SMALL,
    max: LARGE,
    stored: { min: 0 },
    default: 1,
    help: 'Initial weights are drawn from ±weightGain / sqrt(inputs of a neuron); more makes neurons spike more at first.',
  },
  spike: { type: 'object', fields: SPIKE_FIELDS, ...spiking, help: 'What the neurons send.' },
  reset: { ...oneOf(RESETS, 'Reset of the potential'), ...spiking },
  detachReset: {
    type: 'boolean',
    ...spiking,
    help: 'Whether the gradient is kept from flowing through the reset.',
  },
  decay: {
    type: 'number',
    min: 0,
    max: 1,
    stored: ANY,
    ...spiking,
    help: 'Initial decay of the potential per time step (beta in snnTorch); nearer to 1 a neuron remembers longer.',
  },
  decaySpread: {
    type: 'number',
    min: 0,
    max: 0.5,
    stored: { max: LARGE },
    ...spiking,
    help: 'Each neuron draws its initial decay from decay ± decaySpread.',
  },
  threshold: {
    type: 'number',
    min: SMALL,
    max: LARGE,
    stored: ANY,
    ...spiking,
    help: 'Initial potential above which a neuron spikes; a higher one makes it spike less.',
  },
  thresholdSpread: {
    type: 'number',
    min: 0,
    max: LARGE / 2,
    stored: { max: LARGE },
    ...spiking,
    help: 'Each neuron draws its initial threshold from threshold ± thresholdSpread.',
  },
  learnDecay: { type: 'boolean', ...spiking, help: 'Whether the decay of each neuron is trained.' },
  learnThreshold: { type: 'boolean', ...spiking, help: 'Whether the threshold of each neuron is trained.' },
  constrain: {
    type: 'boolean',
    ...spiking,
    help: 'Whether training keeps decay within [0, 1], threshold at or above 0.01, the decay of an adaptation within [0, 0.999].',
  },
} as const satisfies Fields;

const INTEGRATORS = namesOf(READOUTS).filter((name) => name !== 'spike-count');

export const READOUT_FIELDS = {
  type: oneOf(READOUTS, 'How spikes become scores'),
  decay: {
    type: 'number',
    min: 0,
    max: 1,
    stored: ANY,
    when: { type: INTEGRATORS },
    help: 'Initial decay of the integrators per time step; nearer to 1 earlier spikes count longer.',
  },
  learnDecay: {
    type: 'boolean',
    when: { type: INTEGRATORS },
    help: 'Whether the decay of each integrator is trained.',
  },
} as const satisfies Fields;

const LAYER = { type: 'object', fields: LAYER_FIELDS, help: 'A layer.' } as const satisfies ObjectField;

export const NETWORK_FIELDS = {
  layers: {
    type: 'list',
    of: LAYER,
    min: 1,
    max: 16,
    help: 'The layers, the one that reads the input first.',
  },
  readout: { type: 'object', fields: READOUT_FIELDS, help: 'How spikes become scores.' },
} as const satisfies Fields;

export const SETTINGS_FIELDS = {
  sampleRate: {
    type: 'integer',
    min: 1000,
    max: 192_000,
    unit: 'Hz',
    help: 'Rate that audio is resampled to before the front end.',
  },
  frontend: { type: 'object', fields: FRONTEND_FIELDS, help: 'From samples to features.' },
  scaling: { type: 'object', fields: SCALING_FIELDS, help: 'Scaling of the features.' },
  frames: {
    type: 'integer',
    min: 1,
    max: MAX_FRAMES,
    help: 'Frames that a clip is cut or zero-padded to; with tail the most that it may have.',
  },
  tail: {
    type: 'integer',
    min: 0,
    max: MAX_FRAMES,
    nullable: true,
    default: null,
    omit: null,
    help: 'Frames of zeros after a clip, which then keeps its own length; null: every clip has `frames` frames.',
  },
  encoding: {
    type: 'object',
    fields: ENCODING_FIELDS,
    help: 'From features to the input of every time step.',
  },
  network: { type: 'object', fields: NETWORK_FIELDS, help: 'Layers and readout.' },
  labels: {
    type: 'list',
    of: { type: 'text', help: 'A word.' },
    min: 2,
    max: 1000,
    help: "The words, in the order of the network's outputs; in a file they may be left out: those of the data.",
  },
} as const satisfies Fields;

/** A field of the table, with the path of its place in settings; `*` stands for the number of a layer. */
export interface Place {
  path: string;
  field: Field;
}

/** Every field of the settings that is no object, in their order. */
export const PLACES: readonly Place[] = placesOf(SETTINGS_FIELDS, '');

function placesOf(fields: Fields, prefix: string): Place[] {
  return Object.entries(fields).flatMap(([key, field]) => {
    const path = `${prefix}${key}`;
    if (field.type === 'object') return placesOf(field.fields, `${path}.`);
    if (field.type === 'list' && field.of.type === 'object') return placesOf(field.of.fields, `${path}.*.`);
    return [{ path, field }];
  });
}
