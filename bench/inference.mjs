import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { createModel, presetSettings } from '../dist/index.js';
import { quantile } from './statistics.mjs';

const SAMPLES = new URL('../samples/', import.meta.url);
const ROUNDS = 4;

function sampleWavs() {
  return readdirSync(SAMPLES)
    .filter((name) => name.endsWith('.wav'))
    .sort()
    .map((name) => readFileSync(new URL(name, SAMPLES)));
}

/** From the bytes of a WAV to the label: one clip on one thread, and many on all. */
export async function benchInference(preset, { threads, repeats }) {
  const model = createModel(presetSettings(preset, [...'0123456789']), { threads, seed: 1 });
  const wavs = sampleWavs();
  const batch = await model.predictBatch(wavs);
  const single = wavs.map((wav) => model.predictSync(wav));
  if (!isDeepStrictEqual(single, batch)) throw new Error(`${preset}: a batch gives other scores than single clips`);

  const latencies = [];
  for (let round = 0; round < repeats * ROUNDS; round++) {
    for (const wav of wavs) {
      const start = performance.now();
      model.predictSync(wav);
      latencies.push(performance.now() - start);
    }
  }
  const p99 = quantile([...latencies].sort((a, b) => a - b), 0.99);
  const rates = [];
  for (let round = 0; round < repeats; round++) {
    const start = performance.now();
    await model.predictBatch(wavs);
    rates.push(wavs.length / ((performance.now() - start) / 1000));
  }
  return [
    { what: 'one clip, WAV bytes to label', unit: 'ms', values: latencies, p99 },
    { what: `batch of ${wavs.length}`, unit: 'clips/s', values: rates },
  ];
}
