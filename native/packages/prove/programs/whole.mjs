// Loads, trains on the sample clips of the package, saves over an earlier file, loads that, and predicts.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { evaluate, loadModel, train } from 'sonospike';

const folder = dirname(createRequire(import.meta.url).resolve('sonospike/package.json'));
const shipped = await loadModel();
const out = join('out', 'trained.safetensors');
writeFileSync(out, 'an earlier file');
const data = join(folder, 'samples');
const { model, epochs } = await train({ data, split: 'random:0.2', epochs: 2, seed: 1, negatives: 0, out });
if (!epochs.every(({ train }) => Number.isFinite(train.loss))) throw new Error('The training has no loss.');
const again = await loadModel(out);
const scores = async (each) => JSON.stringify((await each.predict('7.wav')).ranked);
if ((await scores(model)) !== (await scores(again))) throw new Error('The saved model gives other scores.');
await shipped.save(out);
const { accuracy } = await evaluate({ data, split: 'all', model: out });
if (!(accuracy > 0.9)) throw new Error(`The saved model has an accuracy of ${accuracy}.`);
console.log((await (await loadModel(out)).predict('7.wav')).label);
