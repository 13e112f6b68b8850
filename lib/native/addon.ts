import type { Augmentation } from '../settings/augmentation.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import type { EncodingSettings, FrontendSettings, ModelSettings } from '../settings/settings.js';
import type { NativeNetworkTools } from './network-tools.js';
import type { NamedArrays, OptimizerSettings } from './parameters.js';

export type { NamedArrays, OptimizerSettings };

export interface NativePrediction {
  scores: Float32Array;
  probabilities: Float32Array;
  /** Index of the label with the greatest score. */
  best: number;
  /** Probability that this label is right, and whether that is below the threshold: see `setConfidence`. */
  confidence: number;
  rejected: boolean;
  /** Of each layer: spikes per neuron and time step. */
  firingRates: number[];
  /** The first of the clip's own frames that the network heard, and the number of all its own frames. */
  firstFrame: number;
  heardFrames: number;
  ownFrames: number;
  moreToHear: boolean;
}

export interface NativeObservation extends NativePrediction {
  steps: number;
  /** [frames, features], scaled. */
  features: Float32Array;
  /** [steps, channels]. */
  input: Float32Array;
  /** Arrays are [steps, neurons]; the potential is the one before the reset. */
  layers: { neurons: number; spikes: Float32Array; potential: Float32Array }[];
  /** Of the readout, [steps, classes]; null where it counts spikes. */
  potential: Float32Array | null;
}

export interface NativeTrainingOptions {
  epochs: number;
  batchSize: number;
  seed: number;
  optimizer: OptimizerSettings;
  schedule: { type: 'constant' | 'cosine' | 'one-cycle'; rate: number; warmupShare?: number };
  labelSmoothing: number;
  spikeCost: number;
  augmentation: Augmentation | null;
  /** Clips of each epoch that are made and are no word. */
  negatives?: number;
}

/** Where a training stands, with the sums of the epoch in hand. */
export interface TrainingPosition {
  epoch: number;
  batch: number;
  clips: number;
  loss: number;
  correct: number;
  /** Of each layer. */
  spikes: number[];
  /** Time steps of the clips. */
  steps: number;
}

export interface NativeTrainingState {
  position: TrainingPosition;
  steps: number;
  m: NamedArrays;
  v: NamedArrays;
}

/** Of the training set's statistics. */
export interface NativeScaling {
  offset: Float32Array;
  scale: Float32Array;
}

/** Calls that give a promise wait while the model is in use; the others throw ERR_BUSY. After `close` all throw ERR_CLOSED. */
export interface NativeModel {
  initialise(seed: number): void;
  loadParameters(parameters: NamedArrays): void;
  readParameters(): NamedArrays;
  loadScaling(offset: Float32Array, scale: Float32Array): void;
  readScaling(): NativeScaling | null;
  /** How answers are judged from now on; null: by the label's own probability, and nothing is rejected. */
  setConfidence(confidence: Readonly<ConfidenceSettings> | null): void;
  predictSync(samples: Float32Array, sampleRate: number, seed: number): NativePrediction;
  predict(samples: Float32Array, sampleRate: number, seed: number): Promise<NativePrediction>;
  observe(samples: Float32Array, sampleRate: number, seed: number): Promise<NativeObservation>;
  /** What `readParameters` and `readScaling` give, once the model is free. */
  snapshot(): Promise<{ parameters: NamedArrays; scaling: NativeScaling | null }>;
  /**
   * Gives up parameters, state, threads and device memory, and closes the stores, trainers and streams of this model.
   * Calls that wait or run finish first and hold the memory until then; later ones throw ERR_CLOSED.
   */
  close(): void;
}

/** Labels are numbers; -1 for a clip that is none of the words. */
export interface NativeClip {
  samples: Float32Array;
  sampleRate: number;
  label: number;
  /** Keeps the samples, for a training with augmentation. */
  augmented?: boolean;
}

export interface NativeFeatureStore {
  /** Refused after a `fit` that scaled with the training set's statistics. */
  add(clips: NativeClip[]): Promise<void>;
  /** Takes the training set's scaling (or keeps the model's) and scales all clips. */
  fit(training: Int32Array, keep: boolean): Promise<void>;
  size(): number;
  /** Rejects with ERR_ABORTED where `abortEvaluation` cut it short. */
  evaluate(
    clips: Int32Array,
    seed: number,
    labelSmoothing: number,
    augmentation?: Augmentation | null,
  ): Promise<{ loss: number; correct: number; firingRates: number[]; predictions: NativePrediction[] }>;
  /** Makes the evaluation in progress, if there is one, end after the batch in hand. */
  abortEvaluation(): void;
  /** Gives up the features, and closes the trainers that use them. Later calls throw ERR_CLOSED. */
  close(): void;
}

