import { type ModelFile, readModelFile, writeModelFile } from './checkpoint/model-file.js';
import { SonospikeError } from './errors.js';
import type { Evaluation } from './evaluation.js';
import { type Model, modelFromFile, toArrays } from './model.js';
import type { NativeTrainingState } from './native.js';
import type { ModelSettings } from './settings.js';
import type { Tensor, Tensors } from './tensor.js';
import type { EpochMetrics } from './training.js';
import type { RunOptions } from './training-options.js';
import type { Prepared } from './training-setup.js';

/** The best epoch so far and its parameters. */
export interface Best {
  epoch: number;
  loss: number;
  accuracy: number;
  parameters: Tensors;
}

type SavedMetrics = Omit<EpochMetrics, 'clipsPerSecond' | 'secondsLeft'>;

/** A training run as a checkpoint holds it. No times: the same run gives the same bytes. */
export interface SavedRun {
  settings: ModelSettings;
  parameters: Tensors;
  options: RunOptions;
  /** Names the clips of every part. */
  fingerprint: string;
  history: SavedMetrics[];
  best: Best | null;
  state: NativeTrainingState;
}

/** Writes the files of one run. */
export class CheckpointFiles {
  readonly #p: Prepared;
  readonly #out: string | undefined;
  readonly #checkpoint: string | undefined;

  constructor(prepared: Prepared, paths: { out?: string; checkpoint?: string }) {
    this.#p = prepared;
    this.#out = paths.out;
    this.#checkpoint = paths.checkpoint;
  }

  async saveBest(best: Best): Promise<void> {
    if (this.#out !== undefined) await writeModelFile(this.#out, this.#modelFile(best));
  }

  async saveCheckpoint(run: Pick<SavedRun, 'history' | 'best' | 'state'>): Promise<void> {
    if (this.#checkpoint === undefined) return;
    const { model, run: options, fingerprint } = this.#p;
    const { parameters: bestParameters, ...best } = run.best ?? { parameters: null };
    const { position, steps, m, v } = run.state;
    const parameters = model.parameters();
    const like = (arrays: Record<string, Float32Array>): [string, Tensor][] =>
      Object.entries(arrays).map(([name, data]) => [name, { shape: parameters.get(name)!.shape, data }]);
    const tensors: Tensors = new Map([
      ...prefixed('m.', like(m)),
      ...prefixed('v.', like(v)),
      ...prefixed('best.', bestParameters ?? []),
    ]);
    const json = {
      options,
      fingerprint,
      history: run.history,
      best: bestParameters ? best : null,
      position,
      steps,
    };
    await writeModelFile(this.#checkpoint, {
      settings: model.settings,
      parameters,
      training: this.#provenance(null),
      state: { json, tensors },
    });
  }

  /** Writes the best model once more, with what it reached on the test part. */
  async saveFinished(best: Best | null, test: Evaluation): Promise<Model> {
    const { accuracy, interval, clips } = test;
    const file = this.#modelFile(best, { accuracy, interval, clips });
    if (this.#out !== undefined) await writeModelFile(this.#out, file);
    return modelFromFile(file);
  }

  #modelFile(best: Best | null, test?: object): ModelFile {
    const { model } = this.#p;
    return {
      settings: model.settings,
      parameters: best?.parameters ?? model.parameters(),
      training: this.#provenance(best, test),
      state: null,
    };
  }

  #provenance(best: Best | null, test?: object): Record<string, unknown> {
    const { run, dataset, splitText } = this.#p;
    return {
      options: run,
      dataset,
      split: splitText,
      ...(best ? { epoch: best.epoch, validation: { loss: best.loss, accuracy: best.accuracy } } : {}),
      ...(test ? { test } : {}),
    };
  }
}

/**
 * Reads a checkpoint.
 * @throws SonospikeError ERR_CHECKPOINT_INVALID, and as `readModelFile`
 */
export async function readSavedRun(path: string): Promise<SavedRun> {
  const { settings, parameters, state } = await readModelFile(path);
  if (state === null) {
    throw new SonospikeError(
      'ERR_CHECKPOINT_INVALID',
      `${path} is a model without the state of a training, so training cannot go on from it. ` +
        'Name the checkpoint that was written beside it.',
      { file: path },
    );
  }
  const json = state.json as {
    options: RunOptions;
    fingerprint: string;
    history: SavedMetrics[];
    best: Omit<Best, 'parameters'> | null;
    position: NativeTrainingState['position'];
    steps: number;
  };
  const bad = (what: string) =>
    new SonospikeError(
      'ERR_CHECKPOINT_INVALID',
      `${path} has no ${what}, so training cannot go on from it.`,
      {
        file: path,
      },
    );
  if (typeof json.options !== 'object' || !Array.isArray(json.history)) throw bad('options and history');
  if (typeof json.fingerprint !== 'string' || typeof json.steps !== 'number')
    throw bad('fingerprint and step');
  if (typeof json.position?.epoch !== 'number' || json.position.epoch !== json.history.length)
    throw bad('position');
  const pick = (prefix: string): Tensors =>
    new Map(
      [...state.tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  const [m, v, bestParameters] = [pick('m.'), pick('v.'), pick('best.')];
  for (const [name, { data }] of parameters) {
    if (name.startsWith('scaling.')) continue;
    for (const tensors of json.best ? [m, v, bestParameters] : [m, v]) {
      if (tensors.get(name)?.data.length !== data.length) throw bad(`moments or best value of ${name}`);
    }
  }
  return {
    settings,
    parameters,
    options: json.options,
    fingerprint: json.fingerprint,
    history: json.history,
    best: json.best ? { ...json.best, parameters: bestParameters } : null,
    state: { position: json.position, steps: json.steps, m: toArrays(m), v: toArrays(v) },
  };
}

function prefixed(prefix: string, tensors: Iterable<[string, Tensor]>): [string, Tensor][] {
  return [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor]);
}
