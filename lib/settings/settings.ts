import type { EncodingName, Surrogate, ThresholdEncoding } from './choices.js';

/**
 * Every setting on the way from samples to scores. They are stored in the model file beside the weights,
 * so that training, evaluation and prediction run the same code with the same settings.
 */
export interface ModelSettings {
  /** Rate in Hz that audio is resampled to before the front end. */
  sampleRate: number;
  frontend: FrontendSettings;
  scaling: ScalingSettings;
  /** Frames that a clip is cut or zero-padded to, after scaling. */
  frames: number;
  /**
   * Frames of zeros after a clip. Where it is given, a clip has as many frames as it has itself and these, `frames` at
   * most, and of a longer clip the word is heard, or the loudest `frames`. null or left out: every clip is cut or padded to `frames`.
   */
  tail?: number | null;
  encoding: EncodingSettings;
  network: NetworkSettings;
  /** The words, in the order of the network's outputs. */
  labels: string[];
}

/** Cepstral coefficients or mel bands. Fields as in torchaudio.transforms.MFCC / MelSpectrogram + AmplitudeToDB. */
export type FrontendSettings = MfccFrontend | LogMelFrontend;

/** Mel-frequency cepstral coefficients. */
export interface MfccFrontend extends MelFrontend {
  type: 'mfcc';
  /** Cepstral coefficients kept, at most melBands (`n_mfcc`). */
  coefficients: number;
}

/** Mel bands in dB. */
export interface LogMelFrontend extends MelFrontend {
  type: 'log-mel';
}

/** What both kinds of front end have. */
export interface MelFrontend {
  /** Length of the periodic Hann window, samples (torchaudio `win_length`). */
  windowLength: number;
  /** Samples from one frame to the next (`hop_length`). */
  hopLength: number;
  /** FFT length, samples, at least windowLength (`n_fft`). */
  fftLength: number;
  /** Mel bands (`n_mels`, HTK scale, no norm). */
  melBands: number;
  /** Hz (`f_min`). */
  minFrequency: number;
  /** Hz, at most half of the sample rate (`f_max`). */
  maxFrequency: number;
  /** Dynamic range in dB below the clip's maximum (`top_db`); null for none. */
  topDb: number | null;
  /** Whether the mean of the clip's samples (an offset of the microphone) is taken from them first. Left out: false. */
  removeMean?: boolean;
}

/** How features are scaled before they are encoded. */
export type ScalingSettings = StatisticalScaling | NoScaling;

/** Values stay as they are. */
export interface NoScaling {
  type: 'none';
}

/** Scaling with statistics of the values. */
export interface StatisticalScaling {
  /**
   * `min-max`: (x - min) / (max - min + 1e-8); `standard`: (x - mean) / (sd + 1e-5), population sd; `peak`:
   * max(0, 1 + (x - max) / topDb), so that 1 is the loudest value of the clip and 0 is silence at any gain (log-mel
   * with a `topDb`, over the clip, pooled).
   */
  type: 'min-max' | 'standard' | 'peak';
  /** Statistics of the clip itself, or of the training set (stored in the model). */
  over: 'clip' | 'training-set';
  /** One statistic for each feature, or one for all features together. */
  pooled: boolean;
}

/**
 * `rate`: Bernoulli draws with probability clamp(x, 0, 1); `latency`: one spike a frame, the earlier the larger x;
 * `delta`: send-on-delta, an up channel (2f) and a down channel (2f + 1) for each feature f; `direct`: x as input
 * current.
 */
export type EncodingSettings = PlainEncoding | ThresholdedEncoding;

/** An encoding without a threshold. */
export interface PlainEncoding {
  type: Exclude<EncodingName, ThresholdEncoding>;
  /** Time steps for each frame. */
  stepsPerFrame: number;
}

/** An encoding with a threshold. */
export interface ThresholdedEncoding {
  type: ThresholdEncoding;
  /** Time steps for each frame. */
  stepsPerFrame: number;
  /** `delta`: the change that sends a spike; `latency`: values at or below it never spike. */
  threshold: number;
}

export type { Surrogate };

/** The spike function of a layer. */
export type SpikeSettings = HardSpike | SoftSpike;

/** 1 if u > threshold, else 0; a surrogate derivative stands for its own. */
export interface HardSpike {
  type: 'hard';
  surrogate: Surrogate;
  /** Steepness `a` of the surrogate. */
  slope: number;
}

/** sigmoid(slope (u - threshold)), forward and backward. */
export interface SoftSpike {
  type: 'soft';
  slope: number;
}

/**
 * How a layer reads what is below it. `taps` time steps are looked at: the present one and those `dilation`,
 * 2 dilation … steps before it, each with weights of its own, so that delays are learned.
 */
export type ConnectionSettings = DenseConnection | ConvolutionConnection;

