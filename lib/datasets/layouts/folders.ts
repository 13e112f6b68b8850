import { basename, dirname, relative, sep } from 'node:path';
import { type Folder, soundsBelow } from '../folder.js';
import { parseNumbered, stem } from '../names.js';
import { ambiguousLayout, type Found, type FoundClip, type Layout } from './layout.js';
import { shareOfUsualWords, someOf } from './words.js';

const NOISE = '_background_noise_';

/** A folder for each word. */
export const folders = {
  name: 'folders',
  help: 'a folder for each word, named after it; in it any files or folders',
  example: 'seven/any-name.wav',
  find,
  key: folderAndName,
} as const satisfies Layout;

/** The name of a file with that of its folder, in Unicode NFC. */
export function folderAndName(file: string): string {
  return `${basename(dirname(file))}/${basename(file)}`.normalize('NFC');
}

function find(folder: Folder, asked: boolean): Found | null {
  const words = folder.folders.filter((inner) => inner.name !== NOISE && soundsBelow(inner).length > 0);
  if (words.length === 0) return null;
  if (!asked) {
    if (soundsBelow(folder).length - folder.sounds.length < folder.sounds.length) return null;
    if (words.every(({ sounds }) => sounds.length === 0)) requireWordsOutside(folder.path, words);
    else requireNoWordsInNames(folder.path, words);
  }
  // Folders within folders are those of speakers where no word has files of its own beside them.
  const bySpeaker = words.every(({ sounds }) => sounds.length === 0);
  const clips = words.flatMap((word) => clipsOf(word, bySpeaker));
  const noise = folder.folders.find(({ name }) => name === NOISE);
  return {
    clips,
    guessesSpeakers: !bySpeaker,
    unfit: new Map(folder.sounds.map(({ path }) => [path, 'not in the folder of a word or speaker'])),
    aside: new Map(
      (noise ? soundsBelow(noise) : []).map(({ path }) => [path, 'background noise, not a word']),
    ),
  };
}

function clipsOf(word: Folder, bySpeaker: boolean): FoundClip[] {
  const label = word.name.normalize('NFC');
  const direct = word.sounds.map((found): FoundClip => ({ ...parseInWordFolder(found.name, label), found }));
  const deeper = word.folders.flatMap((inner) =>
    soundsBelow(inner).map((found): FoundClip => {
      const parsed = parseInWordFolder(found.name, label);
      const key = `${label}/${relative(word.path, found.path).split(sep).join('/')}`.normalize('NFC');
      const speaker = bySpeaker ? inner.name.normalize('NFC') : parsed.speaker;
      return { ...parsed, speaker, found, key };
    }),
  );
  return [...direct, ...deeper];
}

/**
 * Any name in a folder named after the word. The speaker and index are known where the name is `speaker_index.wav`,
 * `label_speaker_index.wav`, `speaker_label_index.wav` or, as in Speech Commands, `speaker_nohash_index.wav`.
 */
function parseInWordFolder(name: string, label: string): Omit<FoundClip, 'found'> {
  const numbered = parseNumbered(name);
  if (numbered === null) return { label, speaker: null, index: null };
  const { text, index } = numbered;
  // In the Multilingual Spoken Words Corpus the number is that of a recording in Common Voice.
  if (/^common_voice_[a-z]{2,3}(-[a-z]+)*$/i.test(text)) return { label, speaker: null, index: null };
  let speaker: string | null = text.replace(/_nohash$/, '');
  if (speaker === label) speaker = null;
  else if (speaker.startsWith(`${label}_`)) speaker = speaker.slice(label.length + 1);
  else if (speaker.endsWith(`_${label}`)) speaker = speaker.slice(0, -label.length - 1);
  return { label, speaker, index };
}

/** With two levels of folders either can be the word. */
function requireWordsOutside(path: string, outer: readonly Folder[]): void {
  const inner = outer.flatMap((folder) => folder.folders.filter((each) => soundsBelow(each).length > 0));
  const names = { outer: outer.map(({ name }) => name), inner: inner.map(({ name }) => name) };
  if (shareOfUsualWords(names.outer) > shareOfUsualWords(names.inner)) return;
  throw ambiguousLayout(
    path,
    'there are folders within its folders, and either can be named after the word',
    [
      { layout: 'folders', meaning: `the words are ${someOf(names.outer)}` },
      { layout: 'speakers', meaning: `the words are ${someOf(names.inner)}` },
    ],
  );
}

/** `anna/yes_0.wav` would be read as the word anna. */
function requireNoWordsInNames(path: string, words: readonly Folder[]): void {
  const named = words.flatMap(({ sounds }) => sounds.map(({ name }) => wordInName(name)));
  const folderNames = words.map(({ name }) => name);
  // Files that are called 0.wav, 1.wav are numbered.
  if (
    named.some(isNumber) ||
    new Set(named).size < 2 ||
    shareOfUsualWords(named) < 1 ||
    shareOfUsualWords(folderNames) > 0
  )
    return;
  throw ambiguousLayout(path, 'its files are named after usual words, and its folders are not', [
    { layout: 'speakers', meaning: `the words are ${someOf(named)}` },
    { layout: 'folders', meaning: `the words are ${someOf(folderNames)}` },
  ]);
}

export function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

/** `yes` of `yes_0.wav`, `yes-3.wav`, `yes.wav`. */
export function wordInName(name: string): string {
  return stem(name).replace(/[ _-]*\d+$/, '') || stem(name);
}
