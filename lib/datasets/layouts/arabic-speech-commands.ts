import type { PartName } from '../clip.js';
import { type Folder, type FoundFile, soundsBelow } from '../folder.js';
import { folderAndName } from './folders.js';
import type { Found, FoundClip, Layout } from './layout.js';

const NAME = /^(\d{8})_[A-Za-z]+_(\d{1,4})\.\w+$/;
const LISTS: Readonly<Record<string, PartName>> = {
  'train.csv': 'train',
  'val.csv': 'validation',
  'test.csv': 'test',
};

/** Arabic Speech Commands (Ghandoura et al. 2021, doi:10.5281/zenodo.4662481). */
export const arabicSpeechCommands = {
  name: 'arabic-speech-commands',
  help: 'dataset/WORD/SPEAKER_NO_N.wav with train.csv, val.csv and test.csv, as Arabic Speech Commands has',
  example: 'dataset/right/00000021_NO_06.wav',
  hasLists: true,
  find,
  key: folderAndName,
} as const satisfies Layout;

async function find(folder: Folder, asked: boolean): Promise<Found | null> {
  const home = folder.folders.find(({ name }) => name === 'dataset') ?? folder;
  const files = home.folders.flatMap((word) => word.sounds.map((found) => ({ found, word: word.name })));
  const unfit = new Map(soundsBelow(folder).map(({ path }) => [path, 'its name is not SPEAKER_NO_N.wav']));
  const named = files.filter(({ found }) => NAME.test(found.name));
  if (named.length === 0 || (!asked && named.length * 2 <= files.length)) return null;
  const lists = [...new Set([...folder.others, ...home.others])].filter(({ name }) =>
    Object.hasOwn(LISTS, name),
  );
  const parts = await readLists(lists);
  const clips = named.map(({ found, word }): FoundClip => {
    const [, speaker, index] = NAME.exec(found.name)!;
    const part = parts.get(folderAndName(found.path));
    return {
      label: word.normalize('NFC'),
      speaker: speaker!,
      index: Number(index),
      found,
      ...(part === undefined ? {} : { part }),
    };
  });
  return { clips, unfit, read: new Set(lists.map(({ path }) => path)) };
}

/** In each row one cell is the path of a clip. */
async function readLists(lists: readonly FoundFile[]): Promise<Map<string, PartName>> {
  const parts = new Map<string, PartName>();
  if (lists.length === 0) return parts;
  const { readTable } = await import('../table.js');
  for (const { name, path } of lists) {
    for (const row of await readTable(path)) {
      const file = [...row.values()].find((cell) => NAME.test(cell.split(/[\\/]/).at(-1)!.trim()));
      if (file !== undefined) parts.set(folderAndName(file.trim().replaceAll('\\', '/')), LISTS[name]!);
    }
  }
  return parts;
}
