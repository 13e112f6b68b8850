import type { SkippedFile } from '../datasets/dataset.js';
import type { ModelSettings } from '../settings/settings.js';

/** Loss and accuracy over some clips. */
export interface Score {
  /** Mean cross-entropy, in nats. */
  loss: number;
  /** Share of the clips that are recognised, from 0 to 1. */
  accuracy: number;
}

/** Figures of one epoch. */
export interface EpochMetrics {
  /** Number of the epoch, from 1. */
  epoch: number;
  /** Number of epochs of the training. */
  epochs: number;
  /** On the training clips: means over the epoch, while the weights changed. */
  train: Score & { epoch: number };
  /** On the validation clips, after the epoch; null without a validation part. */
  validation: Score | null;
  /** On the test clips, only with `testEveryEpoch`; never used to choose anything. */
  test?: Score;
  /** Firing rate of each layer on the training clips: spikes per neuron and time step. */
  firingRates: number[];
  /** Whether this is the best epoch so far; with `keep: 'last'`, every one. */
  best: boolean;
  /** Training clips per second. */
  clipsPerSecond: number;
  /** Estimated seconds for the epochs that are left. */
  secondsLeft: number;
}

/** What `onLoad` of a training gets: how many clips have been read. */
export interface LoadProgress {
  /** Which report this is. */
  phase: 'load';
  /** Clips that have been read or left out. */
  done: number;
  /** All clips. */
  total: number;
}

/** What `onData` of a training gets, once, when all clips have been read. */
export interface DataReport {
  /** Which report this is. */
  phase: 'data';
  /** The split and the sizes of its parts, in one line. */
  split: string;
  /** Files that were left out, and why. */
  skipped: SkippedFile[];
  /** The clips of each word that can be used; the last is `_unknown_` where there are such clips. */
  words: WordCount[];
  /** The speakers of the data set. */
  speakers: string[];
  /** Settings of the model. */
  settings: ModelSettings;
  /** Why the set is too small to trust the model, in whole sentences; none where it is not. */
  remarks: string[];
}

/** How many clips of a word the parts of a split have, with extra data in the training part. */
export interface WordCount {
  word: string;
  train: number;
  validation: number;
  test: number;
}

/** What `onProgress` of a training gets, ten times a second. */
export interface TrainingProgress {
  /** Which report this is. */
  phase: 'train';
  /** Clips of this epoch that are done. */
  done: number;
  /** All clips of an epoch. */
  total: number;
  /** Number of this epoch, from 1. */
  epoch: number;
  /** Number of epochs. */
  epochs: number;
  /** Training clips per second in this epoch. */
  clipsPerSecond: number;
}

/** What `onCalibration` of a training gets while its set is cross-validated, after the last epoch. */
export interface CalibrationProgress {
  /** Which report this is. */
  phase: 'calibrate';
  /** Epochs of all folds together that are done. */
  done: number;
  /** All epochs of all folds. */
  total: number;
}

/** What `onEpoch` of a training gets after every epoch. */
export interface EpochReport {
  /** Which report this is. */
  phase: 'epoch';
  /** Epochs that are done. */
  done: number;
  /** All epochs. */
  total: number;
  /** Figures of this epoch. */
  metrics: EpochMetrics;
  /** Figures of all epochs so far, this one included, and those before a resume. */
  history: readonly EpochMetrics[];
}
