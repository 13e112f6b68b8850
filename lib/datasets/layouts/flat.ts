import { basename } from 'node:path';
import { type Folder, soundsBelow } from '../folder.js';
import { parseFlat, parseNumbered } from '../names.js';
import type { Found, Layout } from './layout.js';

/** One folder of files that are named after the word. */
export const flat = {
  name: 'flat',
  help: 'one folder of word_index.wav',
  example: 'seven_3.wav',
  find,
  key: (file) => basename(file).normalize('NFC'),
} as const satisfies Layout;

function find(folder: Folder, asked: boolean): Found | null {
  const unfit = new Map<string, string>();
  const clips = folder.sounds.flatMap((found) => {
    const numbered = parseNumbered(found.name);
    if (numbered !== null && (asked || parseFlat(found.name) === null)) {
      return { label: numbered.text, speaker: null, index: numbered.index, found };
    }
    unfit.set(found.path, 'its name is not word_index.wav');
    return [];
  });
  const nested = soundsBelow(folder).length - folder.sounds.length;
  if (clips.length === 0 || (!asked && clips.length <= Math.max(nested, unfit.size))) return null;
  const aside = new Map(
    folder.folders.flatMap(soundsBelow).map(({ path }) => [path, 'in a folder beside the clips'] as const),
  );
  return { clips, unfit, aside };
}
