import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.js';
import { plotComparison } from '../plot/comparison.js';
import type { Comparison } from '../protocol/comparison.js';
import { SonospikeError } from '../support/errors.js';
import type { CompareValues } from './compare-options.js';
import { comparisonTitle, csvTable, markdownTable } from './compare-report.js';
import { shortPath } from './format.js';
import { requireWritable } from './plot-file.js';

/** Endings of the files beside the one with the runs. */
const SHOWN = {
  '.csv': csvTable,
  '.md': markdownTable,
  '.svg': (result: Comparison) => plotComparison(result, { title: comparisonTitle(result) }),
} as const;

const DEFAULT = 'sonospike-comparison.json';

/** The files that a comparison writes. */
export interface CompareFiles {
  /** The one with every run. */
  json: string;
  /** Tables and pictures. */
  shown: string[];
  /** Settings files and presets that are compared. */
  variants: string[];
  /** Whether `json` is there. */
  exists: boolean;
}

/**
 * Sorts out what is written and what is compared. Refuses files that cannot be written, and those that are there unless
 * they are to be gone on with or replaced.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_FILE_WRITE
 */
export async function chooseCompareFiles(
  positionals: readonly string[],
  { out = [], resume, force }: Pick<CompareValues, 'out' | 'resume' | 'force'>,
): Promise<CompareFiles> {
  // A shell makes of --out table.{json,csv} the arguments --out table.json table.csv.
  const isShown = (file: string) => endingOf(file) in SHOWN;
  const files = [...out, ...positionals.filter(isShown)];
  const wrong = files.find((file) => !isShown(file) && endingOf(file) !== '.json');
  if (wrong !== undefined)
    throw invalid(`--out is ${JSON.stringify(wrong)}; the file must end in .json, .csv, .md or .svg.`);
  const [json, second] = files.filter((file) => !isShown(file));
  if (second !== undefined) throw invalid(`--out names two files for the runs: ${json} and ${second}.`);
  const [first] = files;
  const store = json ?? (first === undefined ? DEFAULT : first.replace(/\.[^.]*$/, '.json'));
  const shown = files.filter(isShown);
  if (resume && force)
    throw invalid('--resume goes on with the files, --force replaces them: name one of both.');
  for (const file of [store, ...shown]) {
    await requireWritable(file);
    if (!resume && !force && (await isThere(file))) throw existsError(file);
  }
  return {
    json: store,
    shown,
    variants: positionals.filter((file) => !isShown(file)),
    exists: await isThere(store),
  };
}

/** Writes tables and pictures; the runs are written by the comparison itself. */
export async function writeShown({ shown }: CompareFiles, result: Comparison): Promise<void> {
  for (const file of shown) {
    const make = SHOWN[endingOf(file) as keyof typeof SHOWN];
    await writeFileAtomic(file, [Buffer.from(make(result))]);
  }
}

function endingOf(file: string): string {
  return extname(file).toLowerCase();
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function existsError(file: string): SonospikeError {
  const message =
    `${shortPath(file)} is there already. --resume goes on with the comparison that it is of, --force replaces it, ` +
    'and --out names another file.';
  return new SonospikeError('ERR_FILE_WRITE', message, { file });
}

function invalid(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}
