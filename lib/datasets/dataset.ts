import { choice, refuse, string } from '../support/options.js';
import { type Clip, requireClips } from './clip.js';
import { type LayoutName, layoutNames } from './layouts/index.js';

/** A file that was left out of a data set. */
export interface SkippedFile {
  /** Its path. */
  file: string;
  /** Why it was left out. */
  reason: string;
}

/** The clips of a data set, as `openDataset` lists them. */
export interface Dataset {
  /** Absolute path, as it was named. */
  directory: string;
  /** How the clips lie in the folder. */
  layout: LayoutName;
  /** Ordered by path, by code point, whatever the file system's order. */
  clips: Clip[];
  /** The words, without `_unknown_`: by value when all are whole numbers, else by code point. */
  labels: string[];
  /** Everybody whose name the files' names tell, by value or by code point as the labels. */
  speakers: string[];
  /** All files that are no clips, and why. */
  skipped: SkippedFile[];
}

/**
 * Checks that something is a data set, as `openDataset` gives it or a caller made it from that, and gives it back.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function requireDataset(value: unknown): Dataset {
  if (typeof value !== 'object' || value === null || !Array.isArray((value as Dataset).clips)) {
    throw refuse(value, 'the dataset', 'what openDataset gives');
  }
  const { directory, layout, clips, labels, speakers, skipped } = value as Record<keyof Dataset, unknown>;
  string(directory, 'the directory of the dataset');
  choice(layout, 'the layout of the dataset', layoutNames);
  requireClips(clips, 'clips');
  for (const [name, list] of Object.entries({ labels, speakers })) {
    const isNames = Array.isArray(list) && list.every((each) => typeof each === 'string');
    if (!isNames) throw refuse(list, `${name} of the dataset`, 'an array of strings');
  }
  if (!Array.isArray(skipped)) throw refuse(skipped, 'skipped of the dataset', 'an array');
  return value as Dataset;
}
