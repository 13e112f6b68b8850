// Arithmetic with subnormal numbers before, during and after the addon's work, here and in a worker.
import { readFileSync } from 'node:fs';
import { isMainThread, Worker } from 'node:worker_threads';
import { loadModel } from '../../../dist/index.js';
import { addon, CLIP, check, training } from './common.mjs';

const tiny = { double: 4.9e-324, normal: 2.2250738585072014e-308, float: new Float32Array([1e-45, 1.2e-38]) };

function intact(when) {
  check(Number.MIN_VALUE > 0, `${when}: MIN_VALUE is 0`);
  check(tiny.double > 0 && tiny.double * 2 > tiny.double, `${when}: subnormals count as 0`);
  check(tiny.normal / 4 > 0 && (tiny.normal / 4) * 4 === tiny.normal, `${when}: results are flushed`);
  check(
    Math.fround(tiny.float[1] / 3) > 0 && tiny.float[0] + tiny.float[0] > 0,
    `${when}: floats are flushed`,
  );
}

intact('after loading the addon');
const model = await loadModel();
intact('after loading a model');
model.predictSync(readFileSync(CLIP));
intact('after predictSync');
const pending = model.predict(CLIP);
intact('while predicting');
await pending;
intact('after predict');
await model.observe(CLIP);
intact('after observe');
for (const threads of [1, 2]) {
  await training({ epochs: 2, threads, onEpoch: () => intact('between epochs') });
  intact('after training');
}
try {
  model.native.predictSync(new Float32Array(1), 'no rate', 0);
} catch {
  intact('after a call that failed');
}
addon.encode(new Float32Array(4), 2, 2, { type: 'rate', stepsPerFrame: 2 }, 1, 0, 0);
intact('after a tool');

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  await new Promise((done, fail) => worker.once('exit', done).once('error', fail));
  intact('after a worker');
  console.log('done');
}
