// A worker that never stops by itself: trains, predicts, or loads clips, as its data says.
import { parentPort, workerData } from 'node:worker_threads';
import { evaluate, loadModel } from '../../../dist/index.js';
import { CLIP, SAMPLES, training } from './common.mjs';

const started = () => parentPort.postMessage('started');

if (workerData === 'train') {
  await training({ onEpoch: started });
} else if (workerData === 'predict') {
  const model = await loadModel();
  for (;;) {
    await Promise.all(Array.from({ length: 8 }, () => model.predict(CLIP)));
    started();
  }
} else if (workerData === 'predictSync') {
  const { readFileSync } = await import('node:fs');
  const model = await loadModel();
  const bytes = readFileSync(CLIP);
  started();
  for (;;) model.predictSync(bytes);
} else {
  for (;;) {
    started();
    await evaluate({ data: SAMPLES, split: 'all' });
  }
}
