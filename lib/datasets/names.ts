import { basename, dirname } from 'node:path';

/** What a file's name says about a clip. */
export interface ClipName {
  label: string;
  speaker: string | null;
  index: number | null;
}

/** The label of clips that are none of the words, as in Speech Commands: it is not among the labels of a dataset. */
export const UNKNOWN_LABEL = '_unknown_';

const EXTENSION = /\.wav$/i;
const NUMBERED = /^(.+)_(\d{1,9})$/u;
const FLAT = /^(_unknown_|[^_]+)_(.+)_(\d{1,9})$/u;

export function isWav(name: string): boolean {
  return EXTENSION.test(name);
}

/** `label_speaker_index.wav` (`_unknown__speaker_index.wav`), as in the Free Spoken Digit Dataset; null if the name is not of this form. */
export function parseFlat(name: string): ClipName | null {
  const match = FLAT.exec(stem(name));
  return match && { label: match[1]!, speaker: match[2]!, index: Number(match[3]) };
}

/** `label_speaker_index.wav` in a folder named after the speaker, as in AudioMNIST. */
export function parseInSpeakerFolder(name: string, folder: string): ClipName | null {
  const match = NUMBERED.exec(stem(name));
  const speaker = folder.normalize('NFC');
  const ending = `_${speaker}`;
  if (match === null || !match[1]!.endsWith(ending)) return null;
  const label = match[1]!.slice(0, -ending.length);
  return label === '' ? null : { label, speaker, index: Number(match[2]) };
}

/**
 * Any name in a folder named after the word. The speaker and index are known where the name is
 * `speaker_index.wav`, `label_speaker_index.wav` or, as in Speech Commands, `speaker_nohash_index.wav`.
 */
export function parseInWordFolder(name: string, folder: string): ClipName {
  const label = folder.normalize('NFC');
  const match = NUMBERED.exec(stem(name));
  if (match === null) return { label, speaker: null, index: null };
  let speaker: string | null = match[1]!.replace(/_nohash$/, '');
  if (speaker === label) speaker = null;
  else if (speaker.startsWith(`${label}_`)) speaker = speaker.slice(label.length + 1);
  return { label, speaker, index: Number(match[2]) };
}

function stem(name: string): string {
  return name.replace(EXTENSION, '').normalize('NFC');
}

/**
 * A clip's name within its dataset, the same wherever the dataset lies and whichever of its folders was opened:
 * the file's name, with the folder where folders mean something.
 */
export function clipKey(layout: 'audiomnist' | 'fsdd' | 'folders', file: string): string {
  const name = basename(file);
  return (layout === 'fsdd' ? name : `${basename(dirname(file))}/${name}`).normalize('NFC');
}

/** Labels or speakers without repetition: by value when all are whole numbers, else by code point. */
export function sortedNames(names: Iterable<string>): string[] {
  const unique = [...new Set(names)].sort(compareCodePoints);
  // The sort is stable, so that "07" and "7" keep the order of their code points.
  if (unique.every((name) => /^\d+$/.test(name))) unique.sort((a, b) => Number(a) - Number(b));
  return unique;
}

/** Order by code points, which no locale changes. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = codeUnitRank(a.charCodeAt(i)) - codeUnitRank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, but lie below U+E000 as UTF-16 units. */
function codeUnitRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
