// A worker that predicts until it is terminated.
import { parentPort } from 'node:worker_threads';
import { loadModel } from 'sonospike';

const model = await loadModel();
for (;;) {
  const [{ label }] = await Promise.all(Array.from({ length: 8 }, () => model.predict('7.wav')));
  parentPort.postMessage(label);
}
