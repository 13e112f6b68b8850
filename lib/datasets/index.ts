import { resolve } from 'node:path';
import { SonospikeError } from '../support/errors.js';
import { abortSignal, choice, flag, optionsObject, refuse, string } from '../support/options.js';
import {
  type ClipName,
  clipKey,
  compareCodePoints,
  parseFlat,
  parseInSpeakerFolder,
  parseInWordFolder,
  sortedNames,
  UNKNOWN_LABEL,
} from './names.js';
import { type Folder, type FoundFile, Scanner, SkipList, type SkippedFile } from './scan.js';

const LAYOUTS = ['audiomnist', 'fsdd', 'folders'] as const;

/** One recording of one word. */
export interface Clip {
  /** Absolute path of the WAV. */
  file: string;
  /** `_unknown_`: none of the words. */
  label: string;
  /** null where the file's name does not say. */
  speaker: string | null;
  /** The number of the take, null where the file's name does not say. */
  index: number | null;
}

export interface Dataset {
  /** Absolute path, as it was named. */
  directory: string;
  layout: (typeof LAYOUTS)[number];
  /** Ordered by path, by code point, whatever the file system's order. */
  clips: Clip[];
  /** The words, without `_unknown_`: by value when all are whole numbers, else by code point. */
  labels: string[];
  speakers: string[];
  /** Files that are no clips, and why; at most 1,001. */
  skipped: SkippedFile[];
}

export interface OpenOptions {
  /** Makes a WAV that cannot be used, a duplicate or an unreadable folder an error. */
  strict?: boolean;
  signal?: AbortSignal;
}

/** `openDataset` of index.ts. */
export async function openDataset(directory: string, options?: OpenOptions): Promise<Dataset> {
  if (typeof directory !== 'string' || directory === '') {
    throw refuse(directory, 'the dataset', 'the path of a directory');
  }
  const { strict, signal } = optionsObject(options, 'options', ['strict', 'signal']);
  const path = resolve(directory);
  const skips = new SkipList(flag(strict, 'strict'));
  const { layout, candidates } = await findClips(
    path,
    new Scanner(skips, abortSignal(signal, 'signal')),
    skips,
  );
  const clips = withoutDuplicates(layout, candidates, skips);
  const labels = sortedNames(clips.map((clip) => clip.label).filter((label) => label !== UNKNOWN_LABEL));
  if (labels.length === 1) {
    const message =
      `All ${clips.length} clips in ${path} are of one word, "${labels[0]}". ` +
      'Telling words apart takes at least two; is it the folder above that was meant?';
    throw new SonospikeError('ERR_DATASET_ONE_CLASS', message, { file: path });
  }
  const speakers = sortedNames(clips.flatMap((clip) => clip.speaker ?? []));
  return { directory: path, layout, clips, labels, speakers, skipped: skips.list(path) };
}

/**
 * The layout in which `openDataset` would read a folder; null where it has no clips yet.
 * @throws SonospikeError ERR_FILE_UNREADABLE
 */
export async function layoutOf(directory: string): Promise<Dataset['layout'] | null> {
  const skips = new SkipList(false);
  try {
    return (await findClips(resolve(directory), new Scanner(skips, undefined), skips)).layout;
  } catch (error) {
    const none = ['ERR_FILE_NOT_FOUND', 'ERR_DATASET_EMPTY', 'ERR_DATASET_LAYOUT'];
    if (error instanceof SonospikeError && none.includes(error.code)) return null;
    throw error;
  }
}

/**
 * Checks that something is a dataset, as `openDataset` gives it or a caller made it from that, and gives it back.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function requireDataset(value: unknown): Dataset {
  if (typeof value !== 'object' || value === null || !Array.isArray((value as Dataset).clips)) {
    throw refuse(value, 'the dataset', 'what openDataset gives');
  }
  const { directory, layout, clips, labels, speakers, skipped } = value as Record<keyof Dataset, unknown>;
  string(directory, 'the directory of the dataset');
  choice(layout, 'the layout of the dataset', LAYOUTS);
  requireClips(clips, 'clips');
  for (const [name, list] of Object.entries({ labels, speakers })) {
    const isNames = Array.isArray(list) && list.every((each) => typeof each === 'string');
    if (!isNames) throw refuse(list, `${name} of the dataset`, 'an array of strings');
  }
  if (!Array.isArray(skipped)) throw refuse(skipped, 'skipped of the dataset', 'an array');
  return value as Dataset;
}

/**
 * Checks an array of clips.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function requireClips(value: unknown, name: string): Clip[] {
  if (!Array.isArray(value)) throw refuse(value, name, 'an array of clips');
  const wrong = value.findIndex((clip) => !isClip(clip));
  if (wrong < 0) return value;
  throw refuse(value[wrong], `${name}[${wrong}]`, 'a clip: { file, label, speaker, index }');
}

function isClip(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { file, label, speaker, index } = value as Record<keyof Clip, unknown>;
  return (
    typeof file === 'string' &&
    typeof label === 'string' &&
    (speaker === null || typeof speaker === 'string') &&
    (index === null || Number.isSafeInteger(index))
  );
}

interface Candidate extends ClipName {
  found: FoundFile;
}

interface Candidates {
  layout: Dataset['layout'];
  candidates: Candidate[];
}

async function findClips(path: string, scanner: Scanner, skips: SkipList): Promise<Candidates> {
  const root = await clipRoot(await scanner.openRoot(path), scanner, skips);
  const folders: Folder[] = [];
  for (const subfolder of root.folders) {
    const folder = subfolder.name === '_background_noise_' ? null : await scanner.open(subfolder);
    if (folder !== null) folders.push(folder);
    else if (subfolder.name === '_background_noise_')
      skips.stray(subfolder.path, 'background noise, not a word');
  }
  const nested = folders.reduce((count, folder) => count + folder.wavs.length, 0);
  if (root.wavs.length + nested === 0) throw emptyError(path);
  const flat = root.wavs.filter((wav) => parseFlat(wav.name) !== null).length;
  const found = flat > nested ? fromFlat(root, folders, skips) : fromFolders(root, folders, skips);
  if (found.candidates.length === 0) throw layoutError(path, root.wavs[0] ?? folders[0]!.wavs[0]!);
  return found;
}

/** The folder that holds the clips or their folders: the one that was named, its `recordings` or its `data`. */
async function clipRoot(named: Folder, scanner: Scanner, skips: SkipList): Promise<Folder> {
  for (const name of ['recordings', 'data']) {
    const entry = named.folders.find((folder) => folder.name === name);
    const inner = entry && (await scanner.open(entry));
    if (!inner) continue;
    const holdsClips =
      name === 'recordings'
        ? inner.wavs.some((wav) => parseFlat(wav.name) !== null)
        : inner.wavs.length === 0 && inner.folders.length > 0;
    if (!holdsClips) continue;
    for (const wav of named.wavs) skips.clip(wav.path, `not in the folder ${name} with the other clips`);
    for (const other of named.folders) {
      if (other !== entry) skips.stray(other.path, `not the folder with the clips, which is ${name}`);
    }
    return inner;
  }
  return named;
}