/** Every neuron reads all that is below. */
export interface DenseConnection {
  type: 'dense';
  taps: number;
  dilation: number;
}

/**
 * A convolution over frequency: neurons of `channels` kinds (a multiple of 16) for every band, or every `stride`th,
 * read the `kernel` bands around it, with zeros beyond the first and last ("same" padding as in TensorFlow). Weights,
 * biases, decays and thresholds are those of the channel. Neurons lie band by band: neuron = band x channels +
 * channel. The bands of the first layer are the features; no convolution can stand above a dense layer, which has none.
 */
export interface ConvolutionConnection {
  type: 'convolution';
  channels: number;
  kernel: number;
  stride: number;
  taps: number;
  dilation: number;
}

/**
 * Initial values of the adaptation w of adaptive neurons. After each step
 * w = rho w_prev + (1 - rho) (coupling u + jump s), which is taken from the potential of the next step.
 */
export interface AdaptationSettings {
  /** rho, the same for every neuron; where the layer is constrained, training keeps it within [0, 0.999]. */
  decay: number;
  /** Drawn for every neuron from 0 to this. */
  coupling: number;
  /** The same for every neuron. */
  jump: number;
}

/** A layer of neurons of one model. */
export type LayerSettings = LifLayer | AdaptiveLayer | ReluLayer;

/** Leaky integrate-and-fire neurons: u = decay v + W s_in + b (+ R s_prev). */
export interface LifLayer extends SpikingLayer {
  /** Default: `lif`. */
  neuron?: 'lif';
}

/**
 * The same neurons with an adaptation w that is subtracted from u, in the symplectic-Euler discretisation of Baronig et
 * al. 2025 (arXiv 2408.07517; docs/architecture.md tells the differences).
 */
export interface AdaptiveLayer extends SpikingLayer {
  neuron: 'adaptive';
  /** Default: decay 0.9, coupling 0.1, jump 0.5. */
  adaptation?: AdaptationSettings;
}

/**
 * Rectified linear units, s = max(0, W s_in + b): an artificial neural network to compare with, which sends numbers.
 * Its firing rate is how often s is not 0.
 */
export interface ReluLayer extends AnyLayer {
  neuron: 'relu';
}

/** What every layer has. */
export interface AnyLayer {
  /** For a convolution ceil(bands / stride) x channels: it may be left out where settings are given. */
  neurons: number;
  /** Default: dense, one tap. */
  connection?: ConnectionSettings;
  /**
   * Probability, below 1, with which training silences a neuron (a channel of a convolution) for a whole clip; what
   * the others send is divided by the rest. Default: 0. Not for recurrent layers, soft spikes, and neurons
   * whose spikes are the scores.
   */
  dropout?: number;
  /** Whether the layer reads its own spikes of the step before; only dense layers of one tap that spike can. */
  recurrent: boolean;
  /** Initial weights are drawn from ±weightGain / sqrt(inputs of a neuron). Default: 1. */
  weightGain?: number;
}

/** What layers of spiking neurons have besides. */
export interface SpikingLayer extends AnyLayer {
  spike: SpikeSettings;
  /** `zero`: v = u (1 - s); `subtract`: v = u - s threshold. */
  reset: 'zero' | 'subtract';
  /** Whether the gradient is kept from flowing through the s of the reset. */
  detachReset: boolean;
  /** Initial values, drawn for every neuron from `decay` ± `decaySpread` and `threshold` ± `thresholdSpread`. */
  decay: number;
  decaySpread: number;
  threshold: number;
  thresholdSpread: number;
  /** Whether decay and threshold are trained, one per neuron. */
  learnDecay: boolean;
  learnThreshold: boolean;
  /** Whether decay is kept within [0, 1], threshold at or above 0.01, rho within [0, 0.999] after every optimizer step. */
  constrain: boolean;
}

/** The layers, from the input on, and the readout. */
export interface NetworkSettings {
  layers: LayerSettings[];
  readout: ReadoutSettings;
}

/** How the last layer's spikes become the scores of the labels. */
export type ReadoutSettings = SpikeCountReadout | IntegratorReadout;

/**
 * Scores are the last layer's spikes summed over time, the loss is their cross-entropy; the last layer has one neuron a
 * label.
 */
export interface SpikeCountReadout {
  type: 'spike-count';
}

/**
 * Leaky integrators, o = d o + (1 - d)(W s + b). `leaky-integrator`: scores are the mean over time of softmax(o), the
 * loss is -log of the label's score. `mean-potential`: scores are the mean over time of o, the loss is their
 * cross-entropy.
 */
export interface IntegratorReadout {
  type: 'leaky-integrator' | 'mean-potential';
  /** Initial value of d. */
  decay: number;
  learnDecay: boolean;
}
