// A worker in which everything waits for one model: a long evaluation has it, then come predictions, then another
// evaluation on a thread of its own.
import { parentPort } from 'node:worker_threads';
import { addon, settings, sweep } from './common.mjs';

const model = new addon.Model(settings(), 1);
model.initialise(1);
const stores = [];
for (let i = 0; i < 2; i++) {
  const store = new addon.FeatureStore(model, 1);
  await store.add([{ samples: sweep(), sampleRate: 8000, label: 0 }]);
  stores.push(store);
}
stores[0].evaluate(new Int32Array(2_000_000), 0, 0);
for (;;) {
  try {
    model.readScaling();
  } catch {
    break;
  }
  await new Promise((next) => setImmediate(next));
}
for (let i = 0; i < 20_000; i++) model.predict(sweep(100), 8000, 0);
// The first of them has joined those who wait by now.
await new Promise((next) => setTimeout(next, 300));
stores[1].evaluate(new Int32Array(10), 0, 0);
model.predict(sweep(100), 8000, 0);
parentPort.postMessage('waiting');
