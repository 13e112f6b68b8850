import type { Evaluation } from '../evaluation/evaluate.js';
import { type ModelFile, writeModelFile } from '../files/model-file.js';
import { type Model, modelFromFile } from '../model/model.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import type { Tensor, Tensors } from '../support/tensor.js';
import type { CrossValidation } from './cross-validate.js';
import type { Prepared } from './prepare.js';
import type { Best, SavedRun } from './saved-run.js';

/** What the model file says of how good the model is. */
interface Reached {
  test: Evaluation;
  /** Whether there was a test part. */
  isTest: boolean;
  crossValidation: CrossValidation | null;
  remarks: readonly string[];
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

  async saveCheckpoint(run: Pick<SavedRun, 'history' | 'best' | 'pending' | 'state'>): Promise<void> {
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
      pending: run.pending,
      position,
      steps,
    };
    await writeModelFile(this.#checkpoint, {
      settings: model.settings,
      parameters,
      training: this.#provenance(null),
      confidence: null,
      clipHashes: this.#p.clipHashes,
      state: { json, tensors },
    });
  }

  /** Writes the best model once more, with what it reached. */
  async saveFinished(
    best: Best | null,
    { test, isTest, crossValidation, remarks }: Reached,
    confidence: ConfidenceSettings | null,
  ): Promise<Model> {
    const { accuracy, interval, clips } = test;
    const reached = {
      ...(isTest ? { test: { accuracy, interval, clips } } : {}),
      ...(crossValidation === null ? {} : { crossValidation }),
      ...(remarks.length === 0 ? {} : { remarks }),
    };
    const file = { ...this.#modelFile(best, reached), confidence };
    if (this.#out !== undefined) await writeModelFile(this.#out, file);
    return modelFromFile(file);
  }

  #modelFile(best: Best | null, reached?: object): ModelFile {
    const { model } = this.#p;
    return {
      settings: model.settings,
      parameters: best?.parameters ?? model.parameters(),
      training: this.#provenance(best, reached),
      confidence: null,
      clipHashes: this.#p.clipHashes,
      state: null,
    };
  }

  #provenance(best: Best | null, reached?: object): Record<string, unknown> {
    const { run, dataset, splitText } = this.#p;
    return {
      options: run,
      dataset,
      split: splitText,
      ...(best ? { epoch: best.epoch, validation: { loss: best.loss, accuracy: best.accuracy } } : {}),
      ...reached,
    };
  }
}

function prefixed(prefix: string, tensors: Iterable<[string, Tensor]>): [string, Tensor][] {
  return [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor]);
}
