import { type Audio, readAudio } from '../audio/source.js';
import type { NativeClip, NativeFeatureStore } from '../native/addon.js';
import { guardAsync } from '../native/errors.js';
import { clipHash } from '../support/clip-hash.js';
import { SonospikeError } from '../support/errors.js';
import type { Clip } from './clip.js';
import type { SkippedFile } from './dataset.js';

export interface LoadOptions {
  /** Number of each label in the model. */
  labels: readonly string[];
  /** Makes a clip that cannot be used an error instead of skipping it. */
  strict: boolean;
  /** Keeps the samples of so many clips, the first, for augmentation. */
  augmented?: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface LoadedClips {
  numbers: number[];
  hashes: (number | null)[];
  seconds: number[];
  skipped: SkippedFile[];
}

/** Clips that are handed to the addon together. */
const TOGETHER = 64;
/** Files that are read at the same time. */
const READERS = 8;
/** Bytes of samples above which no more files are opened before the addon has had these. */
const MOST_BYTES = 2 ** 28;

/**
 * Reads clips and adds their features to `store`: the next files are read while the addon computes.
 * @returns for each clip its number in the store, -1 if it was skipped, the hash of its samples, null if it was skipped,
 * and its length in seconds, 0 if it was skipped; and what was skipped
 * @throws SonospikeError ERR_ABORTED, ERR_OUT_OF_MEMORY; with `strict` ERR_DATASET_BAD_CLIP
 */
export async function loadClips(
  store: NativeFeatureStore,
  clips: readonly Clip[],
  options: LoadOptions,
): Promise<LoadedClips> {
  const { signal, strict, onProgress, augmented = 0 } = options;
  const numberOf = new Map(options.labels.map((label, i) => [label, i]));
  const numbers: number[] = [];
  const hashes: (number | null)[] = [];
  const seconds: number[] = [];
  const skipped: SkippedFile[] = [];
  let next = store.size();
  const read = (i: number) => {
    if (signal?.aborted) throw aborted(signal);
    return readClip(clips[i]!);
  };
  const use = (result: Audio | SonospikeError, i: number) => {
    const { file, label } = clips[i]!;
    if (!(result instanceof SonospikeError)) {
      numbers.push(next++);
      hashes.push(clipHash(result.samples, result.sampleRate));
      seconds.push(result.samples.length / result.sampleRate);
      return { ...result, label: numberOf.get(label) ?? -1, augmented: i < augmented };
    }
    if (result.code === 'ERR_ABORTED') throw result;
    if (strict) throw new SonospikeError('ERR_DATASET_BAD_CLIP', result.message, { file, cause: result });
    skipped.push({ file, reason: result.message });
    numbers.push(-1);
    hashes.push(null);
    seconds.push(0);
    return null;
  };
  await addInChunks(store, clips.length, read, use, onProgress);
  return { numbers, hashes, seconds, skipped };
}

/** Reads a clip: the file, or the piece of it that is the clip. */
export async function readClip({ file, piece }: Pick<Clip, 'file' | 'piece'>): Promise<Audio> {
  const audio = await readAll(file);
  if (piece === undefined) return audio;
  const { samples, sampleRate } = audio;
  const first = Math.round(piece.start * sampleRate);
  return { ...audio, samples: samples.slice(first, first + Math.round(piece.seconds * sampleRate)) };
}

/**
 * Adds `count` clips to `store` in order, a chunk at a time, so that neither all files are open nor all samples in
 * memory at once. The next chunk is read while the addon computes.
 * @param read gives clip `i`
 * @param use makes of it, or of why it cannot be read, what is added; null: nothing. Called in order; may throw
 */
export async function addInChunks(
  store: NativeFeatureStore,
  count: number,
  read: (i: number) => Promise<Audio>,
  use: (result: Audio | SonospikeError, i: number) => NativeClip | null,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  let adding: Promise<void> = Promise.resolve();
  try {
    for (let first = 0; first < count; ) {
      const results = await readChunk(first, Math.min(first + TOGETHER, count), read);
      const good = results.map((result, i) => use(result, first + i)).filter((clip) => clip !== null);
      await adding;
      adding = guardAsync(() => store.add(good));
      // Its error is thrown where it is awaited, but that may be long after it came.
      adding.catch(() => {});
      first += results.length;
      onProgress?.(first, count);
    }
  } finally {
    // The store is not left in use; an error of the loop comes before one of the addon.
    await adding.catch(() => {});
  }
  await adding;
}

/** Reads clips from `first` on, until `end` or until they are many bytes. */
async function readChunk(
  first: number,
  end: number,
  read: (i: number) => Promise<Audio>,
): Promise<(Audio | SonospikeError)[]> {
  const results: (Audio | SonospikeError)[] = [];
  let next = first;
  let bytes = 0;
  const reader = async () => {
    while (next < end && bytes < MOST_BYTES) {
      const i = next++;
      try {
        const audio = await read(i);
        results[i - first] = audio;
        bytes += audio.samples.byteLength;
      } catch (error) {
        if (!(error instanceof SonospikeError)) {
          next = end;
          throw error;
        }
        results[i - first] = error;
      }
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return results;
}

/** A clip of which samples are missing is no example of its word. */
async function readAll(file: string): Promise<Audio> {
  const audio = await readAudio(file);
  if (audio.remarks.length === 0) return audio;
  throw new SonospikeError('ERR_AUDIO_INVALID', audio.remarks.join(' '), { file });
}

function aborted(signal: AbortSignal): SonospikeError {
  return new SonospikeError('ERR_ABORTED', 'Stopped while reading the clips.', { cause: signal.reason });
}
