// Growth of the resident memory, in bytes, over many rounds of what argv names. Run with --expose-gc.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createModel, loadModel, readAudio } from '../../../dist/index.js';
import { addon, CLIP, settings, sleep, sweep, training } from './common.mjs';

const model = await loadModel();
const bytes = readFileSync(CLIP);
const samples = sweep();
const { samples: clip, sampleRate } = await readAudio(CLIP);
const spoken = new Float32Array(8000);
spoken.set(addon.resample(clip, sampleRate, 8000), 2000);
const live = model.stream();
live.on('word', () => {});

const tasks = {
  predictSync: { rounds: 6000, work: () => model.predictSync(bytes) },
  predict: { rounds: 4000, work: () => model.predict(bytes) },
  // What it gives is large: what waits to be collected would hide what is left behind.
  observe: { rounds: 1500, collectEvery: 10, work: () => model.observe(bytes) },
  models: {
    rounds: 600,
    work: async () => (await createModel(settings(128), { threads: 1 })).predictSync(bytes),
  },
  stores: {
    rounds: 600,
    async work() {
      const store = new addon.FeatureStore(model.native, 2);
      await store.add([{ samples, sampleRate: 8000, label: -1 }]);
      await store.evaluate(Int32Array.of(0), 0, 0);
    },
  },
  streams: {
    rounds: 600,
    async work() {
      const stream = model.stream({ keepSamples: true });
      let words = 0;
      stream.on('word', () => words++).on('rejected', () => words++);
      for (let i = 0; i < 4; i++) stream.write(spoken);
      stream.end();
      await once(stream, 'close');
      if (words < 4) throw new Error(`${words} words of 4`);
    },
  },
  writes: { rounds: 4000, work: () => live.write(spoken) },
  errors: {
    rounds: 4000,
    async work() {
      await model.predict(bytes.subarray(0, 100)).catch(() => {});
      try {
        model.native.predictSync(samples, -1, 0);
      } catch {}
    },
  },
  trainings: { rounds: 60, collectEvery: 1, work: () => training({ epochs: 1 }) },
};

async function rounds(count, collectEvery, work) {
  for (let i = 0; i < count; i++) {
    await work();
    if (i % collectEvery === 0) {
      // Finalizers run from the event loop.
      globalThis.gc();
      await sleep(0);
    }
  }
  globalThis.gc();
  await sleep(20);
  globalThis.gc();
  return process.memoryUsage.rss();
}

const { rounds: count, collectEvery = 50, work } = tasks[process.argv[2]];
const before = await rounds(count / 4, collectEvery, work);
const after = await rounds(count, collectEvery, work);
console.log(after - before);
