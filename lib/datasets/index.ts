import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SonospikeError } from '../support/errors.js';
import { abortSignal, array, choice, flag, optionsObject, refuse, string } from '../support/options.js';
import { type Dataset, requireDataset } from './dataset.js';
import { findClips, withoutDuplicates } from './find.js';
import { keepWords } from './keep-words.js';
import { type LayoutName, layoutCalled, layoutNames } from './layouts/index.js';
import { findListed } from './listed.js';
import { sortedNames, UNKNOWN_LABEL } from './names.js';
import { Scanner, SkipList } from './scan.js';
import { LIST_FILE } from './table.js';

export type { Dataset } from './dataset.js';

/** What `openDataset` takes beside the folder. */
export interface OpenOptions {
  /** Makes a sound file that cannot be used, a duplicate or an unreadable folder an error (default: false). */
  strict?: boolean;
  /** How the clips lie in the folder (default: recognised). */
  layout?: LayoutName;
  /**
   * The words; clips of other words become `_unknown_`, and as many of them are kept as a tenth of the clips of the
   * words in each part, and as many that were `_unknown_` before. With the ten commands of Speech Commands (yes, no, up, down, left, right, on, off,
   * stop, go) that is its task of 12 classes, with its shares of other words and of silence (default: all words).
   */
  words?: readonly string[];
  /** Stops the search with ERR_ABORTED. */
  signal?: AbortSignal;
}

/** `openDataset` of index.ts. */
export async function openDataset(directory: string, options?: OpenOptions): Promise<Dataset> {
  if (typeof directory !== 'string' || directory === '') {
    throw refuse(directory, 'the dataset', 'the path of a directory');
  }
  const { strict, layout: asked, words, signal } = optionsObject(options, 'options', OPEN_KEYS);
  const path = resolve(directory);
  const skips = new SkipList(flag(strict, 'strict'));
  const { layout, clips: all } = await findAll(
    path,
    checkLayout(asked),
    skips,
    abortSignal(signal, 'signal'),
  );
  const clips = words === undefined ? all : keepWords(layout, all, checkWords(words), path, skips);
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

const OPEN_KEYS = ['strict', 'layout', 'words', 'signal'] as const satisfies (keyof OpenOptions)[];

async function findAll(
  path: string,
  asked: LayoutName | undefined,
  skips: SkipList,
  signal: AbortSignal | undefined,
) {
  const isFile = await stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
  if (isFile && LIST_FILE.test(path) && (asked ?? 'list') === 'list') {
    const clips = await findListed(path, skips, signal);
    return { layout: 'list' as const, clips: withoutDuplicates(layoutCalled('list'), { clips }, skips) };
  }
  const folder = await new Scanner(skips, signal).scan(path);
  return findClips(folder, asked, skips);
}

function checkWords(value: unknown): string[] {
  return array(value, 'words', 2, 10_000).map((word, i) => string(word, `words[${i}]`).normalize('NFC'));
}

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
