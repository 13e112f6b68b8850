import { evaluateNumbers, type RunOver } from '../clip-results.js';
import type { Clip } from '../datasets/index.js';
import type { NativeFeatureStore } from '../native.js';
import { calibrate } from './calibrate.js';
import type { ConfidenceSettings } from './confidence.js';

/**
 * Calibrates the model of a store on a part of its clips.
 * @param part clips and their numbers in the store, -1 for those left out
 * @returns null where there are too few of them
 */
export async function calibrateOnPart(
  store: NativeFeatureStore,
  part: { clips: readonly Clip[]; numbers: readonly number[] },
  labels: readonly string[],
  rejectRate: number,
  over: RunOver,
): Promise<ConfidenceSettings | null> {
  const used = [...part.numbers.keys()].filter((i) => part.numbers[i]! >= 0);
  if (used.length === 0) return null;
  const { predictions } = await evaluateNumbers(
    store,
    Int32Array.from(used, (i) => part.numbers[i]!),
    over,
  );
  const answers = predictions.map(({ probabilities, best }, i) => ({
    probabilities,
    best,
    right: labels[best] === part.clips[used[i]!]!.label,
  }));
  return calibrate(answers, rejectRate);
}
