import { basename, dirname, join } from 'node:path';
import { type Folder, soundsBelow } from '../folder.js';
import { stem } from '../names.js';
import { folderAndName } from './folders.js';
import type { Found, FoundClip, Layout } from './layout.js';
import { partOf } from './part-names.js';

const SPLITS = /_splits\.csv$/i;

/** Multilingual Spoken Words Corpus (Mazumder et al. 2021). Its list tells the speakers, its clips' names do not. */
export const mswc = {
  name: 'mswc',
  help: 'clips/WORD/common_voice_LANGUAGE_N with LANGUAGE_splits.csv, as the Multilingual Spoken Words Corpus has',
  example: 'clips/aachen/common_voice_en_18833718.wav',
  hasLists: true,
  find,
  key: folderAndName,
} as const satisfies Layout;

async function find(folder: Folder): Promise<Found | null> {
  const home = folder.folders.find(({ name }) => name === 'clips') ?? folder;
  const list = await findList(folder);
  if (list === null) return null;
  const { readTable } = await import('../table.js');
  const rows = await readTable(list);
  if (!rows[0]?.has('link') || !rows[0].has('speaker')) return null;
  const listed = new Map(rows.map((row) => [keyOf(row.get('link')!), row]));
  const aside = new Map<string, string>();
  const clips = home.folders.flatMap((word) =>
    word.sounds.flatMap((found): FoundClip[] => {
      const row = listed.get(keyOf(`${word.name}/${found.name}`));
      if (row === undefined) {
        aside.set(found.path, `not in ${basename(list)}`);
        return [];
      }
      const part = partOf(row.get('set') ?? '');
      const speaker = row.get('speaker')!.trim() || null;
      const label = word.name.normalize('NFC');
      return [{ label, speaker, index: null, found, ...(part === null ? {} : { part }) }];
    }),
  );
  const unfit = new Map(soundsBelow(folder).map(({ path }) => [path, 'not in the folder of a word']));
  return { clips, aside, unfit, read: new Set([list]) };
}

/** The list names clips with the ending that they had before they were converted. */
function keyOf(link: string): string {
  return `${basename(dirname(link))}/${stem(basename(link))}`.normalize('NFC');
}

/** The list beside the folder of the clips, whether that or the folder above was named. */
async function findList(folder: Folder): Promise<string | null> {
  const own = folder.others.find(({ name }) => SPLITS.test(name));
  if (own !== undefined) return own.path;
  if (basename(folder.path) !== 'clips') return null;
  const { readdir } = await import('node:fs/promises');
  const beside = await readdir(dirname(folder.path)).catch(() => []);
  const name = beside.sort().find((each) => SPLITS.test(each));
  return name === undefined ? null : join(dirname(folder.path), name);
}
