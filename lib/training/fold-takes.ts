import type { Clip } from '../datasets/clip.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { hash32 } from '../support/random.js';

/**
 * Divides takes into folds: the clips that each holds out, of every word as evenly as can be, and every clip once. Clips
 * with the same samples are in the same fold. A word that has one take is in no fold. The draw depends on the seed and
 * the samples, whatever the files are called.
 * @param count most folds; there are no more than a word has takes
 * @returns null where no word has two takes, or `count` is below 2
 */
export function divideTakes(
  clips: readonly { clip: Clip; hash: number }[],
  count: number,
  seed: number,
): Clip[][] | null {
  const words = new Map<string, Map<number, Clip[]>>();
  for (const { clip, hash } of clips) {
    const takes = words.get(clip.label) ?? new Map<number, Clip[]>();
    takes.set(hash, [...(takes.get(hash) ?? []), clip]);
    words.set(clip.label, takes);
  }
  const counts = [...words].filter(([label]) => label !== UNKNOWN_LABEL).map(([, takes]) => takes.size);
  const folds = Array.from({ length: Math.min(count, Math.max(...counts)) }, (): Clip[] => []);
  if (folds.length < 2) return null;
  // Words follow each other round the folds, so that these are of about the same size.
  let next = 0;
  for (const [label, takes] of words) {
    if (takes.size < 2) continue;
    const drawn = [...takes].map(([hash, same]) => ({
      same,
      key: hash32(`${seed}\0calibration\0${label}\0${hash}`),
      hash,
    }));
    drawn.sort((a, b) => a.key - b.key || a.hash - b.hash);
    for (const { same } of drawn) folds[next++ % folds.length]!.push(...same);
  }
  // With as few takes of some words as there are folds, one may have got no word.
  return folds.filter((held) => held.some(({ label }) => label !== UNKNOWN_LABEL));
}
