import { relative, sep } from 'node:path';
import { type Folder, soundsBelow } from '../folder.js';
import { folderAndName } from './folders.js';
import type { Found, FoundClip, Layout } from './layout.js';
import { partOf } from './part-names.js';

const LISTS = ['metadata.csv', 'metadata.jsonl'];

/** An audio folder of Hugging Face's library datasets (https://huggingface.co/docs/datasets/audio_load). */
export const metadata = {
  name: 'metadata',
  help: 'any folders with metadata.csv or metadata.jsonl (file_name, label, …), as audio folders of Hugging Face have',
  example: 'metadata.csv',
  hasLists: true,
  find,
  key: folderAndName,
} as const satisfies Layout;

async function find(folder: Folder): Promise<Found | null> {
  const list = folder.others.find(({ name }) => LISTS.includes(name));
  if (list === undefined) return null;
  const { readListed } = await import('../table.js');
  const listed = new Map((await readListed(list.path)).map((of) => [of.path.replace(/^\.\//, ''), of]));
  const aside = new Map<string, string>();
  const clips = soundsBelow(folder).flatMap((found): FoundClip[] => {
    const path = relative(folder.path, found.path).split(sep).join('/').normalize('NFC');
    const of = listed.get(path);
    if (of === undefined || of.label === '') {
      aside.set(found.path, of === undefined ? `not in ${list.name}` : `${list.name} gives no label`);
      return [];
    }
    const [top, ...more] = path.split('/');
    const part = of.part ?? (more.length > 0 ? partOf(top!) : null);
    const { label, speaker } = of;
    return [{ label, speaker, index: null, found, key: path, ...(part === null ? {} : { part }) }];
  });
  return { clips, aside, read: new Set([list.path]) };
}
