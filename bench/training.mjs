import { isDeepStrictEqual } from 'node:util';
import { presetSettings } from '../dist/index.js';
import { native } from '../dist/native.js';
import { resolveRunOptions, toNative } from '../dist/training-options.js';

const DIGITS = [...'0123456789'];
const SECONDS = 0.5;

/** Clips that cost what words do: noise whose loudness rises and falls. */
function clips(count, sampleRate) {
  return Array.from({ length: count }, (_, clip) => {
    const samples = new Float32Array(sampleRate * SECONDS);
    let state = clip + 1;
    for (let i = 0; i < samples.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      samples[i] = (state / 2 ** 32 - 0.5) * Math.sin((Math.PI * i) / samples.length);
    }
    return { samples, sampleRate, label: clip % DIGITS.length };
  });
}

async function makeTrainer(preset, { threads, batchSize, count, epochs }) {
  const addon = native();
  const settings = presetSettings(preset, DIGITS);
  const model = new addon.Model(settings, threads);
  model.initialise(1);
  const store = new addon.FeatureStore(model, threads);
  await store.add(clips(count, settings.sampleRate));
  const all = Int32Array.from({ length: count }, (_, i) => i);
  await store.fit(all, false);
  const run = resolveRunOptions({ preset, batchSize, epochs }, 'all');
  return { model, trainer: new addon.Trainer(model, store, toNative(run), all) };
}

/** The weights after one epoch on one thread and on `threads` are the same. */
async function check(preset, threads, batchSize) {
  const [one, many] = await Promise.all(
    [1, threads].map(async (n) => {
      const { model, trainer } = await makeTrainer(preset, { threads: n, batchSize, count: 2 * batchSize, epochs: 1 });
      await trainer.runEpoch();
      return model.readParameters();
    }),
  );
  if (!isDeepStrictEqual(one, many)) throw new Error(`training ${preset} on ${threads} threads gives other bits than on 1`);
}

/** Clips per second of whole training steps: encoding, forward, backward, optimizer. */
export async function benchTraining(preset, { threads, repeats }) {
  const results = [];
  for (const batchSize of [10, 64, 256]) {
    await check(preset, threads, Math.min(batchSize, 16));
    const count = Math.max(256, batchSize);
    const { trainer } = await makeTrainer(preset, { threads, batchSize, count, epochs: repeats + 1 });
    const values = [];
    for (let i = 0; i <= repeats; i++) {
      const start = performance.now();
      await trainer.runEpoch();
      if (i > 0) values.push(count / ((performance.now() - start) / 1000));
    }
    results.push({ what: `batch ${batchSize}`, unit: 'clips/s', values, batchSize });
  }
  return results;
}
