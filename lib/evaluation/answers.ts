import type { Audio } from '../audio/source.js';
import { addInChunks } from '../datasets/clip-loader.js';
import type { SkippedFile } from '../datasets/dataset.js';
import type { Model } from '../model/model.js';
import { SILENCE_LABEL } from '../model/prediction.js';
import { guard, guardAsync } from '../native/errors.js';
import { SonospikeError } from '../support/errors.js';
import { type ClipResult, evaluateNumbers, type RunOver } from './clip-results.js';

/** Stands for the number of digital silence, which is not in the store. */
const SILENT = -2;

/** The prediction of a sound that is no clip of a dataset. */
type SoundResult = Pick<ClipResult, 'predicted' | 'confidence' | 'rejected'>;

export interface AnswerOptions extends RunOver {
  threads: number;
  /** Makes a sound that cannot be used an error. */
  strict: boolean;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Lets a model answer any number of sounds, on all threads. Digital silence is rejected.
 * @param read gives sound `i`
 * @returns null for each sound that could not be used, and why
 * @throws SonospikeError ERR_ABORTED, ERR_OUT_OF_MEMORY; with `strict` that of the sound
 */
export async function answerSounds(
  model: Model,
  count: number,
  read: (i: number) => Promise<Audio>,
  options: AnswerOptions,
): Promise<{ answers: (SoundResult | null)[]; skipped: SkippedFile[] }> {
  const store = guard(() => new model.addon.FeatureStore(model.native, options.threads));
  const skipped: SkippedFile[] = [];
  const numbers: number[] = [];
  let next = 0;
  const readWatched = (i: number) => {
    if (options.signal?.aborted)
      throw new SonospikeError('ERR_ABORTED', 'The evaluation was stopped.', {
        cause: options.signal.reason,
      });
    return read(i);
  };
  const use = (result: Audio | SonospikeError) => {
    if (!(result instanceof SonospikeError)) {
      numbers.push(next++);
      return { ...result, label: -1 };
    }
    // As in `predict`, silence is no error.
    if (result.code === 'ERR_AUDIO_SILENT') {
      numbers.push(SILENT);
      return null;
    }
    if (options.strict || result.code === 'ERR_ABORTED') throw result;
    skipped.push({ file: result.file ?? '', reason: result.message });
    numbers.push(-1);
    return null;
  };
  try {
    await addInChunks(store, count, readWatched, use, options.onProgress);
    await guardAsync(() => store.fit(new Int32Array(), true));
    const all = Int32Array.from({ length: next }, (_, i) => i);
    const { predictions } = next === 0 ? { predictions: [] } : await evaluateNumbers(store, all, options);
    const answers = numbers.map((number) => {
      if (number === SILENT) return { predicted: SILENCE_LABEL, confidence: 0, rejected: true };
      if (number < 0) return null;
      const { best, confidence, rejected } = predictions[number]!;
      return { predicted: model.labels[best]!, confidence, rejected };
    });
    return { answers, skipped };
  } finally {
    store.close();
  }
}
