// Objects are dropped and collected, and buffers written over or transferred, while the addon works with them.
// Run with --expose-gc.
import { readFileSync } from 'node:fs';
import { loadModel } from '../../../dist/index.js';
import { addon, CLIP, check, settings, sleep, spoken, sweep } from './common.mjs';

const { gc } = globalThis;
const options = {
  epochs: 3,
  batchSize: 4,
  seed: 1,
  labelSmoothing: 0,
  optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
  schedule: { type: 'constant', rate: 1e-3, warmupShare: 0.3 },
};

/** A promise of work whose every object is out of reach when it is given. */
async function droppedTraining() {
  const model = new addon.Model(settings(64), 2);
  model.initialise(1);
  const store = new addon.FeatureStore(model, 2);
  await store.add(
    Array.from({ length: 10 }, (_, i) => ({ samples: sweep(4000 + i), sampleRate: 8000, label: i })),
  );
  await store.fit(new Int32Array(), false);
  const clips = Int32Array.from({ length: 10 }, (_, i) => i);
  return { running: new addon.Trainer(model, store, options, clips).runEpoch() };
}

async function droppedPrediction(samples) {
  const model = new addon.Model(settings(64), 1);
  model.initialise(2);
  return { running: model.predict(samples, 8000, 0) };
}

/** What a stream finds whose model is in use, every object out of reach. */
async function droppedStream(samples) {
  const model = new addon.Model(settings(64), 2);
  model.initialise(2);
  const options = { sampleRate: 8000, endSilence: 0.25, seed: 0, keepSamples: true };
  const stream = new addon.Stream(model, options);
  const store = new addon.FeatureStore(model, 1);
  await store.add([{ samples: sweep(), sampleRate: 8000, label: 0 }]);
  const evaluating = store.evaluate(new Int32Array(1000), 0, 0);
  await untilBusy(model, evaluating);
  // The silence after the sound ends it: what waits then is a write.
  return { evaluating, running: stream.write(samples) };
}

/** The work has begun; on a busy machine it may also have ended before this thread saw it. */
async function untilBusy(model, work) {
  let ended = false;
  void work.then(() => {
    ended = true;
  });
  while (!ended) {
    try {
      model.readScaling();
    } catch {
      return;
    }
    await sleep(0);
  }
}

async function collectUntil(promise) {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  while (!settled) {
    gc();
    await sleep(0);
  }
  return watched;
}

for (let i = 0; i < 30; i++) {
  const { running } = await droppedTraining();
  const { complete, sums } = await collectUntil(running);
  check(complete && sums.clips === 10 && Number.isFinite(sums.loss), 'a dropped training gave nonsense');
}

const wanted = (await (await droppedPrediction(sweep())).running).scores;
for (let i = 0; i < 100; i++) {
  const samples = sweep();
  const { running } = await droppedPrediction(samples);
  // The caller's array is its own again at once: written over, or moved elsewhere.
  if (i % 2) samples.fill(Number.NaN);
  else structuredClone(samples, { transfer: [samples.buffer] });
  const { scores } = await collectUntil(running);
  check(
    Buffer.compare(Buffer.from(scores.buffer), Buffer.from(wanted.buffer)) === 0,
    'a reused buffer was read',
  );
}

for (let i = 0; i < 20; i++) {
  const samples = spoken();
  const { running, evaluating } = await droppedStream(samples);
  samples.fill(Number.NaN);
  // It may have been its turn already.
  const found = running instanceof Promise ? await collectUntil(running) : running;
  check(
    found.length === 1 && found[0].samples.every((x) => Number.isFinite(x)),
    'a dropped stream gave nonsense',
  );
  await evaluating;
}

const model = await loadModel();
const bytes = readFileSync(CLIP);
const expected = JSON.stringify(await model.predict(Uint8Array.from(bytes)));
for (let i = 0; i < 50; i++) {
  const copy = Uint8Array.from(bytes);
  const running = model.predict(copy);
  copy.fill(0);
  check(JSON.stringify(await collectUntil(running)) === expected, 'a reused WAV buffer was read');
}
console.log('done');
