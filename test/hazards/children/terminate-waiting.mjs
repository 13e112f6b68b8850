// Terminates workers whose jobs wait for each other.
import { Worker } from 'node:worker_threads';
import { loadModel } from '../../../dist/index.js';
import { CLIP, sleep } from './common.mjs';

for (let i = 0; i < 5; i++) {
  const worker = new Worker(new URL('./waiting-worker.mjs', import.meta.url));
  await new Promise((done, fail) => worker.once('message', done).once('error', fail));
  await sleep((i * 37) % 101);
  await worker.terminate();
}
const { label } = await (await loadModel()).predict(CLIP);
console.log(label);
