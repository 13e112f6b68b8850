// What the shipped model makes of every sample clip: its label, and every spike as a byte in the file that argv names.
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { deviceInfo, loadModel } from 'sonospike';

const samples = join(dirname(createRequire(import.meta.url).resolve('sonospike/package.json')), 'samples');
const model = await loadModel();
const labels = {};
const spikes = [];
for (const name of readdirSync(samples).filter((each) => each.endsWith('.wav')).sort()) {
  const { label, layers } = await model.observe(join(samples, name));
  labels[name] = label;
  for (const layer of layers) spikes.push(Uint8Array.from(layer.spikes));
}
writeFileSync(process.argv[2], Buffer.concat(spikes));
const { instructionSet, platform } = await deviceInfo();
writeFileSync(`${process.argv[2]}.json`, JSON.stringify({ labels, instructionSet, platform }));
console.log('7');
