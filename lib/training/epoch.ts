export interface Score {
  loss: number;
  accuracy: number;
}

/** What one epoch gave. */
export interface EpochMetrics {
  /** From 1. */
  epoch: number;
  epochs: number;
  /** Means over the epoch, while the weights moved. */
  train: Score & { epoch: number };
  /** null without a validation part. */
  validation: Score | null;
  /** Only with `testEveryEpoch`; never used to choose anything. */
  test?: Score;
  /** Of each layer, on the training clips: spikes per neuron and time step. */
  firingRates: number[];
  /** Whether this is the best epoch so far; with `keep: 'last'`, every one. */
  best: boolean;
  clipsPerSecond: number;
  /** Estimate for the epochs that are left. */
  secondsLeft: number;
}

export interface TrainingProgress {
  epoch: number;
  epochs: number;
  /** Clips of the epoch that are done, and all of them. */
  done: number;
  clips: number;
  clipsPerSecond: number;
}
