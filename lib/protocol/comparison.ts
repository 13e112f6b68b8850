import type { SkippedFile } from '../datasets/dataset.js';
import { type Spread, spread } from '../evaluation/metrics.js';
import { type PairedDifference, pairedDifference } from '../evaluation/paired.js';
import type { Device } from '../native/device.js';
import type { ModelSettings } from '../settings/settings.js';
import type { RunOptions } from '../training/recipe.js';
import type { ProtocolResult } from './evaluate-protocol.js';
import type { ProtocolName } from './names.js';
import type { PlannedRun } from './plan.js';
import type { ProtocolRun } from './run.js';

/** What one training of a comparison gave on its test part. */
export interface ComparedRun
  extends PlannedRun,
    Pick<
      ProtocolRun,
      | 'accuracy'
      | 'interval'
      | 'loss'
      | 'clips'
      | 'bestEpoch'
      | 'epochs'
      | 'firingRates'
      | 'calibrationError'
      | 'operations'
      | 'seconds'
    > {
  /** Name of the variant. */
  variant: string;
  /** Hash of settings and options of the variant, by which a comparison that goes on knows its runs. */
  key: string;
}

/** The runs of one variant taken together. */
export interface VariantSummary {
  /** Number of runs that have ended. */
  runs: number;
  /** Test accuracy: mean over all runs; the deviation is that of the seeds, each with the mean of its folds. */
  accuracy: Spread;
  /** Mean cross-entropy on the test clips, in nats, over the runs. */
  loss: Spread;
  /** Expected calibration error of the confidence, over the runs. */
  calibrationError: Spread;
  /** Spikes per neuron and time step, mean of the layers, over the runs. */
  firingRate: Spread;
  /** Operations of a clip that a neuromorphic chip or a sparse program would do, MACs and ACs, mean of the runs; null where not counted. */
  synapticOperations: number | null;
  /** Seconds of a run: reading the clips, training and test. Runs side by side slow each other. */
  seconds: Spread;
}

/** A variant with what its runs gave. */
export interface ComparedVariant {
  /** Name of the variant. */
  name: string;
  /** Hash of its settings and options. */
  key: string;
  /** Settings of the models. */
  settings: ModelSettings;
  /** Options of the first run; the others differ in fold and seed. */
  options: RunOptions;
  /** Number of parameters of a model. */
  parameters: number;
  /** null before the first of its runs has ended. */
  summary: VariantSummary | null;
  /**
   * Test accuracy minus that of the first variant, over the pairs of runs of the same seed and fold; null for the first
   * variant, and before a pair has ended.
   */
  difference: PairedDifference | null;
}

/** What `compare` found, also as its file has it. */
export interface Comparison {
  /** What the file is. */
  kind: 'sonospike comparison';
  /** Version of the format. */
  version: 1;
  /** Whether all runs have ended: false in the file of a comparison that was stopped. */
  complete: boolean;
  /** The dataset that was trained and tested on. */
  dataset: ProtocolResult['dataset'];
  /** Labels of the models. */
  labels: string[];
  /** Name of the protocol; null for a split that is none. */
  protocol: ProtocolName | null;
  /** Name of the split. */
  split: string;
  /** Numbers of the folds, from 1. */
  folds: number[];
  /** Seed of each round of folds. */
  seeds: number[];
  /** Folds that were left out because the dataset has no clips for them. */
  missingFolds: number[];
  /** The variants, the first of which the others are compared with. */
  variants: ComparedVariant[];
  /** Files that were left out of the data, or of one run at least, and why. */
  skipped: SkippedFile[];
  /** Number of runs side by side. */
  parallel: number;
  /** Number of threads of all runs together. */
  threads: number;
  /** Where the runs were computed. */
  device: Device;
  /** The runs that have ended, by seed, fold and variant. */
  runs: ComparedRun[];
}

/** The runs of one variant taken together; null where there are none. */
export function summarise(runs: readonly ComparedRun[]): VariantSummary | null {
  if (runs.length === 0) return null;
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const ofSeeds = seeds.map((seed) =>
    mean(runs.filter((run) => run.seed === seed).map((run) => run.accuracy)),
  );
  const all = runs.map(({ accuracy }) => accuracy);
  const counted = runs.flatMap(({ operations }) => operations ?? []);
  return {
    runs: runs.length,
    accuracy: { ...spread(all), deviation: spread(ofSeeds).deviation },
    loss: spread(runs.map(({ loss }) => loss)),
    calibrationError: spread(runs.map(({ calibrationError }) => calibrationError)),
    firingRate: spread(runs.map(({ firingRates }) => mean(firingRates))),
    synapticOperations:
      counted.length === 0
        ? null
        : mean(counted.map(({ effectiveMacs, effectiveAcs }) => effectiveMacs + effectiveAcs)),
    seconds: spread(runs.map(({ seconds }) => seconds)),
  };
}

/** The difference in accuracy over the runs of two variants with the same seed and fold; null where there are none. */
export function differenceOf(
  runs: readonly ComparedRun[],
  baseline: readonly ComparedRun[],
): PairedDifference | null {
  const accuracyAt = new Map(baseline.map((run) => [`${run.seed} ${run.fold}`, run.accuracy]));
  const pairs = runs.flatMap(({ seed, fold, accuracy }) => {
    const other = accuracyAt.get(`${seed} ${fold}`);
    return other === undefined ? [] : [[accuracy, other] as const];
  });
  if (pairs.length === 0) return null;
  return pairedDifference(
    pairs.map(([own]) => own),
    pairs.map(([, other]) => other),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
