import { resolve } from 'node:path';
import { SonospikeError } from '../support/errors.js';
import { abortSignal, choice, flag, optionsObject, refuse } from '../support/options.js';
import { type Dataset, requireDataset } from './dataset.js';
import { findClips } from './find.js';
import { type LayoutName, layoutNames } from './layouts/index.js';
import { sortedNames, UNKNOWN_LABEL } from './names.js';
import { Scanner, SkipList } from './scan.js';

export type { Dataset } from './dataset.js';

/** What `openDataset` takes beside the folder. */
export interface OpenOptions {
  /** Makes a sound file that cannot be used, a duplicate or an unreadable folder an error (default: false). */
  strict?: boolean;
  /** How the clips lie in the folder (default: recognised). */
  layout?: LayoutName;
  /** Stops the search with ERR_ABORTED. */
  signal?: AbortSignal;
}

/** `openDataset` of index.ts. */
export async function openDataset(directory: string, options?: OpenOptions): Promise<Dataset> {
  if (typeof directory !== 'string' || directory === '') {
    throw refuse(directory, 'the dataset', 'the path of a directory');
  }
  const { strict, layout: asked, signal } = optionsObject(options, 'options', OPEN_KEYS);
  const path = resolve(directory);
  const skips = new SkipList(flag(strict, 'strict'));
  const folder = await new Scanner(skips, abortSignal(signal, 'signal')).scan(path);
  const { layout, clips } = await findClips(folder, checkLayout(asked), skips);
  const labels = sortedNames(clips.map((clip) => clip.label).filter((label) => label !== UNKNOWN_LABEL));
  if (labels.length === 1) {
    const message =
      `All ${clips.length} clips in ${path} are of one word, "${labels[0]}". ` +
      'Telling words apart takes at least two; is it the folder above that was meant?';
    throw new SonospikeError('ERR_DATASET_ONE_CLASS', message, { file: path });
  }
  const speakers = sortedNames(clips.flatMap((clip) => clip.speaker ?? []));
  return { directory: path, layout, clips, labels, speakers, skipped: skips.listed };
}

const OPEN_KEYS = ['strict', 'layout', 'signal'] as const satisfies (keyof OpenOptions)[];

function checkLayout(value: unknown): LayoutName | undefined {
  return value === undefined ? undefined : choice(value, 'layout', layoutNames);
}

/**
 * The layout in which `openDataset` would read a folder; null where it has no clips yet, or where that is ambiguous.
 * @throws SonospikeError ERR_FILE_UNREADABLE
 */
export async function layoutOf(directory: string): Promise<LayoutName | null> {
  const skips = new SkipList(false);
  try {
    const folder = await new Scanner(skips, undefined).scan(resolve(directory));
    return (await findClips(folder, undefined, skips)).layout;
  } catch (error) {
    const none = ['ERR_FILE_NOT_FOUND', 'ERR_DATASET_EMPTY', 'ERR_DATASET_LAYOUT'];
    if (error instanceof SonospikeError && none.includes(error.code)) return null;
    throw error;
  }
}

/** @internal A data set, opened if need be. */
export async function resolveDataset(
  data: string | Dataset,
  options: { strict: boolean; layout?: LayoutName | undefined; signal?: AbortSignal | undefined },
): Promise<Dataset> {
  if (typeof data !== 'string') return requireDataset(data);
  const { strict, layout, signal } = options;
  return openDataset(data, { strict, ...(layout ? { layout } : {}), ...(signal ? { signal } : {}) });
}
