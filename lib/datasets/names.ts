/** What a file's name says about a clip. */
export interface ClipName {
  label: string;
  speaker: string | null;
  index: number | null;
}

/** The label of clips that are none of the words, as in Speech Commands: it is not among the labels of a dataset. */
export const UNKNOWN_LABEL = '_unknown_';

const EXTENSION = /\.[a-z0-9]{1,5}$/i;
const NUMBERED = /^(.+)_(\d{1,9})$/u;
const FLAT = /^(_unknown_|[^_]+)_(.+)_(\d{1,9})$/u;

/** The name of a sound file without its extension, in Unicode NFC. */
export function stem(name: string): string {
  return name.replace(EXTENSION, '').normalize('NFC');
}

/** `label_speaker_index` (`_unknown__speaker_index`), as in the Free Spoken Digit Dataset; null for other names. */
export function parseFlat(name: string): ClipName | null {
  const match = FLAT.exec(stem(name));
  return match && { label: match[1]!, speaker: match[2]!, index: Number(match[3]) };
}

/** `text_index`; null for other names. */
export function parseNumbered(name: string): { text: string; index: number } | null {
  const match = NUMBERED.exec(stem(name));
  return match && { text: match[1]!, index: Number(match[2]) };
}

/** `label_speaker_index` in a folder named after the speaker, as in AudioMNIST; null for other names. */
export function parseInSpeakerFolder(name: string, folder: string): ClipName | null {
  const numbered = parseNumbered(name);
  const speaker = folder.normalize('NFC');
  const ending = `_${speaker}`;
  if (numbered === null || !numbered.text.endsWith(ending)) return null;
  const label = numbered.text.slice(0, -ending.length);
  return label === '' ? null : { label, speaker, index: numbered.index };
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
