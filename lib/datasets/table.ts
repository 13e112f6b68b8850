import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileError, SonospikeError } from '../support/errors.js';
import { decodeText } from '../support/text.js';
import type { PartName } from './clip.js';
import { partOf } from './layouts/part-names.js';

/** A row of a list: values by the names of their columns, in lower case. */
export type Row = ReadonlyMap<string, string>;

/** Endings of the files that are read as lists. */
export const LIST_FILE = /\.(csv|tsv|json|jsonl)$/i;

/**
 * Reads a list: a table with a line of names first (.csv or .tsv), a JSON array of objects (.json), or a JSON object a
 * line (.jsonl).
 * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_DATASET_LAYOUT (no such list)
 */
export async function readTable(file: string): Promise<Row[]> {
  let text: string;
  try {
    text = decodeText(await readFile(file));
  } catch (error) {
    throw fileError(error, file, 'read');
  }
  const kind = extname(file).toLowerCase();
  if (kind === '.json') return objects(parseJson(text, file), file);
  if (kind !== '.jsonl') return fromCells(cellsOf(text));
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return objects(
    lines.map((line) => parseJson(line, file)),
    file,
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SonospikeError('ERR_DATASET_LAYOUT', `${file} is not JSON (${(cause as Error).message}).`, {
      file,
      cause,
    });
  }
}

function objects(value: unknown, file: string): Row[] {
  const isObject = (each: unknown) => typeof each === 'object' && each !== null && !Array.isArray(each);
  if (!Array.isArray(value) || !value.every(isObject)) {
    const message = `${file} is not a list of clips: it must be a JSON array of objects, such as { "path": "a.wav", "label": "yes" }.`;
    throw new SonospikeError('ERR_DATASET_LAYOUT', message, { file });
  }
  return value.map(
    (each: Record<string, unknown>) =>
      new Map(
        Object.entries(each)
          .filter(([, cell]) => typeof cell === 'string' || typeof cell === 'number')
          .map(([name, cell]) => [name.trim().toLowerCase(), String(cell)]),
      ),
  );
}

function fromCells([names = [], ...rows]: string[][]): Row[] {
  const keys = names.map((name) => name.trim().toLowerCase());
  return rows.map((cells) => new Map(keys.map((key, i) => [key, cells[i] ?? ''])));
}

/** The cells of a table whose delimiter is that of its first line: comma, semicolon or tab (RFC 4180 for quotes). */
function cellsOf(text: string): string[][] {
  const head = /^[^\r\n]*/.exec(text)![0];
  const delimiter = head.includes('\t') ? '\t' : head.includes(',') || !head.includes(';') ? ',' : ';';
  if (!text.includes('"')) {
    return text
      .split(/\r\n|\n|\r/)
      .filter((line) => line !== '')
      .map((line) => line.split(delimiter));
  }
  const cell = new RegExp(
    `(?:"((?:[^"]|"")*)"|([^${delimiter}\\r\\n]*))(${delimiter}|\\r\\n|\\n|\\r|$)`,
    'y',
  );
  const rows: string[][] = [];
  let row: string[] = [];
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const match = cell.exec(text);
    // A stray quote: the rest of the line is taken as it is.
    const [whole, quoted, plain, end] = match ?? [text.slice(at), undefined, text.slice(at), ''];
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end !== delimiter) {
      if (row.some((each) => each !== '')) rows.push(row);
      row = [];
    }
    if (match === null || whole === '') break;
    if (end === delimiter && cell.lastIndex === text.length) row.push('');
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

/** What the columns of lists are called. */
const COLUMNS = {
  path: ['path', 'file_name', 'filename', 'file', 'audio', 'link', 'wav'],
  label: ['label', 'word', 'class', 'keyword', 'command', 'transcription', 'text', 'sentence'],
  speaker: ['speaker', 'speaker_id', 'client_id', 'spk', 'user'],
  part: ['split', 'set', 'subset', 'part', 'partition'],
} as const;

/** A clip as a list tells it. */
export interface Listed {
  path: string;
  label: string;
  speaker: string | null;
  part: PartName | null;
}

/**
 * The clips of a list.
 * @throws SonospikeError ERR_DATASET_LAYOUT where it has no column of paths or of labels, or a part that is not known
 */
export async function readListed(file: string): Promise<Listed[]> {
  const rows = await readTable(file);
  const there = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const column = (kind: keyof typeof COLUMNS) => COLUMNS[kind].find((name) => there.includes(name));
  const names = {
    path: column('path'),
    label: column('label'),
    speaker: column('speaker'),
    part: column('part'),
  };
  for (const kind of ['path', 'label'] as const) {
    if (names[kind] !== undefined) continue;
    const message =
      `${file} has no column that tells the ${kind} of a clip (${COLUMNS[kind].join(', ')}). ` +
      `Its columns are: ${there.join(', ') || 'none'}.`;
    throw new SonospikeError('ERR_DATASET_LAYOUT', message, { file });
  }
  const cell = (row: Row, name: string | undefined) =>
    row
      .get(name ?? '')
      ?.trim()
      .normalize('NFC') ?? '';
  return rows.flatMap((row) => {
    const [path, label] = [cell(row, names.path), cell(row, names.label)];
    if (path === '') return [];
    const [speaker, part] = [cell(row, names.speaker), cell(row, names.part)];
    if (part !== '' && partOf(part) === null) {
      const message = `${file} has a clip in the part ${JSON.stringify(part)}; parts are train, validation and test.`;
      throw new SonospikeError('ERR_DATASET_LAYOUT', message, { file });
    }
    return { path, label, speaker: speaker === '' ? null : speaker, part: part === '' ? null : partOf(part) };
  });
}