function fromFlat(root: Folder, folders: Folder[], skips: SkipList): Candidates {
  for (const folder of folders) skips.stray(folder.path, 'a folder beside the clips');
  const candidates = root.wavs.flatMap((found) => {
    const parsed = parseFlat(found.name);
    if (parsed !== null) return { ...parsed, found };
    skips.clip(found.path, 'its name is not label_speaker_index.wav');
    return [];
  });
  return { layout: 'fsdd', candidates };
}

function fromFolders(root: Folder, folders: Folder[], skips: SkipList): Candidates {
  for (const wav of root.wavs) skips.clip(wav.path, 'not in the folder of a word or speaker');
  for (const folder of folders) {
    if (folder.wavs.length === 0) skips.stray(folder.path, 'a folder without WAV files');
    for (const deeper of folder.folders) skips.stray(deeper.path, 'a folder too deep');
  }
  const files = folders.flatMap((folder) => folder.wavs.map((found) => ({ found, folder: folder.name })));
  const inSpeakers = files.filter(({ found, folder }) => parseInSpeakerFolder(found.name, folder)).length;
  // One misnamed recording must not turn a dataset of speakers into one of words.
  const layout = inSpeakers * 2 > files.length ? 'audiomnist' : 'folders';
  const parse = layout === 'audiomnist' ? parseInSpeakerFolder : parseInWordFolder;
  const candidates = files.flatMap(({ found, folder }) => {
    const parsed = parse(found.name, folder);
    if (parsed !== null) return { ...parsed, found };
    skips.clip(found.path, `its name is not label_${folder}_index.wav`);
    return [];
  });
  return { layout, candidates };
}

/** Drops the second way to a file, and the second file with the same label, speaker and index. */
function withoutDuplicates(layout: Dataset['layout'], candidates: Candidate[], skips: SkipList): Clip[] {
  const keyed = candidates.map((candidate) => ({ candidate, key: clipKey(layout, candidate.found.path) }));
  keyed.sort(
    (a, b) =>
      compareCodePoints(a.key, b.key) || compareCodePoints(a.candidate.found.path, b.candidate.found.path),
  );
  const files = new Map<string, string>();
  const takes = new Map<string, string>();
  const clips: Clip[] = [];
  for (const { candidate } of keyed) {
    const { found, label, speaker, index } = candidate;
    const take = speaker === null || index === null ? found.real : JSON.stringify([label, speaker, index]);
    const [sameFile, sameTake] = [files.get(found.real), takes.get(take)];
    if (sameFile !== undefined) {
      skips.clip(found.path, `the same file as ${sameFile}`, 'ERR_DATASET_DUPLICATE');
    } else if (sameTake !== undefined) {
      skips.clip(found.path, `the same label, speaker and index as ${sameTake}`, 'ERR_DATASET_DUPLICATE');
    } else {
      files.set(found.real, found.path);
      takes.set(take, found.path);
      clips.push({ file: found.path, label, speaker, index });
    }
  }
  return clips;
}

function emptyError(path: string): SonospikeError {
  const message =
    `There are no WAV files in ${path}. Looked for recordings/7_jackson_3.wav (FSDD), data/01/7_01_3.wav ` +
    '(AudioMNIST) and a folder for each word, such as seven/any-name.wav.';
  return new SonospikeError('ERR_DATASET_EMPTY', message, { file: path });
}

function layoutError(path: string, example: FoundFile): SonospikeError {
  const message =
    `The WAV files in ${path} (such as ${example.name}) do not say which word they hold. Put them into a folder ` +
    'for each word, or name them label_speaker_index.wav.';
  return new SonospikeError('ERR_DATASET_LAYOUT', message, { file: path });
}

/** @internal A dataset, opened if need be. */
export async function resolveDataset(
  data: string | Dataset,
  strict: boolean,
  signal?: AbortSignal,
): Promise<Dataset> {
  if (typeof data !== 'string') return requireDataset(data);
  return openDataset(data, signal ? { strict, signal } : { strict });
}
