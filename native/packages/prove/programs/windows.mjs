// Windows' own ways: a save over a file that another program has open for a moment, and the commands.
import { spawnSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadModel } from 'sonospike';

const model = await loadModel();
await model.save('out\\open.safetensors');
const reader = await open('out\\open.safetensors');
setTimeout(() => reader.close(), 300);
await model.save('out\\open.safetensors');
await loadModel('out\\open.safetensors');

const folder = dirname(createRequire(import.meta.url).resolve('sonospike/package.json'));
function command(...args) {
  const main = join(folder, 'dist\\cli\\main.js');
  const { status, stdout } = spawnSync(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}`);
  return stdout.toString();
}
const training = ['train', '--data', join(folder, 'samples'), '--split', 'random:0.2', '--out', 'out\\words.safetensors'];
command(...training, '--epochs', '2', '--seed', '1');
const { predictions } = JSON.parse(command('run-digit', '7.wav', '--model', 'out\\words.safetensors', '--json'));
if (!(predictions.length === 1)) throw new Error('run-digit predicts nothing.');
console.log(JSON.parse(command('run-digit', '7.wav', '--json')).predictions[0].predicted);
