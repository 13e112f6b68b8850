import type { Clip } from '../datasets/clip.js';
import type { ClipResult } from './clip-results.js';

/** What is known of the tested clips that the model was trained on. */
export interface Seen {
  /**
   * How many of the clips the model was trained on: clips with the same samples, whatever their files. That part of
   * the accuracy is no test. null where the model's file does not tell.
   */
  seenInTraining: number | null;
  /** The accuracy on the other clips; null where there are none, or where that is not known. */
  unseen: { clips: number; accuracy: number } | null;
}

/** The hash of every file that could be read. */
export function hashesByFile(
  clips: readonly Clip[],
  hashes: readonly (number | null)[],
): ReadonlyMap<string, number> {
  return new Map(clips.flatMap(({ file }, i) => (hashes[i] == null ? [] : [[file, hashes[i]!] as const])));
}

/** Marks and counts the clips whose samples the model was trained on. */
export function countSeen(
  predictions: readonly ClipResult[],
  hashes: ReadonlyMap<string, number>,
  trained: ReadonlySet<number | null>,
): Seen {
  return countWhere(predictions, ({ file }) => trained.has(hashes.get(file) ?? null));
}

/** Marks and counts the clips for which `wasSeen` holds. */
export function countWhere(predictions: readonly ClipResult[], wasSeen: (of: ClipResult) => boolean): Seen {
  for (const prediction of predictions) prediction.seenInTraining = wasSeen(prediction);
  const others = predictions.filter(({ seenInTraining }) => !seenInTraining);
  const right = others.filter(({ label, predicted }) => label === predicted).length;
  return {
    seenInTraining: predictions.length - others.length,
    unseen: others.length === 0 ? null : { clips: others.length, accuracy: right / others.length },
  };
}
