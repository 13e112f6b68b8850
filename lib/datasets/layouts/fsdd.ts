import { basename } from 'node:path';
import type { Clip } from '../clip.js';
import { type Folder, soundsBelow } from '../folder.js';
import { parseFlat } from '../names.js';
import { ambiguousLayout, type Found, type Layout } from './layout.js';
import { shareOfUsualWords, someOf } from './words.js';

/** Takes below this one are the test set (Z. Jackson, https://github.com/Jakobovski/free-spoken-digit-dataset). */
const TEST_TAKES = 5;

/** The Free Spoken Digit Dataset. */
export const fsdd = {
  name: 'fsdd',
  help: 'one folder of label_speaker_index.wav, as the Free Spoken Digit Dataset has',
  example: 'recordings/7_jackson_3.wav',
  find,
  key: (file) => basename(file).normalize('NFC'),
  official: {
    folds: 1,
    divide(clips) {
      const isTest = ({ index }: Clip) => index !== null && index < TEST_TAKES;
      return {
        train: clips.filter((clip) => !isTest(clip)),
        validation: null,
        test: clips.filter(isTest),
      };
    },
  },
} as const satisfies Layout;

function find(folder: Folder, asked: boolean): Found | null {
  const recordings = folder.folders.find(({ name }) => name === 'recordings');
  const isInside = recordings?.sounds.some(({ name }) => parseFlat(name) !== null);
  const home = isInside ? recordings! : folder;
  const unfit = new Map<string, string>();
  const clips = home.sounds.flatMap((found) => {
    const parsed = parseFlat(found.name);
    if (parsed !== null) return { ...parsed, found };
    unfit.set(found.path, 'its name is not label_speaker_index.wav');
    return [];
  });
  const nested = soundsBelow(home).length - home.sounds.length;
  if (clips.length === 0 || (!isInside && !asked && clips.length <= nested)) return null;
  if (!asked) requireWordsFirst(home.path, clips);
  const away =
    home === folder ? 'in a folder beside the clips' : 'not in the folder recordings with the clips';
  const aside = new Map(
    soundsBelow(folder)
      .filter(({ path }) => !unfit.has(path))
      .map(({ path }) => [path, away]),
  );
  return { clips, unfit, aside };
}

/** `anna_yes_0.wav` would be read as the word anna, spoken by yes. */
function requireWordsFirst(path: string, clips: Found['clips']): void {
  const labels = clips.map(({ label }) => label);
  const speakers = clips.map(({ speaker }) => speaker!);
  if (shareOfUsualWords(speakers) < 1 || shareOfUsualWords(labels) >= 0.5) return;
  throw ambiguousLayout(
    path,
    `names such as ${clips[0]!.found.name} could begin with the word or with the speaker`,
    [
      { layout: 'fsdd', meaning: `the words are ${someOf(labels)}` },
      { layout: 'speaker-first', meaning: `the words are ${someOf(speakers)}` },
      { layout: 'flat', meaning: 'all that stands before the number is the word' },
    ],
  );
}
