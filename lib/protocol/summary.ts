import {
  type Calibration,
  type ClassMetrics,
  calibration,
  classMetrics,
  type Judged,
  type Spread,
  spread,
} from '../evaluation/metrics.js';
import type { Operations } from '../evaluation/operations.js';
import type { ProtocolRun } from './run.js';

/** One fold, over all seeds. */
export interface FoldResult {
  /** Number of the fold, from 1. */
  fold: number;
  /** Test accuracy over the seeds. */
  accuracy: Spread;
  /** Number of test clips of one run. */
  clips: number;
  /** Speakers of the test part. */
  speakers: string[];
}

/** One speaker, over all runs that had this speaker in their test part. */
export interface SpeakerResult {
  /** Test accuracy over these runs. */
  accuracy: Spread;
  /** Number of the speaker's test clips in one run. */
  clips: number;
}

/** The runs of a protocol taken together. */
export interface ProtocolSummary {
  /** Mean over all runs; the deviation is that of the seeds, each with the mean of its folds. */
  accuracy: Spread;
  /** Accuracy of each seed: the mean over its folds. */
  bySeed: { seed: number; accuracy: number }[];
  /** Over the folds, each with the mean over its seeds: how much the folds differ. */
  overFolds: Spread;
  /** Each fold over its seeds. */
  perFold: FoldResult[];
  /** Each speaker, by name. */
  perSpeaker: Record<string, SpeakerResult>;
  /** Clips by true label (row) and predicted label (column), of all runs. */
  confusion: number[][];
  /** Precision and recall of each label, over all runs. */
  perClass: ClassMetrics[];
  /** Firing rate of each layer, the mean over the runs: spikes per neuron and time step. */
  firingRates: number[];
  /** Calibration over the clips of all runs together. */
  calibration: Calibration;
  /** Operations of a clip, the mean over the runs; null where clips are too long to be observed. */
  operations: Operations | null;
  /**
   * Area under the ROC curve of the confidence, known words against the `_unknown_` clips of the test parts, over the
   * runs; null where there are no such clips.
   */
  auroc: Spread | null;
  /** Seconds of one run: reading the clips, training and test. */
  seconds: Spread;
  /** Seconds to the target over the runs that reached it, and how many missed it; only with `target`. */
  secondsToTarget?: (Spread & { missed: number }) | null;
}

/** Adds up runs as they end, and those of before. */
export class SummaryOfRuns {
  readonly #runs: ProtocolRun[] = [];
  readonly #labels: readonly string[];

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  add(run: ProtocolRun): void {
    this.#runs.push(run);
  }

  /** In the order of seeds and folds, whichever ended first. */
  get runs(): ProtocolRun[] {
    return [...this.#runs].sort((a, b) => a.seed - b.seed || a.fold - b.fold);
  }

  /** null before the first run. */
  summary(): ProtocolSummary | null {
    const runs = this.runs;
    if (runs.length === 0) return null;
    const bySeed = grouped(runs, ({ seed }) => seed).map(([seed, of]) => ({ seed, accuracy: mean(of) }));
    const folds = grouped(runs, ({ fold }) => fold);
    const confusion = this.#labels.map((_, i) =>
      this.#labels.map((__, j) => runs.reduce((sum, run) => sum + run.confusion[i]![j]!, 0)),
    );
    const times = runs.flatMap(({ secondsToTarget }) => secondsToTarget ?? []);
    const aurocs = runs.flatMap(({ rejection }) => rejection?.unknown.auroc ?? []);
    const timed = runs.some(({ secondsToTarget }) => secondsToTarget !== undefined);
    return {
      accuracy: spread(bySeed.map(({ accuracy }) => accuracy)),
      bySeed,
      overFolds: spread(folds.map(([, of]) => mean(of))),
      perFold: folds.map(([fold, of]) => ({
        fold,
        accuracy: spread(of.map(({ accuracy }) => accuracy)),
        clips: of[0]!.clips,
        speakers: Object.keys(of[0]!.perSpeaker),
      })),
      perSpeaker: perSpeaker(runs),
      confusion,
      perClass: classMetrics(this.#labels, confusion),
      firingRates: runs[0]!.firingRates.map(
        (_, k) => runs.reduce((sum, { firingRates }) => sum + firingRates[k]!, 0) / runs.length,
      ),
      // Sums of floating-point numbers depend on their order, which is that in which the runs ended.
      calibration: calibration(runs.flatMap(judged).sort((a, b) => a.confidence - b.confidence)),
      operations: meanOperations(runs),
      auroc: aurocs.length === 0 ? null : spread(aurocs),
      seconds: spread(runs.map(({ seconds }) => seconds)),
      ...(timed
        ? {
            secondsToTarget:
              times.length === 0 ? null : { ...spread(times), missed: runs.length - times.length },
          }
        : {}),
    };
  }
}

function judged({ answers: { right, wrong } }: ProtocolRun): Judged[] {
  return [
    ...right.map((confidence) => ({ confidence, right: true })),
    ...wrong.map((confidence) => ({ confidence, right: false })),
  ];
}

function meanOperations(runs: readonly ProtocolRun[]): Operations | null {
  const counted = runs.flatMap(({ operations }) => operations ?? []);
  if (counted.length === 0) return null;
  const keys = Object.keys(counted[0]!) as (keyof Operations)[];
  const meanOf = (key: keyof Operations) => counted.reduce((sum, of) => sum + of[key], 0) / counted.length;
  return Object.fromEntries(keys.map((key) => [key, meanOf(key)])) as unknown as Operations;
}

function perSpeaker(runs: readonly ProtocolRun[]): Record<string, SpeakerResult> {
  const found = runs.flatMap((run) => Object.entries(run.perSpeaker));
  return Object.fromEntries(
    grouped(found, ([name]) => name)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, of]) => [
        name,
        { accuracy: spread(of.map(([, { accuracy }]) => accuracy)), clips: of[0]![1].clips },
      ]),
  );
}

function mean(runs: readonly { accuracy: number }[]): number {
  return runs.reduce((sum, { accuracy }) => sum + accuracy, 0) / runs.length;
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): [K, T[]][] {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups];
}
