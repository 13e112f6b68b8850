import type { Dataset } from '../datasets/index.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { splitDataset, splitFolds } from '../datasets/split.js';
import { SonospikeError } from '../support/errors.js';
import { array, choice, integer } from '../support/options.js';
import { currentProtocolName, type ProtocolName, protocolNames } from './names.js';

/** Seeds that each fold is trained with unless another number is asked for. */
export const USUAL_SEEDS: Record<ProtocolName, number> = {
  official: 5,
  'leave-one-speaker-out': 3,
  audiomnist: 1,
};

const MAX_FOLDS = 1000;

/** One training and test of the protocol. */
export interface PlannedRun {
  /** Number of the fold, from 1. */
  fold: number;
  /** Seed of weights, order, augmentation and split. */
  seed: number;
}

/** The runs of a protocol on a dataset. */
export interface Plan {
  /** Name of the protocol. */
  protocol: ProtocolName;
  /** Name of the split, as `splitDataset` takes it. */
  split: string;
  /** Numbers of the folds that are run, from 1. */
  folds: number[];
  /** Seed of each round of folds. */
  seeds: number[];
  /** All runs, seed by seed, so that a protocol that is stopped has whole rounds of folds. */
  runs: PlannedRun[];
  /** Folds for which the dataset has no words to test on, or no clips to train on. */
  missing: number[];
}

export interface PlanOptions {
  /** `loso` is the name that `leave-one-speaker-out` had in version 0.1.0. */
  protocol: ProtocolName | 'loso';
  /** Number of seeds (default: 5 for `official`, 3 for `leave-one-speaker-out`, 1 for `audiomnist`). */
  seeds?: number;
  /** The first seed; the others are the numbers after it (default: 0). */
  seed?: number;
  /** Numbers of some of the folds, from 1 (default: all). */
  folds?: readonly number[];
}

/**
 * The runs of a protocol on a dataset.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_SPLIT_INVALID
 */
export function planProtocol(dataset: Dataset, options: PlanOptions, validation: number): Plan {
  const given: unknown = options.protocol;
  const protocol = choice(
    typeof given === 'string' ? currentProtocolName(given) : given,
    'protocol',
    protocolNames,
  );
  if (protocol === 'audiomnist' && dataset.layout !== 'audiomnist') {
    throw new SonospikeError(
      'ERR_SPLIT_INVALID',
      `The protocol audiomnist is for a folder for each speaker with label_speaker_index.wav in it, and ` +
        `${dataset.directory} is not laid out like that. Use official or leave-one-speaker-out.`,
      { file: dataset.directory },
    );
  }
  const split = protocol === 'leave-one-speaker-out' ? protocol : 'official';
  return {
    protocol,
    ...planSplit(dataset, split, { ...options, usualSeeds: USUAL_SEEDS[protocol] }, validation),
  };
}

/**
 * The runs on all folds of a split, or on some.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_SPLIT_INVALID
 */
export function planSplit(
  dataset: Dataset,
  split: string,
  options: Omit<PlanOptions, 'protocol'> & { usualSeeds: number },
  validation: number,
): Omit<Plan, 'protocol'> {
  const count = integer(options.seeds ?? options.usualSeeds, 'seeds', 1, 1000);
  const first = integer(options.seed ?? 0, 'seed', 0, Number.MAX_SAFE_INTEGER - count);
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const wanted = chooseFolds(options.folds, splitFolds(dataset, split));
  const missing = wanted.filter((fold) => !isPossible(dataset, split, fold, validation));
  const folds = wanted.filter((fold) => !missing.includes(fold));
  // Where none is possible the split's own error says why.
  if (folds.length === 0) {
    splitDataset(dataset, split, { fold: wanted[0]!, validation });
    throw new SonospikeError('ERR_SPLIT_INVALID', `Split ${split} has no words to test on.`);
  }
  return {
    split,
    folds,
    seeds,
    runs: seeds.flatMap((seed) => folds.map((fold) => ({ fold, seed }))),
    missing,
  };
}

function chooseFolds(given: unknown, all: number): number[] {
  if (given === undefined) return Array.from({ length: all }, (_, i) => i + 1);
  const folds = array(given, 'folds', 1, MAX_FOLDS).map((fold, i) => integer(fold, `folds[${i}]`, 1, all));
  return [...new Set(folds)].sort((a, b) => a - b);
}

/** A dataset of which speakers are missing may have no clips for a fold, or none that is a word to test on. */
function isPossible(dataset: Dataset, split: string, fold: number, validation: number): boolean {
  try {
    const { test } = splitDataset(dataset, split, { fold, validation });
    return test.some(({ label }) => label !== UNKNOWN_LABEL);
  } catch (error) {
    if (error instanceof SonospikeError && error.code === 'ERR_SPLIT_INVALID') return false;
    throw error;
  }
}
