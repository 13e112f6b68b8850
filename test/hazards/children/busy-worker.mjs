// A worker that never stops by itself: trains, predicts, or loads clips, as its data says.
import { parentPort, workerData } from 'node:worker_threads';
import { evaluate, loadModel, readAudio } from '../../../dist/index.js';
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
} else if (workerData === 'stream') {
  // Some streams work on this thread, those of a model in use on another.
  const [free, used] = [await loadModel(), await loadModel()];
  const { samples, sampleRate } = await readAudio(CLIP);
  const quiet = new Float32Array(sampleRate / 2);
  for (;;) {
    void evaluate({ data: SAMPLES, split: 'all', model: used, threads: 1 });
    for (const model of [free, used, used]) {
      const stream = model.stream({ sampleRate });
      stream.on('word', () => {});
      for (const part of [quiet, samples, quiet, samples]) stream.write(part);
      stream.end();
    }
    started();
    await new Promise((next) => setTimeout(next, 5));
  }
} else {
  for (;;) {
    started();
    await evaluate({ data: SAMPLES, split: 'all' });
  }
}
