import type { Clip, PartName } from '../datasets/clip.js';
import type { Dataset } from '../datasets/index.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { type Split, splitDataset } from '../datasets/split.js';
import { SonospikeError } from '../support/errors.js';
import { LEAST_ANSWERS } from './calibrate.js';
import type { WordCount } from './epoch.js';
import { divideTakes } from './fold-takes.js';
import { type Part, usedHashes } from './keep-apart.js';
import { type RunOptions, splitOptions } from './recipe.js';

/** A set is small where a word has no more clips than this. */
const SMALL_WORD = 20;
/** Clips of a set above which it is not small, and not cross-validated: that would take longer than the training. */
const MOST_CLIPS = 1000;
/** Takes of a word below which a model is not to be trusted. */
const LEAST_TAKES = 10;
/** Words that are named one by one. */
const MOST_NAMED = 10;

/**
 * The split of a training that names none: of a small set nothing is for testing, as every take is worth more in the
 * training; else the official split where there is one, whose speakers or takes are known, else a fifth drawn at random,
 * but nothing of words with few clips.
 * A data set that says itself which clips are for testing is not taken for a small one.
 * @param tests whether a test part is wanted in any case
 */
export function defaultSplit(dataset: Dataset, tests: boolean): string {
  if (!tests && isSmall(dataset)) return 'none';
  try {
    splitDataset(dataset, 'official');
    return 'official';
  } catch {
    const counts = [...countByWord(dataset.clips).values()];
    const isMixed = Math.min(...counts) <= SMALL_WORD && Math.max(...counts) > SMALL_WORD;
    return !tests && isMixed ? `random:0.2:${SMALL_WORD}` : 'random:0.2';
  }
}

function isSmall({ clips }: Dataset): boolean {
  if (clips.length > MOST_CLIPS || clips.some(({ part }) => part !== undefined)) return false;
  return Math.min(...countByWord(clips).values()) <= SMALL_WORD;
}

function countByWord(clips: readonly Clip[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of clips) {
    if (label !== UNKNOWN_LABEL) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return counts;
}

/**
 * Splits for a training. A share for validation that was not asked for, and comes to fewer clips than calibrate
 * anything, is left to the training part, which is cross-validated instead.
 * @returns the split, and the options with the share that holds
 */
export function splitForTraining(
  dataset: Dataset,
  run: RunOptions,
  isGiven: boolean,
): { split: Split; run: RunOptions } {
  const splitWith = (options: RunOptions) => ({
    split: splitDataset(dataset, options.split, splitOptions(options)),
    run: options,
  });
  const isOwn = dataset.clips.some(({ part }) => part === 'validation');
  if (isGiven || isOwn || run.validation === 0 || run.calibrationFolds < 2) return splitWith(run);
  const without = { ...run, validation: 0 };
  const all = splitWith(without);
  if (all.split.train.length > MOST_CLIPS) return splitWith(run);
  // With one take of each word there is none to hold back.
  if (all.split.train.length <= LEAST_ANSWERS) return all;
  const found = splitWith(run);
  return found.split.validation.length < LEAST_ANSWERS ? all : found;
}

/**
 * What each fold of a cross-validation holds out: of the clips for training and validation, where those for validation
 * or for testing are too few.
 * @returns null where they are enough, none is wanted, the set is too large, or each word has one take
 * @throws SonospikeError ERR_SPLIT_INVALID where the model could not be tested at all
 */
export function chooseFolds(run: RunOptions, parts: Record<PartName, Part>, extra: number): Clip[][] | null {
  const own = takesOf(parts, extra);
  const isWanted = parts.test.clips.length === 0 || usedHashes(parts.validation).length < LEAST_ANSWERS;
  const folds =
    isWanted && own.length <= MOST_CLIPS ? divideTakes(own, run.calibrationFolds, run.seed) : null;
  if (folds !== null || parts.test.clips.length > 0) return folds;
  const why =
    own.length > MOST_CLIPS
      ? `${own.length} clips are too many for a cross-validation, which takes up to ${MOST_CLIPS}: name a split with a test part`
      : run.calibrationFolds < 2
        ? 'without a test part, calibrationFolds must be 2 or more'
        : 'each word has one take only, so that none can be held out. Record two or more of each';
  throw new SonospikeError('ERR_SPLIT_INVALID', `The model could not be tested: ${why}.`);
}

/** The clips of the dataset for training and validation that are used, with their hashes. */
export function takesOf({ train, validation }: Record<'train' | 'validation', Part>, extra: number) {
  const used = ({ clips, numbers, hashes }: Part, count: number) =>
    clips.slice(0, count).flatMap((clip, i) => (numbers[i]! < 0 ? [] : [{ clip, hash: hashes[i]! }]));
  return [...used(train, train.clips.length - extra), ...used(validation, validation.clips.length)];
}

/** Why a model of so few clips is not to be trusted, in whole sentences. */
export function aboutSize(words: readonly WordCount[], speakers: readonly string[]): string[] {
  const few = words.filter(({ word, train }) => word !== UNKNOWN_LABEL && train > 0 && train < LEAST_TAKES);
  const remarks: string[] = [];
  if (few.length > 0) {
    const named = few.slice(0, MOST_NAMED).map(({ word, train }) => `${word} (${train})`);
    const more = few.length > MOST_NAMED ? ` and ${few.length - MOST_NAMED} more` : '';
    remarks.push(
      `Few takes to train on: ${named.join(', ')}${more}. Below ${LEAST_TAKES} of a word neither the accuracy nor the ` +
        'threshold can be relied on; 20 or more are better.',
    );
  }
  if (speakers.length === 1) {
    remarks.push(
      `All takes are by one voice (${speakers[0]}): the accuracy tells nothing of other voices, which the model will ` +
        'recognise less well.',
    );
  }
  return remarks;
}
