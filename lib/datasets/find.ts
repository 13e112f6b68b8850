import { FORMAT_NAMES, foreignSound } from '../audio/formats/index.js';
import { SonospikeError } from '../support/errors.js';
import type { Clip, PartName } from './clip.js';
import { type Folder, othersBelow, soundsBelow } from './folder.js';
import { LAYOUTS, type LayoutName, layoutCalled } from './layouts/index.js';
import type { Found, Layout } from './layouts/layout.js';
import { partOf } from './layouts/part-names.js';
import { shareOfUsualWords } from './layouts/words.js';
import { compareCodePoints } from './names.js';
import type { SkipList } from './scan.js';

export interface Recognised {
  layout: LayoutName;
  clips: Clip[];
}

/**
 * The clips below a folder, and the layout in which they lie. Every file that is no clip goes onto `skips`.
 * @param asked the layout that the caller has named
 * @throws SonospikeError ERR_DATASET_EMPTY, ERR_DATASET_LAYOUT; under strict as `SkipList`
 */
export async function findClips(
  folder: Folder,
  asked: LayoutName | undefined,
  skips: SkipList,
): Promise<Recognised> {
  const sounds = soundsBelow(folder);
  if (sounds.length === 0) throw emptyError(folder);
  const recognised = await recognise(folder, asked);
  if (recognised === null) throw layoutError(folder, asked, sounds[0]!.path.slice(folder.path.length + 1));
  const { layout } = recognised;
  const found = withoutInventedSpeakers(recognised.found);
  noteLeftOut(folder, found, skips);
  return { layout, clips: withoutDuplicates(layoutCalled(layout), found, skips) };
}

interface InLayout {
  layout: LayoutName;
  found: Found;
}

async function recognise(folder: Folder, asked: LayoutName | undefined): Promise<InLayout | null> {
  const layouts = LAYOUTS.filter(({ name }) => asked === undefined || name === asked);
  const isAsked = asked !== undefined;
  const withLists = layouts.filter((layout: Layout) => layout.hasLists);
  const found = await firstOf(withLists, folder, isAsked);
  if (found) return found;
  const inParts = await recogniseParts(folder, asked);
  if (inParts) return inParts;
  const others = layouts.filter((layout: Layout) => !layout.hasLists);
  const below = onlyFolder(folder);
  const here = () => firstOf(others, folder, isAsked);
  const deeper = async () => below && recognise(below, asked);
  return isAsked ? ((await here()) ?? deeper()) : ((await deeper()) ?? here());
}

async function firstOf(
  layouts: readonly (typeof LAYOUTS)[number][],
  folder: Folder,
  asked: boolean,
): Promise<InLayout | null> {
  for (const layout of layouts) {
    const found = await (layout as Layout).find(folder, asked);
    if (found !== null && found.clips.length > 0) return { layout: layout.name, found };
  }
  return null;
}

/** Folders called train and test (and validation) are the parts of the data set's own split, not words. */
async function recogniseParts(folder: Folder, asked: LayoutName | undefined): Promise<InLayout | null> {
  const parts = folder.folders.flatMap((inner) => {
    const part = partOf(inner.name);
    return part === null || soundsBelow(inner).length === 0 ? [] : [{ inner, part }];
  });
  const names = new Set(parts.map(({ part }) => part));
  const inParts = parts.reduce((sum, { inner }) => sum + soundsBelow(inner).length, 0);
  const isSplit = names.has('train') && names.size > 1 && inParts === soundsBelow(folder).length;
  if (!isSplit) return null;
  const sorted = [...parts].sort((a, b) => Number(b.part === 'train') - Number(a.part === 'train'));
  const first = await recognise(sorted[0]!.inner, asked);
  if (first === null) return null;
  const all: Found = { ...first.found, clips: [], unfit: new Map(), aside: new Map(), read: new Set() };
  for (const { inner, part } of sorted) {
    const found =
      inner === sorted[0]!.inner ? first.found : await layoutCalled(first.layout).find(inner, true);
    if (found !== null) addPart(all, found, inner.name, part, layoutCalled(first.layout));
  }
  return { layout: first.layout, found: all };
}

function addPart(all: Found, found: Found, folder: string, part: PartName, layout: Layout): void {
  for (const clip of found.clips) {
    const key = `${folder}/${clip.key ?? layout.key(clip.found.path)}`.normalize('NFC');
    all.clips.push({ part, ...clip, key });
  }
  all.unfit = new Map([...all.unfit!, ...(found.unfit ?? [])]);
  all.aside = new Map([...all.aside!, ...(found.aside ?? [])]);
  all.read = new Set([...all.read!, ...(found.read ?? [])]);
}

/** Names of folders that say only that there are recordings in them. */
const CONTAINERS = /^(data|dataset|recordings?|audio|wavs?|clips|sounds?)$/i;

/** The folder that holds everything, where there is one and it is neither a word nor a speaker. */
function onlyFolder(folder: Folder): Folder | null {
  const [only, ...more] = folder.folders.filter((inner) => soundsBelow(inner).length > 0);
  if (only === undefined || more.length > 0 || folder.sounds.length > 0) return null;
  const isWord = shareOfUsualWords([only.name]) === 1;
  return (only.sounds.length === 0 && !isWord) || CONTAINERS.test(only.name) ? only : null;
}

