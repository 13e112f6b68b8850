import { relative, sep } from 'node:path';
import { type Folder, soundsBelow } from '../folder.js';
import { parseNumbered } from '../names.js';
import { folderAndName, isNumber, wordInName } from './folders.js';
import type { Found, FoundClip, Layout } from './layout.js';
import { shareOfUsualWords } from './words.js';

/** A folder for each speaker, in it a folder for each word or files that are named after the word. */
export const speakers = {
  name: 'speakers',
  help: 'a folder for each speaker, in it a folder for each word, or files word_index.wav',
  example: 'anna/seven/3.wav',
  find,
  key: folderAndName,
} as const satisfies Layout;

function find(folder: Folder, asked: boolean): Found | null {
  const outer = folder.folders.filter((each) => soundsBelow(each).length > 0);
  if (outer.length === 0 || (!asked && !isOfSpeakers(outer))) return null;
  const clips = outer.flatMap((speaker) => [
    ...speaker.sounds.map((found) => clipOf(speaker, wordInName(found.name), found)),
    ...speaker.folders.flatMap((word) =>
      soundsBelow(word).map((found) => clipOf(speaker, word.name.normalize('NFC'), found)),
    ),
  ]);
  return {
    clips,
    unfit: new Map(folder.sounds.map(({ path }) => [path, 'not in the folder of a speaker'])),
  };
}

/** Folders of usual words within folders that are called otherwise. */
function isOfSpeakers(outer: readonly Folder[]): boolean {
  if (outer.length < 2 || outer.some(({ sounds }) => sounds.length > 0)) return false;
  const inner = outer.flatMap((each) => each.folders.filter((deeper) => soundsBelow(deeper).length > 0));
  const names = inner.map(({ name }) => name);
  // Folders that are called 1 and 2 may as well be numbered sessions.
  return (
    shareOfUsualWords(names) === 1 &&
    !names.every(isNumber) &&
    shareOfUsualWords(outer.map(({ name }) => name)) === 0
  );
}

function clipOf(speaker: Folder, label: string, found: FoundClip['found']): FoundClip {
  const key = `${speaker.name}/${relative(speaker.path, found.path).split(sep).join('/')}`.normalize('NFC');
  const index = parseNumbered(found.name)?.index ?? null;
  return { label, speaker: speaker.name.normalize('NFC'), index, found, key };
}
