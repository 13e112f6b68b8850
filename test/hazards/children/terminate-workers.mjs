// Terminates workers at many moments of their work; argv: what they do, how many.
import { Worker } from 'node:worker_threads';
import { loadModel } from '../../../dist/index.js';
import { CLIP, sleep } from './common.mjs';

const [task, count] = [process.argv[2], Number(process.argv[3])];
const script = new URL('./busy-worker.mjs', import.meta.url);

for (let i = 0; i < count; i++) {
  const worker = new Worker(script, { workerData: task });
  await new Promise((done, fail) => worker.once('message', done).once('error', fail));
  await sleep((i * 7) % 23);
  await worker.terminate();
}
// The main thread has come to no harm.
const { label } = await (await loadModel()).predict(CLIP);
console.log(label);
