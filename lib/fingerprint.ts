import { createHash } from 'node:crypto';
import { relative, sep } from 'node:path';
import type { Clip } from './datasets/index.js';

/** Names a list of clips: a SHA-256 over their paths below `directory` and their labels. */
export function fingerprint(directory: string, clips: readonly Clip[]): string {
  const hash = createHash('sha256');
  for (const { file, label } of clips) {
    hash.update(`${relative(directory, file).split(sep).join('/')}\0${label}\n`);
  }
  return hash.digest('hex');
}
