import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { createModel, presetSettings } from '../dist/index.js';
import { alternate } from './peer.mjs';
import { quantile } from './statistics.mjs';

const SAMPLES = new URL('../samples/', import.meta.url);

function sampleWavs() {
  return readdirSync(SAMPLES)
    .filter((name) => name.endsWith('.wav'))
    .sort()
    .map((name) => readFileSync(new URL(name, SAMPLES)));
}

/** Seconds of every prediction, one clip after the other. */
function latencies(model, wavs) {
  return wavs.map((wav) => {
    const start = performance.now();
    model.predictSync(wav);
    return (performance.now() - start) / 1000;
  });
}

/** From the bytes of a WAV to the label: one clip on one thread, and many on all. */
export async function benchInference({ presets, threads, repeats, peer }) {
  const results = [];
  for (const preset of presets) {
    const model = createModel(presetSettings(preset, [...'0123456789']), { threads, seed: 1 });
    const wavs = sampleWavs();
    const batch = await model.predictBatch(wavs);
    const single = wavs.map((wav) => model.predictSync(wav));
    if (!isDeepStrictEqual(single, batch))
      throw new Error(`${preset}: a batch gives other scores than single clips`);

    const all = [];
    const works = {
      sonospike: () => {
        const seconds = latencies(model, wavs);
        all.push(...seconds);
        return quantile(
          seconds.sort((a, b) => a - b),
          0.5,
        );
      },
    };
    if (peer && preset === 'original') {
      // The network alone: reading, features and encoding are left out on that side.
      for (const [name, { data }] of model.parameters()) peer.write(name, data);
      peer.write('input', new Float32Array(800 * 20).fill(1));
      const sizes = [20, 32, 32, 32, 10];
      await peer.ask({ op: 'make', kind: 'original', sizes, steps: 800, batch: 1, labels: [0], threads: 1 });
      works.pytorch = async () => (await peer.ask({ op: 'forward' })).seconds;
    }
    for (const [who, seconds] of Object.entries(await alternate(repeats, works))) {
      const p99 =
        who === 'sonospike'
          ? {
              p99:
                quantile(
                  all.sort((a, b) => a - b),
                  0.99,
                ) * 1000,
            }
          : {};
      const values = seconds.map((s) => s * 1000);
      results.push({
        suite: 'inference',
        who,
        what: `${preset}, one clip`,
        unit: 'ms',
        values,
        better: 'less',
        ...p99,
      });
    }
    const rates = await alternate(repeats, { sonospike: async () => void (await model.predictBatch(wavs)) });
    const values = rates.sonospike.map((s) => wavs.length / s);
    const what = `${preset}, batch of ${wavs.length}`;
    results.push({ suite: 'inference', who: 'sonospike', what, unit: 'clips/s', values, better: 'more' });
  }
  return results;
}
