import { createHash } from 'node:crypto';
import type { Clip, Dataset } from './index.js';
import { clipKey } from './names.js';

/** Names a list of clips, wherever the dataset lies and whichever of its folders was opened: a SHA-256. */
export function fingerprint(layout: Dataset['layout'], clips: readonly Clip[]): string {
  const hash = createHash('sha256');
  for (const { file, label } of clips) hash.update(`${clipKey(layout, file)}\0${label}\n`);
  return hash.digest('hex');
}
