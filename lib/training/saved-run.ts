import { readModelFile } from '../files/model-file.js';
import { isJsonObject } from '../files/strict-json.js';
import { toArrays } from '../model/model.js';
import type { NativeTrainingState, TrainingPosition } from '../native/addon.js';
import type { ModelSettings } from '../settings/settings.js';
import { SonospikeError } from '../support/errors.js';
import { withoutUnused } from '../support/fields.js';
import { array, type Blame, boolean, integer, number, object, string } from '../support/options.js';
import type { Tensors } from '../support/tensor.js';
import type { EpochMetrics, Score } from './epoch.js';
import { type RunOptions, resolveRunOptions } from './recipe.js';
import { RUN_FIELDS } from './run-fields.js';

/** The best epoch so far and its parameters. */
export interface Best {
  epoch: number;
  loss: number;
  accuracy: number;
  parameters: Tensors;
}

export type SavedMetrics = Omit<EpochMetrics, 'clipsPerSecond' | 'secondsLeft'>;

/** A training run as a checkpoint holds it. No times: the same run gives the same bytes. */
export interface SavedRun {
  settings: ModelSettings;
  parameters: Tensors;
  options: RunOptions;
  /** Names the clips of every part, and which of them could be read. */
  fingerprint: string;
  history: SavedMetrics[];
  best: Best | null;
  /** The sums of an epoch that is trained but not yet measured: the run was stopped in between. */
  pending: TrainingPosition | null;
  state: NativeTrainingState;
}

/** Options that older checkpoints do not have, as training was before there were any. */
const BEFORE = {
  minSteps: 0,
  calibrationFolds: 0,
  augmentation: null,
  negatives: 0,
  spikeCost: 0,
  keep: 'best' as const,
};

const LARGEST = Number.MAX_VALUE;
const COUNT = Number.MAX_SAFE_INTEGER;

/**
 * Reads a checkpoint.
 * @throws SonospikeError ERR_CHECKPOINT_INVALID, and as `readModelFile`
 */
export async function readSavedRun(path: string): Promise<SavedRun> {
  const { settings, parameters, state } = await readModelFile(path);
  const blame: Blame = { code: 'ERR_CHECKPOINT_INVALID', file: path };
  if (state === null) {
    throw new SonospikeError(
      'ERR_CHECKPOINT_INVALID',
      `${path} is a model without the state of a training, so training cannot go on from it. ` +
        'Name the checkpoint that was written beside it.',
      { file: path },
    );
  }
  const keys = ['options', 'fingerprint', 'history', 'best', 'pending', 'position', 'steps'] as const;
  const json = object(state.json, 'its state', keys, blame);
  const layers = settings.network.layers.length;
  const read = (value: unknown, at: string) => readPosition(value, at, settings, blame);
  const history = array(json.history, 'history', 0, COUNT, blame).map((value, i) =>
    readMetrics(value, i, layers, blame),
  );
  const pending = json.pending === null ? null : read(json.pending, 'pending');
  const position = read(json.position, 'position');
  integer(
    position.epoch,
    'position.epoch',
    history.length + (pending ? 1 : 0),
    history.length + (pending ? 1 : 0),
    blame,
  );
  const best = json.best === null ? null : readBest(json.best, history.length, blame);
  const arrays = pickTensors(state.tensors, parameters, best !== null, blame);
  return {
    settings,
    parameters,
    options: readOptions(json.options, path),
    fingerprint: string(json.fingerprint, 'fingerprint', blame),
    history,
    best: best && { ...best, parameters: arrays.best },
    pending,
    state: {
      position,
      steps: integer(json.steps, 'steps', 0, COUNT, blame),
      m: toArrays(arrays.m),
      v: toArrays(arrays.v),
    },
  };
}

function readOptions(value: unknown, file: string): RunOptions {
  try {
    // Version 0.1.0 wrote warmupShare with every schedule.
    const whole = isJsonObject(value) ? withoutUnused(RUN_FIELDS, { ...BEFORE, ...value }) : value;
    return resolveRunOptions(whole as RunOptions, '');
  } catch (cause) {
    const reason = cause instanceof SonospikeError ? cause.message : String(cause);
    throw new SonospikeError('ERR_CHECKPOINT_INVALID', `${file}: ${reason}`, { file, cause });
  }
}

