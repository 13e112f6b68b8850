import type { Clip } from './clip.js';
import { type LayoutName, layoutCalled } from './layouts/index.js';

/**
 * A clip's name within its data set, the same wherever the data set lies and whichever of its folders was opened.
 * Splits are drawn by it, and models record it.
 */
export function clipKey(layout: LayoutName, { file, key }: Pick<Clip, 'file' | 'key'>): string {
  return key ?? layoutCalled(layout).key(file);
}
