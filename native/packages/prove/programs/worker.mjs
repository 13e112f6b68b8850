// Predicts in a worker thread, then terminates workers while they predict: this thread must come to no harm.
import { Worker } from 'node:worker_threads';
import { loadModel } from 'sonospike';

const WORKERS = 10;

function start() {
  const worker = new Worker(new URL('./busy.mjs', import.meta.url));
  return new Promise((done, fail) => {
    worker.once('message', (label) => done({ worker, label }));
    worker.once('error', fail);
  });
}

const labels = new Set();
for (let i = 0; i < WORKERS; i++) {
  const { worker, label } = await start();
  labels.add(label);
  await new Promise((done) => setTimeout(done, (7 * i) % 23));
  await worker.terminate();
}
labels.add((await (await loadModel()).predict('7.wav')).label);
console.log([...labels].join());