function readPosition(value: unknown, at: string, settings: ModelSettings, blame: Blame): TrainingPosition {
  const keys = ['epoch', 'batch', 'clips', 'loss', 'correct', 'spikes', 'steps'] as const;
  const given = object(value, at, keys, blame);
  const clips = integer(given.clips, `${at}.clips`, 0, COUNT, blame);
  // Older checkpoints do not say, as all clips had the same number of steps.
  const { steps = clips * settings.frames * settings.encoding.stepsPerFrame } = given;
  return {
    epoch: integer(given.epoch, `${at}.epoch`, 0, COUNT, blame),
    batch: integer(given.batch, `${at}.batch`, 0, COUNT, blame),
    clips,
    loss: number(given.loss, `${at}.loss`, -LARGEST, LARGEST, blame),
    correct: integer(given.correct, `${at}.correct`, 0, COUNT, blame),
    spikes: numbers(given.spikes, `${at}.spikes`, settings.network.layers.length, blame),
    steps: integer(steps, `${at}.steps`, 0, COUNT, blame),
  };
}

function readMetrics(value: unknown, index: number, layers: number, blame: Blame): SavedMetrics {
  const at = `history[${index}]`;
  const keys = ['epoch', 'epochs', 'train', 'validation', 'test', 'firingRates', 'best'] as const;
  const given = object(value, at, keys, blame);
  const epoch = integer(given.epoch, `${at}.epoch`, index + 1, index + 1, blame);
  return {
    epoch,
    epochs: integer(given.epochs, `${at}.epochs`, 1, COUNT, blame),
    train: { epoch, ...readScore(given.train, `${at}.train`, ['epoch'], blame) },
    validation: given.validation === null ? null : readScore(given.validation, `${at}.validation`, [], blame),
    ...(given.test === undefined ? {} : { test: readScore(given.test, `${at}.test`, [], blame) }),
    firingRates: numbers(given.firingRates, `${at}.firingRates`, layers, blame),
    best: boolean(given.best, `${at}.best`, blame),
  };
}

function readScore(value: unknown, at: string, more: readonly string[], blame: Blame): Score {
  const given = object(value, at, ['loss', 'accuracy', ...more], blame);
  return {
    loss: number(given.loss, `${at}.loss`, -LARGEST, LARGEST, blame),
    accuracy: number(given.accuracy, `${at}.accuracy`, 0, 1, blame),
  };
}

function readBest(value: unknown, epochs: number, blame: Blame): Omit<Best, 'parameters'> {
  const { epoch } = object(value, 'best', ['epoch', 'loss', 'accuracy'], blame);
  return {
    epoch: integer(epoch, 'best.epoch', 1, epochs, blame),
    ...readScore(value, 'best', ['epoch'], blame),
  };
}

function numbers(value: unknown, at: string, count: number, blame: Blame): number[] {
  const values = array(value, at, count, count, blame);
  return values.map((each, i) => number(each, `${at}[${i}]`, -LARGEST, LARGEST, blame));
}

/** Adam's moments and the best parameters, each with a tensor for every parameter. */
function pickTensors(all: Tensors, parameters: Tensors, withBest: boolean, blame: Blame) {
  const pick = (prefix: string): Tensors =>
    new Map(
      [...all].filter(([name]) => name.startsWith(prefix)).map(([name, t]) => [name.slice(prefix.length), t]),
    );
  const picked = { m: pick('m.'), v: pick('v.'), best: pick('best.') };
  for (const [name, { data }] of parameters) {
    // The scaling has no moments; the best model has it too.
    const needed = name.startsWith('scaling.') ? [] : [picked.m, picked.v];
    for (const tensors of withBest ? [...needed, picked.best] : needed) {
      if (tensors.get(name)?.data.length === data.length) continue;
      const message = `${blame.file} has no moments or no best value of ${name}, so training cannot go on from it.`;
      throw new SonospikeError(blame.code, message, { file: blame.file });
    }
  }
  return picked;
}
