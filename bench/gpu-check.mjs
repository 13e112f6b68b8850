// The steps of gpu-check.sh that are more than a command: `steps`, `memory` and `report`. See there.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { choosePlace } from '../dist/native/device.js';
import { makeTrainer } from './clips.mjs';

/** A training step and an evaluation of each preset on the GPU: short enough for a sanitizer. */
async function steps() {
  const place = await choosePlace('cuda', 'cuda');
  for (const preset of ['original', 'default']) {
    const made = await makeTrainer({ preset, threads: 2, batchSize: 6, count: 8, epochs: 1, place });
    const { complete, sums } = await made.trainer.runEpoch();
    const { loss } = await made.store.evaluate(
      Int32Array.from({ length: 8 }, (_, i) => i),
      1,
      0,
    );
    if (!complete || !Number.isFinite(sums.loss) || !Number.isFinite(loss))
      throw new Error(`${preset}: no loss`);
    console.log(`${preset}: training loss ${sums.loss / sums.clips}, after it ${loss}`);
  }
}

const WARM = 2; // epochs, after which everything has its memory
const MIB = 2 ** 20;
const MOST_GROWTH = 8 * MIB;

/** Neither the GPU's memory nor the process's grows over the epochs of a training. */
async function memory(epochs = 100, count = 256) {
  const place = await choosePlace('cuda', 'cuda');
  const made = await makeTrainer({
    preset: 'original',
    threads: 2,
    batchSize: 32,
    count,
    epochs,
    place,
  });
  const free = () => place.addon.cudaInfo().devices[place.number].freeMemory;
  let before;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    await made.trainer.runEpoch();
    if (epoch === WARM) before = { free: free(), resident: process.memoryUsage.rss() };
  }
  const grown = { device: before.free - free(), resident: process.memoryUsage.rss() - before.resident };
  console.log(JSON.stringify({ epochs, ...grown }));
  if (grown.device > MOST_GROWTH) throw new Error(`the GPU's memory in use grew by ${grown.device} bytes`);
}

/** Puts what the steps have left into one file. */
function report(logs, results) {
  const json = (name) => {
    const file = join(logs, `${name}.json`);
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      return null; // its step failed
    }
  };
  const lines = (name) => readFileSync(join(logs, name), 'utf8').trim().split('\n');
  const info = json('info');
  const gpu = info?.cuda.devices[info.cuda.device ?? 0];
  const date = new Date().toISOString().slice(0, 10);
  const [onGpu, onCpu] = [json('accuracy-cuda'), json('accuracy-cpu')];
  // The CPU's seconds are not its own: the sanitizers ran beside it.
  const seconds = onGpu?.runs.map((run) => run.secondsToTarget);
  const found = {
    date,
    gpu,
    info,
    steps: lines('steps.jsonl').map((line) => JSON.parse(line)),
    memory: json('memory'),
    accuracy: {
      cuda: onGpu && { ...onGpu.summary?.accuracy, seconds },
      cpu: onCpu && { ...onCpu.summary?.accuracy },
    },
    bench: readdirSync(logs)
      .filter((name) => /^bench-.*\.json$/.test(name))
      .map((name) => json(name.slice(0, -5)))
      .filter((bench) => bench !== null),
  };
  const name = (gpu?.name ?? 'no-gpu').toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const file = join(results, `${date}-${name}.json`);
  writeFileSync(file, `${JSON.stringify(found, null, 1)}\n`);
  const failed = found.steps.filter(({ status }) => status !== 0).map(({ step }) => step);
  console.log(`${file}; ${failed.length === 0 ? 'every step passed' : `failed: ${failed.join(', ')}`}`);
  for (const { results: rows } of found.bench) {
    for (const { suite, what, who, median, unit, timesFloor, ratio, refused, failed: why } of rows) {
      const times = ratio ? `${ratio.of} ${ratio.times.toFixed(1)}x ${ratio.to}` : '';
      const value = refused ?? why ?? `${median.toPrecision(4)} ${unit}, ${timesFloor?.toFixed(1)}x floor`;
      console.log(`${suite}, ${what}: ${who} ${value} ${times}`);
    }
  }
}

const [command, ...args] = process.argv.slice(2);
const COMMANDS = { steps, memory: (...sizes) => memory(...sizes.map(Number)), report };
await COMMANDS[command](...args);
