import type { SkippedFile } from '../datasets/dataset.js';
import type { Dataset } from '../datasets/index.js';
import type { ClipResult, Scored } from '../evaluation/clip-results.js';
import { countOperations, type Operations } from '../evaluation/operations.js';
import type { Rejection } from '../evaluation/rejection.js';
import type { EpochMetrics, Score } from '../training/epoch.js';
import type { RunOptions } from '../training/recipe.js';
import { type TrainOptions, train } from '../training/train.js';
import type { Plan, PlannedRun } from './plan.js';

/** What one training of a protocol gave on its test part. */
export interface ProtocolRun extends PlannedRun {
  /** The split and the sizes of its parts, in one line. */
  split: string;
  /** Share of the test clips that are recognised. */
  accuracy: number;
  /** 95% interval of the accuracy (Wilson). */
  interval: [number, number];
  /** Mean cross-entropy on the test clips, in nats. */
  loss: number;
  /** Number of test clips. */
  clips: number;
  /** Number of the epoch whose model was tested: the last, or chosen on the validation part. */
  bestEpoch: number;
  /** Number of epochs that were trained. */
  epochs: number;
  /** Figures of that epoch on the validation part; null without one. */
  validation: Score | null;
  /** Number of test clips by true label (row) and predicted label (column). */
  confusion: number[][];
  /** Accuracy of each speaker of the test part, by name. */
  perSpeaker: Scored['perSpeaker'];
  /** Firing rate of each layer: spikes per neuron and time step. */
  firingRates: number[];
  /** Expected calibration error. */
  calibrationError: number;
  /** Confidences of the test clips that were recognised, and of the others, each in ascending order. */
  answers: { right: number[]; wrong: number[] };
  /** How well the `_unknown_` clips of the test part are rejected; null where there are none. */
  rejection: Rejection | null;
  /** Operations of a clip, the mean of up to 100; null where clips are too long for `Model.observe`. */
  operations: Operations | null;
  /** The clips that were not recognised. */
  wrong: Omit<ClipResult, 'scores'>[];
  /** Seconds from the start of the run to its result. Runs side by side slow each other. */
  seconds: number;
  /** Seconds from the start of the run until all clips were read. */
  loadSeconds: number;
  /**
   * Seconds from the start of the protocol (for the command: of the process), as if this run were its first, until the
   * test accuracy after an epoch reached the target; null if it never did. Only with `target`; chooses nothing.
   */
  secondsToTarget?: number | null;
  /** Test accuracy after every epoch, and when it was known; only with `target`. */
  curve?: { epoch: number; seconds: number; accuracy: number }[];
}

/** Options of a training that a protocol sets by itself. */
export const OWN_KEYS = [
  'split',
  'fold',
  'out',
  'checkpoint',
  'resume',
  'testEveryEpoch',
  'onData',
  'onLoad',
  'onEpoch',
  'onProgress',
] as const satisfies (keyof TrainOptions)[];

export type OwnKey = (typeof OWN_KEYS)[number];

/** A run with what the summary needs beside it. */
export interface FinishedRun {
  result: ProtocolRun;
  options: RunOptions;
  predictions: ClipResult[];
  labels: string[];
  skipped: SkippedFile[];
}

export interface RunContext {
  plan: Pick<Plan, 'split'>;
  dataset: Dataset;
  /** Options of the training that are those of every run. */
  training: Omit<TrainOptions, 'data' | 'seed' | OwnKey>;
  threads: number;
  target: number | undefined;
  /** Seconds from the start of the protocol to its first run. */
  lead: number;
  onShare: (share: number) => void;
}

/** Clips of a run whose operations are counted. */
const COUNTED = 100;

/** Trains and tests once. */
export async function runOnce(planned: PlannedRun, context: RunContext): Promise<FinishedRun> {
  const { plan, dataset, training, threads, target, lead, onShare } = context;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let loadSeconds = 0;
  const curve: NonNullable<ProtocolRun['curve']> = [];
  const found = await train({
    ...training,
    data: dataset,
    split: plan.split,
    ...planned,
    threads,
    testEveryEpoch: target !== undefined,
    onData: () => {
      loadSeconds = seconds();
    },
    onEpoch: ({ metrics: { epoch, test } }) => {
      if (test) curve.push({ epoch, seconds: lead + seconds(), accuracy: test.accuracy });
    },
    onProgress: ({ epoch, epochs, done, total }) => onShare((epoch - 1 + done / total) / epochs),
  });
  const taken = seconds();
  const { accuracy, interval, loss, clips, confusion, perSpeaker, firingRates } = found.test;
  const { calibration, rejection, predictions } = found.test;
  const files = predictions.map(({ file }) => file);
  const operations = await countOperations(found.model, {
    files,
    limit: COUNTED,
    signal: training.signal,
  }).finally(() => found.model.close());
  const best: EpochMetrics | undefined = found.epochs[found.bestEpoch - 1];
  return {
    result: {
      ...planned,
      split: found.split,
      accuracy,
      interval,
      loss,
      clips,
      bestEpoch: found.bestEpoch,
      epochs: found.epochs.length,
      validation: best?.validation ?? null,
      confusion,
      perSpeaker,
      firingRates,
      calibrationError: calibration.error,
      answers: {
        right: confidencesOf(predictions.filter(({ label, predicted }) => label === predicted)),
        wrong: confidencesOf(predictions.filter(({ label, predicted }) => label !== predicted)),
      },
      rejection,
      operations,
      wrong: predictions
        .filter(({ label, predicted }) => label !== predicted)
        .map(({ scores, ...kept }) => kept),
      seconds: taken,
      loadSeconds,
      ...(target === undefined ? {} : { secondsToTarget: reached(curve, target), curve }),
    },
    options: found.options,
    predictions,
    labels: found.test.labels,
    skipped: found.test.skipped,
  };
}

function confidencesOf(predictions: readonly ClipResult[]): number[] {
  return predictions.map(({ confidence }) => confidence).sort((a, b) => a - b);
}

function reached(curve: NonNullable<ProtocolRun['curve']>, target: number): number | null {
  return curve.find(({ accuracy }) => accuracy >= target)?.seconds ?? null;
}
