import { readFile } from 'node:fs/promises';
import type { SkippedFile } from '../datasets/dataset.js';
import { isJsonObject } from '../files/strict-json.js';
import { fileError, SonospikeError } from '../support/errors.js';
import type { ComparedRun, Comparison } from './comparison.js';

/** What a comparison that goes on must have in common with the one in the file. */
export type Common = Pick<Comparison, 'split' | 'seeds' | 'folds' | 'dataset'> & {
  variants: readonly { name: string; key: string }[];
};

/**
 * The runs in the file of a comparison, with the names that their variants have now, and the files that they left out.
 * @returns none where there is no such file
 * @throws SonospikeError ERR_CHECKPOINT_INVALID if it is no such file, or has runs on other clips or of other variants,
 * seeds or folds; ERR_FILE_UNREADABLE
 */
export async function readKeptRuns(file: string, now: Common): Promise<Pick<Comparison, 'runs' | 'skipped'>> {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw fileError(error, file, 'read');
  });
  if (text === null) return { runs: [], skipped: [] };
  const { split, dataset, runs, skipped } = parse(text, file);
  if (split !== now.split) throw other(file, `were trained on the split ${split}, not ${now.split}`);
  if (dataset?.fingerprint !== now.dataset.fingerprint)
    throw other(file, `were trained on other clips than those of ${now.dataset.directory}`);
  const nameOf = new Map(now.variants.map(({ name, key }) => [key, name]));
  const kept = runs.map((run) => {
    const name = nameOf.get(run.key);
    if (name === undefined)
      throw other(file, `are of the variant ${JSON.stringify(run.variant)} with other settings or options`);
    if (!now.seeds.includes(run.seed)) throw other(file, `have the seed ${run.seed}`);
    if (!now.folds.includes(run.fold)) throw other(file, `are of fold ${run.fold}`);
    return { ...run, variant: name };
  });
  return { runs: kept, skipped: Array.isArray(skipped) ? skipped.filter(isSkipped) : [] };
}

function parse(text: string, file: string): Pick<Comparison, 'split' | 'runs'> & Partial<Comparison> {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new SonospikeError('ERR_CHECKPOINT_INVALID', `${file} is no comparison: it is not JSON.`, {
      file,
      cause,
    });
  }
  const { kind, version, runs } = (isJsonObject(found) ? found : {}) as Partial<Comparison>;
  if (kind === 'sonospike comparison' && version === 1 && Array.isArray(runs) && runs.every(isRun))
    return found as Comparison;
  const message = `${file} is no comparison that this sonospike can go on with. Name another file with --out.`;
  throw new SonospikeError('ERR_CHECKPOINT_INVALID', message, { file });
}

function isSkipped(each: unknown): each is SkippedFile {
  return isJsonObject(each) && typeof each.file === 'string' && typeof each.reason === 'string';
}

function isRun(run: unknown): run is ComparedRun {
  if (!isJsonObject(run)) return false;
  const { variant, key, interval, firingRates, operations } = run;
  const numbers = [
    'seed',
    'fold',
    'accuracy',
    'loss',
    'clips',
    'bestEpoch',
    'epochs',
    'calibrationError',
    'seconds',
  ];
  return (
    typeof variant === 'string' &&
    typeof key === 'string' &&
    numbers.every((name) => Number.isFinite(run[name])) &&
    [interval, firingRates].every((each) => Array.isArray(each) && each.every(Number.isFinite)) &&
    (operations === null || isJsonObject(operations))
  );
}

function other(file: string, what: string): SonospikeError {
  return new SonospikeError(
    'ERR_CHECKPOINT_INVALID',
    `Runs in ${file} ${what}, and this comparison has none like that. Name another file, or start anew.`,
    { file },
  );
}
