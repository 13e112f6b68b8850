import type { Clip } from '../datasets/clip.js';
import type { SkippedFile } from '../datasets/dataset.js';
import { SonospikeError } from '../support/errors.js';

/** A part of the split. */
export interface Part {
  clips: Clip[];
  /** Numbers of the clips in the store; -1 for those left out. */
  numbers: number[];
  /** Hashes of the decoded clips; null for those that could not be read. */
  hashes: (number | null)[];
}

/**
 * Leaves copies of test clips out of the other parts, and copies of validation clips out of the training part: a copy
 * is a clip with the same samples, whatever its file. Sets their numbers to -1.
 * @returns the clips that were left out, and why
 * @throws SonospikeError ERR_DATASET_DUPLICATE under strict
 */
export function keepApart(
  parts: Record<'train' | 'validation' | 'test', Part>,
  strict: boolean,
): SkippedFile[] {
  const owners = new Map<number, { file: string; part: string }>();
  const left: SkippedFile[] = [];
  for (const name of ['test', 'validation', 'train'] as const) {
    const { clips, numbers, hashes } = parts[name];
    const own: [number, { file: string; part: string }][] = [];
    for (const [i, hash] of hashes.entries()) {
      if (hash === null || numbers[i]! < 0) continue;
      const { file } = clips[i]!;
      const owner = owners.get(hash);
      if (owner === undefined) {
        own.push([hash, { file, part: name }]);
        continue;
      }
      const reason = `left out of the ${name} part: the same sound as ${owner.file} of the ${owner.part} part`;
      if (strict) {
        const message = `Cannot use ${file}: it is the same sound as ${owner.file} of the ${owner.part} part.`;
        throw new SonospikeError('ERR_DATASET_DUPLICATE', message, { file });
      }
      numbers[i] = -1;
      left.push({ file, reason });
    }
    // Copies within one part stay.
    for (const [hash, owner] of own) if (!owners.has(hash)) owners.set(hash, owner);
  }
  return left;
}

/** The hashes of the clips of a part that were not left out. */
export function usedHashes({ numbers, hashes }: Part): number[] {
  return hashes.filter((hash, i): hash is number => hash !== null && numbers[i]! >= 0);
}
