import { createHash } from 'node:crypto';
import type { Clip } from './clip.js';
import { clipKey } from './keys.js';
import type { LayoutName } from './layouts/index.js';

/** Names a list of clips, wherever the dataset lies and whichever of its folders was opened: a SHA-256. */
export function fingerprint(layout: LayoutName, clips: readonly Clip[]): string {
  const hash = createHash('sha256');
  for (const clip of clips) hash.update(`${clipKey(layout, clip)}\0${clip.label}\n`);
  return hash.digest('hex');
}
