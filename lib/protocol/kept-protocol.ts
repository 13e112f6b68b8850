import { readFile } from 'node:fs/promises';
import { isJsonObject } from '../files/strict-json.js';
import { fileError, SonospikeError } from '../support/errors.js';
import type { ProtocolResult } from './result.js';
import type { ProtocolRun } from './run.js';

/**
 * The runs in the file of a protocol that was stopped.
 * @param now what the protocol that goes on has found so far: nothing
 * @returns none where there is no such file
 * @throws SonospikeError ERR_CHECKPOINT_INVALID if it is no such file, or of another protocol, data, settings, recipe,
 * device or target; ERR_FILE_UNREADABLE
 */
export async function readKeptProtocol(file: string, now: ProtocolResult): Promise<ProtocolRun[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw fileError(error, file, 'read');
  });
  if (text === null || text === '') return [];
  const found = parse(text, file);
  const differs = Object.entries(identityOf(now)).find(
    ([name, value]) => value !== identityOf(found)[name as keyof ReturnType<typeof identityOf>],
  );
  if (differs !== undefined) throw invalid(file, `was written with another ${differs[0]}`);
  const isWhole = ({ confusion, firingRates }: ProtocolRun) =>
    confusion.length === now.labels.length &&
    confusion.every((row) => row.length === now.labels.length) &&
    firingRates.length === now.settings.network.layers.length;
  if (!found.runs.every(isWhole)) throw invalid(file, 'has a run that is damaged');
  const surplus = found.runs.find(({ fold, seed }) => !now.folds.includes(fold) || !now.seeds.includes(seed));
  if (surplus !== undefined)
    throw invalid(
      file,
      `has a run of fold ${surplus.fold} and seed ${surplus.seed}, which this protocol has not`,
    );
  return found.runs;
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
    const { dataset, options, runs } = found;
    if (isJsonObject(dataset) && isJsonObject(options) && Array.isArray(runs) && runs.every(isRun))
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
