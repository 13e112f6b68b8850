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
   * most, and of a longer clip the loudest `frames` are heard. null or left out: every clip is cut or padded to `frames`.
   */
  tail?: number | null;
  encoding: EncodingSettings;
  network: NetworkSettings;
  /** The words, in the order of the network's outputs. */
  labels: string[];
}

/** Names and defaults as in torchaudio.transforms.MFCC / MelSpectrogram + AmplitudeToDB. */
export interface FrontendSettings {
  /** `mfcc`: cepstral coefficients; `log-mel`: mel bands in dB. */
  type: 'mfcc' | 'log-mel';
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
  /** Cepstral coefficients kept, at most melBands (`n_mfcc`); ignored for `log-mel`. */
  coefficients: number;
  /** Dynamic range in dB below the clip's maximum (`top_db`); null for none. */
  topDb: number | null;
  /** Whether the mean of the clip's samples (an offset of the microphone) is taken from them first. Left out: false. */
  removeMean?: boolean;
}

export interface ScalingSettings {
  /**
   * `min-max`: (x - min) / (max - min + 1e-8); `standard`: (x - mean) / (sd + 1e-5), population sd; `peak`:
   * max(0, 1 + (x - max) / topDb), so that 1 is the loudest value of the clip and 0 is silence at any gain (log-mel
   * with a `topDb`, over the clip, pooled); `none`: x.
   */
  type: 'min-max' | 'standard' | 'peak' | 'none';
  /** Statistics of the clip itself, or of the training set (stored in the model). */
  over: 'clip' | 'training-set';
  /** One statistic for each feature, or one for all features together. */
  pooled: boolean;
}

export interface EncodingSettings {
  /**
   * `rate`: Bernoulli draws with probability clamp(x, 0, 1); `latency`: one spike a frame, the earlier the
   * larger x; `delta`: send-on-delta, an up channel (2f) and a down channel (2f + 1) for each feature f;
   * `direct`: x as input current.
   */
  type: 'rate' | 'latency' | 'delta' | 'direct';
  /** Time steps for each frame. */
  stepsPerFrame: number;
  /** `delta`: the change that sends a spike; `latency`: values at or below it never spike. */
  threshold: number;
}

export type Surrogate = 'fast-sigmoid' | 'atan' | 'triangle' | 'boxcar' | 'sigmoid';

export interface SpikeSettings {
  /** `hard`: 1 if u > threshold, with a surrogate derivative; `soft`: sigmoid(slope (u - threshold)). */
  type: 'hard' | 'soft';
  /** The surrogate derivative of a hard spike; ignored for soft spikes. */
  surrogate: Surrogate;
  /** Steepness: `a` of the surrogate, or the slope of the soft spike. */
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
 * Initial values of what adaptive neurons have besides. After each step
 * w = rho w_prev + (1 - rho) (coupling u + jump s), which is taken from the potential of the next step.
 */
export interface AdaptationSettings {
  /** rho, of every neuron; where the layer is constrained, training keeps it within [0, 0.999]. */
  decay: number;
  /** Drawn for every neuron from 0 to this. */
  coupling: number;
  /** Of every neuron. */
  jump: number;
}

/**
 * A layer of leaky integrate-and-fire neurons: u = decay v + W s_in + b (+ R s_prev) (- w_prev where they adapt); or,
 * to compare them with, of rectified linear units.
 */
export interface LayerSettings {
  /** Of a convolution ceil(bands / stride) x channels: it may be left out where settings are given. */
  neurons: number;
  /** Dense of one tap where it is left out. */
  connection?: ConnectionSettings;
  /**
   * `lif` where it is left out. `adaptive`: the same with an adaptation w, in the symplectic-Euler discretisation of
   * Baronig et al. 2025 (arXiv 2408.07517; docs/architecture.md has the differences). `relu`: s = max(0, W s_in + b),
   * an artificial neural network that sends numbers: spike, reset, decay and threshold are of no use, and its firing
   * rate is how often s is not 0.
   */
  neuron?: 'lif' | 'adaptive' | 'relu';
  /**
   * Probability, below 1, with which training silences a neuron (a channel of a convolution) for a whole clip; what
   * the others send is divided by the rest. 0 where it is left out. Not for recurrent layers, soft spikes, and neurons
   * whose spikes are the scores.
   */
  dropout?: number;
  /** Whether the layer reads its own spikes of the step before; only dense layers of one tap do. */
  recurrent: boolean;
  /** Of `adaptive` neurons, 0.9, 0.1 and 0.5 where they are left out; of others null or left out. */
  adaptation?: AdaptationSettings | null;
  spike: SpikeSettings;
  /** `zero`: v = u (1 - s); `subtract`: v = u - s threshold. */
  reset: 'zero' | 'subtract';
  /** Whether the gradient is kept from flowing through the s of the reset. */
  detachReset: boolean;
  /** Initial weights are drawn from ±weightGain / sqrt(inputs of a neuron); 1 where it is left out. */
  weightGain?: number;
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

export interface NetworkSettings {
  layers: LayerSettings[];
  /**
   * `spike-count`: scores are the last layer's spikes summed over time, loss is cross-entropy of them; the
   * last layer has one neuron a label. `leaky-integrator`: o = d o + (1 - d)(W s + b), scores are the mean over
   * time of softmax(o), loss is -log of the label's score. `mean-potential`: scores are the mean over time of the o
   * of the same integrator, loss is cross-entropy of them.
   */
  readout: {
    type: 'spike-count' | 'leaky-integrator' | 'mean-potential';
    decay: number;
    learnDecay: boolean;
  };
}
