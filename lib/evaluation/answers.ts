import type { Audio } from '../audio/source.js';
import { addInChunks } from '../datasets/clip-loader.js';
import type { SkippedFile } from '../datasets/dataset.js';
import type { Model } from '../model/model.js';
import { guard, guardAsync } from '../native/errors.js';
import { SonospikeError } from '../support/errors.js';
import { type ClipResult, evaluateNumbers, type RunOver } from './clip-results.js';

/** The prediction of a sound that is no clip of a dataset. */
type SoundResult = Pick<ClipResult, 'predicted' | 'confidence' | 'rejected'>;

export interface AnswerOptions extends RunOver {
  threads: number;
  /** Makes a sound that cannot be used an error. */
  strict: boolean;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Lets a model answer any number of sounds, on all threads.
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
    if (options.strict || result.code === 'ERR_ABORTED') throw result;
    skipped.push({ file: result.file ?? '', reason: result.message });
    numbers.push(-1);
    return null;
  };
  try {
    await addInChunks(store, count, readWatched, use, options.onProgress);
    if (next === 0) return { answers: numbers.map(() => null), skipped };
    await guardAsync(() => store.fit(new Int32Array(), true));
    const { predictions } = await evaluateNumbers(
      store,
      Int32Array.from({ length: next }, (_, i) => i),
      options,
    );
    const answers = numbers.map((number) => {
      if (number < 0) return null;
      const { best, confidence, rejected } = predictions[number]!;
      return { predicted: model.labels[best]!, confidence, rejected };
    });
    return { answers, skipped };
  } finally {
    store.close();
  }
}
