import { readAudio } from './audio/source.js';
import type { Clip } from './datasets/index.js';
import { SonospikeError } from './errors.js';
import { guardAsync } from './model.js';
import type { NativeFeatureStore } from './native.js';

export interface SkippedClip {
  file: string;
  reason: string;
}

export interface LoadOptions {
  /** Number of each label in the model. */
  labels: readonly string[];
  /** Makes a clip that cannot be used an error instead of skipping it. */
  strict: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Files that are read at the same time; their samples are in memory together. */
const TOGETHER = 64;

/**
 * Reads clips and adds their features to `store`: the next files are read while the addon computes.
 * @returns for each clip its number in the store, or -1 if it was skipped; and what was skipped
 * @throws SonospikeError ERR_ABORTED, ERR_OUT_OF_MEMORY; with `strict` ERR_DATASET_BAD_CLIP
 */
export async function loadClips(
  store: NativeFeatureStore,
  clips: readonly Clip[],
  options: LoadOptions,
): Promise<{ numbers: number[]; skipped: SkippedClip[] }> {
  const numberOf = new Map(options.labels.map((label, i) => [label, i]));
  const numbers: number[] = [];
  const skipped: SkippedClip[] = [];
  let next = store.size();
  let adding: Promise<void> = Promise.resolve();
  for (let first = 0; first < clips.length; first += TOGETHER) {
    if (options.signal?.aborted) {
      await adding;
      throw new SonospikeError('ERR_ABORTED', 'Stopped while reading the clips.', {
        cause: options.signal.reason,
      });
    }
    const read = await Promise.all(clips.slice(first, first + TOGETHER).map((clip) => readClip(clip.file)));
    const good: { samples: Float32Array; sampleRate: number; label: number }[] = [];
    for (const [i, result] of read.entries()) {
      const clip = clips[first + i]!;
      if (result instanceof SonospikeError) {
        if (options.strict) {
          await adding;
          throw badClip(clip, result);
        }
        skipped.push({ file: clip.file, reason: result.message });
        numbers.push(-1);
      } else {
        good.push({ ...result, label: numberOf.get(clip.label) ?? -1 });
        numbers.push(next++);
      }
    }
    await adding;
    adding = guardAsync(() => store.add(good));
    options.onProgress?.(Math.min(first + TOGETHER, clips.length), clips.length);
  }
  await adding;
  return { numbers, skipped };
}

function badClip(clip: Clip, error: SonospikeError): SonospikeError {
  return new SonospikeError('ERR_DATASET_BAD_CLIP', error.message, { file: clip.file, cause: error });
}

async function readClip(file: string) {
  try {
    return await readAudio(file);
  } catch (error) {
    if (error instanceof SonospikeError) return error;
    throw error;
  }
}
