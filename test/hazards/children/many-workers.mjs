// The addon in many workers at once: each loads the model, predicts, trains a little; and the main thread works too.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { loadModel, presetSettings } from '../../../dist/index.js';
import { native } from '../../../dist/native/load.js';
import { CLIP, check, training } from './common.mjs';

const WORKERS = 8;

async function work() {
  const model = await loadModel(undefined, { threads: 2 });
  const found = [];
  for (let i = 0; i < 20; i++) found.push(await model.predict(CLIP));
  const { frontend } = presetSettings('original', ['yes', 'no']);
  const samples = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i * 0.3));
  for (let i = 0; i < 20; i++) {
    const resampled = native().resample(samples, 11025, 16000 + 1000 * (i % 6));
    found.push(
      native()
        .features(resampled, 16000, { ...frontend, melBands: 40 + (i % 6) })
        .data.at(-1),
    );
  }
  const { epochs } = await training({ epochs: 2, seed: 5 });
  return JSON.stringify([found, epochs.map(({ train }) => train)]);
}

if (isMainThread) {
  for (let round = 0; round < 2; round++) {
    const others = Array.from({ length: WORKERS }, async () => {
      const worker = new Worker(new URL(import.meta.url));
      const answer = new Promise((done, fail) => worker.once('message', done).once('error', fail));
      const ended = new Promise((done) => worker.once('exit', done));
      const text = await answer;
      check((await ended) === 0, 'a worker ended with an error');
      return text;
    });
    const mine = await work();
    for (const text of await Promise.all(others)) check(text === mine, 'threads do not agree');
  }
  console.log('done');
} else {
  parentPort.postMessage(await work());
}
