import { basename } from 'node:path';
import type { Folder } from '../folder.js';
import { parseFlat } from '../names.js';
import type { Found, Layout } from './layout.js';

/** One folder of files that name the speaker before the word. It is never recognised, only asked for. */
export const speakerFirst = {
  name: 'speaker-first',
  help: 'one folder of speaker_label_index.wav',
  example: 'anna_seven_3.wav',
  find,
  key: (file) => basename(file).normalize('NFC'),
} as const satisfies Layout;

function find(folder: Folder, asked: boolean): Found | null {
  if (!asked) return null;
  const unfit = new Map<string, string>();
  const clips = folder.sounds.flatMap((found) => {
    const parsed = parseFlat(found.name);
    if (parsed !== null) return { label: parsed.speaker!, speaker: parsed.label, index: parsed.index, found };
    unfit.set(found.path, 'its name is not speaker_label_index.wav');
    return [];
  });
  return clips.length === 0 ? null : { clips, unfit };
}
