// How many files are open, how many samples in memory, and what becomes of errors, while clips are read and added.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Audio } from '../lib/audio/source.js';
import { addInChunks, loadClips } from '../lib/datasets/clip-loader.js';
import { loadModel, SonospikeError } from '../lib/index.js';
import type { NativeClip, NativeFeatureStore } from '../lib/native/addon.js';
import { SAMPLES } from './helpers/training.js';

const clip = join(SAMPLES, '7_kal_0.wav');
const tick = () => new Promise((next) => setImmediate(next));

/** A store that notes what it is given. */
function fakeStore(add: (clips: NativeClip[]) => Promise<void> = tick as () => Promise<void>) {
  const chunks: NativeClip[][] = [];
  const store = {
    size: () => 0,
    add(clips: NativeClip[]) {
      chunks.push(clips);
      return add(clips);
    },
  } as unknown as NativeFeatureStore;
  return { store, chunks };
}

const label = (result: Audio | SonospikeError, i: number) =>
  result instanceof SonospikeError ? null : { ...result, label: i };

describe('addInChunks', () => {
  it('keeps the order, leaves out what cannot be read, and opens few files at once', async () => {
    const { store, chunks } = fakeStore();
    let open = 0;
    let most = 0;
    const progress: number[] = [];
    const read = async (i: number) => {
      most = Math.max(most, ++open);
      for (let wait = 0; wait < (i * 7) % 5; wait++) await tick();
      open--;
      if (i % 10 === 3) throw new SonospikeError('ERR_AUDIO_SILENT', 'silent');
      return { samples: Float32Array.of(i), sampleRate: 8000 };
    };
    await addInChunks(store, 1000, read, label, (done) => progress.push(done));
    const all = chunks.flat();
    expect(all.map((each) => each.label)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % 10 !== 3),
    );
    expect(all.every((each) => each.samples[0] === each.label)).toBe(true);
    expect(most).toBeLessThanOrEqual(16);
    expect(progress.at(-1)).toBe(1000);
  });

  it('hands over sooner where clips are long', async () => {
    const { store, chunks } = fakeStore();
    const samples = { byteLength: 2 ** 27 } as Float32Array; // only looks that large
    await addInChunks(store, 100, async () => ({ samples, sampleRate: 8000 }), label);
    expect(chunks.flat()).toHaveLength(100);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(10);
  });

  it('throws what the addon says, even if it comes while files are read', async () => {
    const failure = new Error('full');
    const { store } = fakeStore(() => Promise.reject(failure));
    const read = async () => {
      for (let wait = 0; wait < 20; wait++) await tick();
      return { samples: Float32Array.of(1), sampleRate: 8000 };
    };
    await expect(addInChunks(store, 200, read, label)).rejects.toBe(failure);
  });

  it('waits for the addon before it throws what went wrong with reading', async () => {
    const broken = new RangeError('broken');
    let adding = false;
    const { store } = fakeStore(async () => {
      adding = true;
      for (let wait = 0; wait < 50; wait++) await tick();
      adding = false;
      throw new Error('nobody asks for this one');
    });
    const read = async (i: number) => {
      if (i === 100) throw broken;
      return { samples: Float32Array.of(1), sampleRate: 8000 };
    };
    await expect(addInChunks(store, 200, read, label)).rejects.toBe(broken);
    expect(adding).toBe(false);
  });
});

describe('loadClips', () => {
  const clips = Array.from({ length: 100 }, (_, i) => ({
    file: i === 70 ? join(SAMPLES, 'none.wav') : clip,
    label: '7',
    speaker: null,
    index: i,
  }));

  it('numbers the clips and skips what cannot be read, unless it is strict', async () => {
    const { store } = fakeStore();
    const { numbers, skipped } = await loadClips(store, clips, { labels: ['7'], strict: false });
    expect(numbers).toEqual(clips.map((_, i) => (i === 70 ? -1 : i - Number(i > 70))));
    expect(skipped).toHaveLength(1);
    await expect(loadClips(store, clips, { labels: ['7'], strict: true })).rejects.toMatchObject({
      code: 'ERR_DATASET_BAD_CLIP',
    });
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    const { store, chunks } = fakeStore();
    const options = { labels: ['7'], strict: false, signal: abort.signal, onProgress: () => abort.abort() };
    await expect(loadClips(store, clips, options)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(chunks).toHaveLength(1);
  });
});

describe('predictBatch', () => {
  it('of thousands of paths gives each its prediction', { timeout: 60_000 }, async () => {
    const model = await loadModel();
    const paths = Array.from({ length: 3000 }, (_, i) => join(SAMPLES, `${i % 10}_kal_0.wav`));
    const found = await model.predictBatch(paths);
    expect(found).toHaveLength(3000);
    expect(found[2999]).toEqual(await model.predict(paths[2999]!));
    expect(found[1234]).toEqual(found[4]);
  });

  it('refuses holes, and copies what is in memory', async () => {
    const model = await loadModel();
    await expect(model.predictBatch(new Array(3))).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    const samples = Float32Array.from({ length: 8000 }, (_, i) => Math.sin((i * i) / 5e4));
    const expected = await model.predict({ samples, sampleRate: 8000 });
    const found = model.predictBatch(Array.from({ length: 100 }, () => ({ samples, sampleRate: 8000 })));
    samples.fill(0);
    expect((await found)[99]).toEqual(expected);
  });
});
