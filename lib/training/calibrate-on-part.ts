import type { Clip } from '../datasets/clip.js';
import { evaluateNumbers, type RunOver } from '../evaluation/clip-results.js';
import type { NativeFeatureStore } from '../native/addon.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import { type Answer, calibrate, LEAST_ANSWERS } from './calibrate.js';

/**
 * Times that every clip is answered with what augments it drawn anew. The voices of the validation part may be those
 * that were trained on; changed, they stand for others.
 */
export const DRAWS = 4;

/**
 * Calibrates the model of a store on a part of its clips: as they are and, where the training augments its clips,
 * changed in the same way.
 * @param part clips and their numbers in the store, -1 for those left out
 * @returns null where there are fewer than 20 of them
 */
export async function calibrateOnPart(
  store: NativeFeatureStore,
  part: { clips: readonly Clip[]; numbers: readonly number[] },
  labels: readonly string[],
  rejectRate: number,
  over: RunOver,
): Promise<ConfidenceSettings | null> {
  const { augmentation, ...plain } = over;
  const used = [...part.numbers.keys()].filter((i) => part.numbers[i]! >= 0);
  // Changed clips are no further ones: the draws of a few would pass for many.
  if (used.length < LEAST_ANSWERS) return null;
  const clips = Int32Array.from(used, (i) => part.numbers[i]!);
  const runs: RunOver[] = [plain];
  for (let draw = 0; augmentation && draw < DRAWS; draw++) runs.push({ ...over, seed: draw });
  const answers: Answer[] = [];
  for (const run of runs) {
    const { predictions } = await evaluateNumbers(store, clips, run);
    for (const [i, { probabilities, best }] of predictions.entries()) {
      answers.push({ probabilities, best, right: labels[best] === part.clips[used[i]!]!.label });
    }
  }
  return calibrate(answers, rejectRate);
}
