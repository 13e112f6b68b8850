import { decodeText } from '../../support/text.js';
import { type Folder, type FoundFile, soundsBelow } from '../folder.js';
import { UNKNOWN_LABEL } from '../names.js';
import { folderAndName } from './folders.js';
import type { Found, FoundClip, Layout } from './layout.js';

const NOISE = '_background_noise_';
const LISTS = ['validation_list.txt', 'testing_list.txt'];
/** Seconds of a clip, and of the pieces that the noise is cut into. */
const SECONDS = 1;
/** `0a7c2a8d_nohash_3.wav`; in the test archive of 12 classes also `bed_0a7c2a8d_nohash_3.wav.wav`. */
const NAME = /(?:^|_)([0-9a-f]{6,8})_nohash_(\d{1,9})(\.wav)+$/i;

/** Speech Commands (P. Warden 2018, arXiv:1804.03209), and its test archive of 12 classes. */
export const speechCommands = {
  name: 'speech-commands',
  help: 'a folder for each word with SPEAKER_nohash_N.wav, and the lists of Speech Commands, which are its official split',
  example: 'yes/0a7c2a8d_nohash_3.wav',
  hasLists: true,
  find,
  key: folderAndName,
} as const satisfies Layout;

async function find(folder: Folder, asked: boolean): Promise<Found | null> {
  const words = folder.folders.filter(({ name }) => name !== NOISE);
  const files = words.flatMap((word) => word.sounds.map((found) => ({ found, word: word.name })));
  const named = files.filter(({ found }) => NAME.test(found.name));
  const silent = files.filter(({ word }) => word === '_silence_');
  if (named.length === 0 || (!asked && (named.length + silent.length) * 2 <= files.length)) return null;
  const lists = folder.others.filter(({ name }) => LISTS.includes(name));
  const partOf = await readLists(lists);
  const clips = files.map(
    ({ found, word }): FoundClip => ({ ...nameOf(found.name, word), ...partOf(found), found }),
  );
  const noise = folder.folders.find(({ name }) => name === NOISE);
  const pieces = await cutNoise(noise?.sounds ?? [], lists.length > 0);
  return {
    clips: [...clips, ...pieces.clips],
    aside: pieces.aside,
    unfit: new Map(soundsBelow(folder).map(({ path }) => [path, 'not in the folder of a word'])),
    read: new Set(lists.map(({ path }) => path)),
  };
}

function nameOf(name: string, folder: string): Omit<FoundClip, 'found'> {
  const [, speaker = null, index] = NAME.exec(name) ?? [];
  const word = folder.normalize('NFC');
  // Other words of one speaker have the same numbers there.
  if (word === UNKNOWN_LABEL || word === '_silence_') return { label: UNKNOWN_LABEL, speaker, index: null };
  return { label: word, speaker, index: index === undefined ? null : Number(index) };
}

/** The part of a file by the lists; without lists, of none. */
async function readLists(
  lists: readonly FoundFile[],
): Promise<(found: FoundFile) => Pick<FoundClip, 'part'>> {
  if (lists.length === 0) return () => ({});
  const { readFile } = await import('node:fs/promises');
  const parts = new Map<string, 'validation' | 'test'>();
  for (const { name, path } of lists) {
    const part = name === LISTS[0] ? 'validation' : 'test';
    for (const line of decodeText(await readFile(path)).split(/\r?\n/))
      parts.set(line.trim().normalize('NFC'), part);
  }
  return ({ path }) => ({ part: parts.get(folderAndName(path)) ?? 'train' });
}

/** Whole seconds of the noise, which are none of the words; they are to train on where there are lists. */
async function cutNoise(sounds: readonly FoundFile[], hasLists: boolean) {
  const clips: FoundClip[] = [];
  const aside = new Map<string, string>();
  const { readAudio } = await import('../../audio/source.js');
  for (const found of sounds) {
    const audio = await readAudio(found.path).catch(() => null);
    const seconds = audio === null ? 0 : Math.floor(audio.samples.length / audio.sampleRate / SECONDS);
    if (seconds === 0) {
      aside.set(
        found.path,
        audio === null ? 'background noise that cannot be read' : 'noise of less than a second',
      );
    }
    for (let k = 0; k < seconds; k++) {
      clips.push({
        label: UNKNOWN_LABEL,
        speaker: null,
        index: null,
        found,
        key: `${NOISE}/${found.name}#${k}`,
        piece: { start: k * SECONDS, seconds: SECONDS },
        ...(hasLists ? { part: 'train' } : {}),
      });
    }
  }
  return { clips, aside };
}
