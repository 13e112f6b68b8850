import { readFile } from 'node:fs/promises';
import { isJsonObject } from '../files/strict-json.js';
import { fileError, SonospikeError } from '../support/errors.js';
import type { ProtocolResult } from './result.js';
import type { ProtocolRun } from './run.js';
import { SummaryOfRuns } from './summary.js';

/**
 * The runs in the file of a protocol that was stopped.
 * @param now what the protocol that goes on has found so far: nothing
 * @returns none where there is no such file
 * @throws SonospikeError ERR_CHECKPOINT_INVALID if it is no such file, or of another protocol, data, settings, recipe,
 * device or target; ERR_FILE_UNREADABLE
 */
export async function readKeptProtocol(file: string, now: ProtocolResult): Promise<ProtocolRun[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw fileError(error, file, 'read');
  });
  return text === '' ? [] : requireLike(parse(text, file), file, now).runs;
}

/**
 * Puts together what the shards of a protocol found, each from its file.
 * @throws SonospikeError ERR_CHECKPOINT_INVALID if they are not of the same protocol, or differ in a run that both
 * have; ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_INVALID_OPTION
 */
export async function mergeProtocols(files: readonly string[]): Promise<ProtocolResult> {
  const [first, ...others] = await Promise.all(files.map(readResult));
  if (first === undefined) throw new SonospikeError('ERR_INVALID_OPTION', 'There are no files to merge.');
  const runs = new Map<string, ProtocolRun>();
  for (const [i, found] of [first, ...others].entries()) {
    const file = files[i]!;
    if (String([found.folds, found.seeds]) !== String([first.folds, first.seeds]))
      throw invalid(file, `has other folds or seeds than ${files[0]}`);
    for (const run of requireLike(found, file, first).runs) {
      const key = `${run.seed} ${run.fold}`;
      const known = runs.get(key);
      if (known !== undefined && withoutTimes(known) !== withoutTimes(run))
        throw invalid(
          file,
          `has another result for fold ${run.fold} and seed ${run.seed} than a file before it`,
        );
      runs.set(key, known ?? run);
    }
  }
  const summary = new SummaryOfRuns(first.labels);
  for (const run of runs.values()) summary.add(run);
  const complete = runs.size === first.folds.length * first.seeds.length;
  return { ...first, complete, summary: summary.summary(), runs: summary.runs };
}

async function readResult(file: string): Promise<ProtocolResult> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw fileError(error, file, 'read');
  });
  return parse(text, file);
}

function withoutTimes({ seconds, loadSeconds, secondsToTarget, curve, ...run }: ProtocolRun): string {
  return JSON.stringify(run);
}

/** `found`, where it is of the same protocol as `now`. */
function requireLike(found: ProtocolResult, file: string, now: ProtocolResult): ProtocolResult {
  const theirs = identityOf(found);
  const differs = Object.entries(identityOf(now)).find(
    ([name, value]) => value !== theirs[name as keyof typeof theirs],
  );
  if (differs !== undefined) throw invalid(file, `was written with another ${differs[0]}`);
  const isWhole = ({ confusion, firingRates }: ProtocolRun) =>
    confusion.length === now.labels.length &&
    confusion.every((row) => row.length === now.labels.length) &&
    firingRates.length === now.settings.network.layers.length;
  if (!found.runs.every(isWhole)) throw invalid(file, 'has a run that is damaged');
  const surplus = found.runs.find(({ fold, seed }) => !now.folds.includes(fold) || !now.seeds.includes(seed));
  if (surplus === undefined) return found;
  throw invalid(
    file,
    `has a run of fold ${surplus.fold} and seed ${surplus.seed}, which this protocol has not`,
  );
}

/** What a protocol that goes on must have in common with the one in the file, as text. */
function identityOf({ protocol, dataset, labels, settings, options, target, device }: ProtocolResult) {
  const { seed: _, fold: __, ...recipe } = options;
  return {
    protocol,
    'data set': dataset.fingerprint,
    'list of labels': JSON.stringify(labels),
    'set of settings': JSON.stringify(settings),
    recipe: JSON.stringify(recipe),
    target: String(target),
    device,
  };
}

function parse(text: string, file: string): ProtocolResult {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, 'is not JSON', cause);
  }
  if (isJsonObject(found)) {
    const { dataset, options, runs, labels, folds, seeds, settings } = found;
    const lists = [labels, folds, seeds].every(Array.isArray);
    const layers = isJsonObject(settings) && isJsonObject(settings.network) && settings.network.layers;
    if (
      lists &&
      Array.isArray(layers) &&
      isJsonObject(dataset) &&
      isJsonObject(options) &&
      Array.isArray(runs) &&
      runs.every(isRun)
    )
      return found as unknown as ProtocolResult;
  }
  throw invalid(file, 'is no result of a protocol that this version can go on with');
}

const NUMBERS = [
  ...['fold', 'seed', 'accuracy', 'loss', 'clips', 'bestEpoch', 'epochs', 'calibrationError'],
  ...['seconds', 'loadSeconds'],
];

function isRun(run: unknown): boolean {
  if (!isJsonObject(run)) return false;
  const { confusion, perSpeaker, firingRates, answers, rejection, operations, wrong } = run;
  return (
    NUMBERS.every((name) => Number.isFinite(run[name])) &&
    Array.isArray(confusion) &&
    confusion.every(isNumbers) &&
    isJsonObject(perSpeaker) &&
    Object.values(perSpeaker).every((of) => isJsonObject(of) && Number.isFinite(of.accuracy)) &&
    isNumbers(firingRates) &&
    isJsonObject(answers) &&
    isNumbers(answers.right) &&
    isNumbers(answers.wrong) &&
    (rejection === null || (isJsonObject(rejection) && isJsonObject(rejection.unknown))) &&
    (operations === null || isJsonObject(operations)) &&
    Array.isArray(wrong)
  );
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isFinite);
}

function invalid(file: string, what: string, cause?: unknown): SonospikeError {
  const message = `${file} ${what}. Name another file, or start anew.`;
  return new SonospikeError('ERR_CHECKPOINT_INVALID', message, { file, cause });
}