/** What stands before the number in the name of every file is no speaker. */
function withoutInventedSpeakers(found: Found): Found {
  const speakers = new Set(found.clips.map(({ speaker }) => speaker));
  if (!found.guessesSpeakers || speakers.size > 1) return found;
  return { ...found, clips: found.clips.map((clip) => ({ ...clip, speaker: null })) };
}

/** Says of every file that is no clip why it is none. */
function noteLeftOut(folder: Folder, { clips, unfit, aside, read }: Found, skips: SkipList): void {
  const used = new Set(clips.map(({ found }) => found.path));
  for (const { path, name } of othersBelow(folder)) {
    if (!read?.has(path)) skips.stray(path, isKnownToHold(name));
  }
  for (const { path } of soundsBelow(folder)) {
    if (used.has(path)) continue;
    const reason = aside?.get(path);
    if (reason !== undefined) skips.stray(path, reason);
    else skips.clip(path, unfit?.get(path) ?? 'not where the other clips are');
  }
  noteEmptyFolders(folder, skips);
}

function noteEmptyFolders({ folders }: Folder, skips: SkipList): void {
  for (const inner of folders) {
    if (soundsBelow(inner).length === 0) skips.stray(inner.path, 'a folder without sound files');
    else noteEmptyFolders(inner, skips);
  }
}

/** Why a file is left out that is no sound file by its name. */
function isKnownToHold(name: string): string {
  const format = unreadFormat(name);
  return format === null ? 'not a sound file' : `${format}, which is not read`;
}

/** What a file's extension says that it holds, if that is sound or spikes which are not read; else null. */
function unreadFormat(name: string): string | null {
  return /\.(h5|hdf5)$/i.test(name) ? 'HDF5, as the spikes of SHD and SSC are' : foreignSound(name);
}

/** Drops the second way to a file, and the second file with the same label, speaker and index in the same part. */
export function withoutDuplicates(layout: Layout, { clips }: Found, skips: SkipList): Clip[] {
  const keyed = clips.map((clip) => ({ clip, key: clip.key ?? layout.key(clip.found.path) }));
  keyed.sort(
    (a, b) => compareCodePoints(a.key, b.key) || compareCodePoints(a.clip.found.path, b.clip.found.path),
  );
  const files = new Map<string, string>();
  const takes = new Map<string, string>();
  const kept: Clip[] = [];
  for (const { clip } of keyed) {
    const { found, label, speaker, index, part, key, piece } = clip;
    const isTake = speaker !== null && index !== null && piece === undefined;
    const take = isTake ? `${label}\0${speaker}\0${index}\0${part ?? ''}` : null;
    const file = piece === undefined ? found.real : `${found.real}\0${piece.start}`;
    const [sameFile, sameTake] = [files.get(file), take === null ? undefined : takes.get(take)];
    if (sameFile !== undefined) {
      skips.clip(found.path, `the same file as ${sameFile}`, 'ERR_DATASET_DUPLICATE');
    } else if (sameTake !== undefined) {
      skips.clip(found.path, `the same label, speaker and index as ${sameTake}`, 'ERR_DATASET_DUPLICATE');
    } else {
      files.set(file, found.path);
      if (take !== null) takes.set(take, found.path);
      kept.push({
        file: found.path,
        label,
        speaker,
        index,
        ...(part === undefined ? {} : { part }),
        ...(key === undefined ? {} : { key }),
        ...(piece === undefined ? {} : { piece }),
      });
    }
  }
  return kept;
}

function emptyError(folder: Folder): SonospikeError {
  const { path } = folder;
  const unread = othersBelow(folder).filter(({ name }) => unreadFormat(name) !== null);
  const first = unread[0];
  const there =
    first === undefined
      ? `Looked for ${examples()}.`
      : `There ${unread.length === 1 ? 'is 1 file' : `are ${unread.length} files`} of another format, such as ` +
        `${first.path.slice(path.length + 1)} (${unreadFormat(first.name)}), which is not read; ` +
        'convert sound to WAV, for example with: ffmpeg -i IN -ar 16000 -ac 1 OUT.wav';
  return new SonospikeError(
    'ERR_DATASET_EMPTY',
    `There is no sound that is read (${FORMAT_NAMES}) in ${path}. ${there}`,
    {
      file: path,
    },
  );
}

function layoutError({ path }: Folder, asked: LayoutName | undefined, example: string): SonospikeError {
  const why =
    asked === undefined
      ? 'do not say which word they hold. Put them into a folder for each word, name them label_speaker_index.wav, ' +
        'or list them in a .csv file'
      : `are not laid out as --layout ${asked} says: ${layoutCalled(asked).help}`;
  return new SonospikeError('ERR_DATASET_LAYOUT', `The sound files in ${path} (such as ${example}) ${why}.`, {
    file: path,
  });
}

function examples(): string {
  return LAYOUTS.map(({ name, example }) => `${example} (${name})`).join(', ');
}
