import { basename } from 'node:path';
import type { Layout } from './layout.js';

/** A list of one's own instead of a folder: `openDataset` reads it where the path is that of such a file. */
export const list = {
  name: 'list',
  help: 'a .csv, .tsv, .json or .jsonl file instead of a folder, with path and label, and speaker and split if known',
  example: 'clips.csv',
  find: () => null,
  key: (file) => basename(file).normalize('NFC'),
} as const satisfies Layout;