export interface NativeTrainer {
  /** Works to the end of the epoch, or of the batch in hand after `abort`. */
  runEpoch(): Promise<{ complete: boolean; sums: TrainingPosition }>;
  abort(): void;
  progress(): number;
  readState(): NativeTrainingState;
  loadState(state: NativeTrainingState): void;
  /** Lets go of the model and the features; an epoch that runs ends first. Later calls throw ERR_CLOSED. */
  close(): void;
}

/** A sound of a stream; `start` and `end` are samples. The confidence allows for the choice among several cuts. */
export interface NativeSound extends NativePrediction {
  start: number;
  end: number;
  samples?: Float32Array;
}

export interface NativeStreamOptions {
  sampleRate: number;
  endSilence: number;
  seed: number;
  keepSamples: boolean;
}

/** A call gives what was found, or a promise of it where the model is in use; until that settles others throw ERR_BUSY. */
export interface NativeStream {
  /** A Uint8Array holds whole 16-bit little-endian samples. */
  write(
    samples: Float32Array | Int16Array | Uint8Array,
  ): NativeSound[] | undefined | Promise<NativeSound[] | undefined>;
  /** The end of the stream, which then has to be reset. */
  flush(): NativeSound[] | undefined | Promise<NativeSound[] | undefined>;
  reset(): void;
  /** Gives up what it holds. Later calls throw ERR_CLOSED; `time`, `level` and `speaking` keep their last values. */
  close(): void;
  /** Seconds taken. */
  time(): number;
  /** dB below full scale. */
  level(): number;
  speaking(): boolean;
}

/** Versions are 1000 major + 10 minor; 0: none. Memory in bytes. */
export interface NativeCudaInfo {
  driverVersion: number;
  runtimeVersion: number;
  devices: {
    name: string;
    memory: number;
    freeMemory: number;
    major: number;
    minor: number;
    multiprocessors: number;
    /** Whether the addon is built for it. */
    supported: boolean;
    whyNot: string;
  }[];
  whyNone: string;
}

export interface NativeAddon {
  /** `device`: number of a CUDA device; left out: the CPU. */
  Model: new (
    settings: ModelSettings,
    threads: number,
    device?: number,
  ) => NativeModel;
  NetworkTools: new (model: NativeModel) => NativeNetworkTools;
  FeatureStore: new (model: NativeModel, threads: number) => NativeFeatureStore;
  Trainer: new (
    model: NativeModel,
    store: NativeFeatureStore,
    options: NativeTrainingOptions,
    clips: Int32Array,
  ) => NativeTrainer;
  Stream: new (model: NativeModel, options: NativeStreamOptions) => NativeStream;
  info(): { instructionSet: string; instructionSets: string[]; threads: number; compiler: string };
  /** The names of every choice in settings that the core knows, by the kind of choice. */
  choices(): Record<string, string[]>;
  selectInstructionSet(name: string): boolean;
  resample(samples: Float32Array, from: number, to: number): Float32Array;
  features(
    samples: Float32Array,
    sampleRate: number,
    frontend: FrontendSettings,
  ): { frames: number; features: number; data: Float32Array };
  encode(
    values: Float32Array,
    frames: number,
    features: number,
    encoding: EncodingSettings,
    seed: number,
    clip: number,
    epoch: number,
  ): Float32Array;
  /** Only of an addon that is built with CUDA. */
  cudaInfo?(): NativeCudaInfo;
  /**
   * The same: most floating-point operations and bytes per second of a device; `brief`: in too little work to tell,
   * to see that they can be measured.
   */
  cudaPeak?(device: number, brief: boolean): { operations: number; tensor: number; bytes: number };
  /** Floating-point operations per second of `threads` threads at once: `rounds` of multiply-adds in registers. */
  peakOperations(threads: number, rounds: number): number;
  /** Bytes per second of `threads` threads at once, each adding one array of `floats` to another. */
  memoryBandwidth(threads: number, floats: number): number;
}
