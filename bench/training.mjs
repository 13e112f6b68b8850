import { isDeepStrictEqual } from 'node:util';
import { presetSettings } from '../dist/index.js';
import { native } from '../dist/native.js';
import { resolveRunOptions, toNative } from '../dist/training-options.js';
import { alternate, requireAlike } from './peer.mjs';
import { random } from './random.mjs';

const DIGITS = [...'0123456789'];
const SECONDS = 0.5;
const BATCHES = [10, 64, 256];

/** Clips that cost what words do: noise whose loudness rises and falls. */
function clips(count, sampleRate) {
  const draw = random(4);
  return Array.from({ length: count }, (_, clip) => {
    const length = sampleRate * SECONDS;
    const samples = Float32Array.from(
      { length },
      (_, i) => (draw() - 0.5) * Math.sin((Math.PI * i) / length),
    );
    return { samples, sampleRate, label: clip % DIGITS.length };
  });
}

async function makeTrainer(preset, { threads, batchSize, count, epochs }) {
  const addon = native();
  const settings = presetSettings(preset, DIGITS);
  const model = new addon.Model(settings, threads);
  model.initialise(1);
  const store = new addon.FeatureStore(model, threads);
  await store.add(clips(count, settings.sampleRate));
  const all = Int32Array.from({ length: count }, (_, i) => i);
  await store.fit(all, false);
  const run = resolveRunOptions({ preset, batchSize, epochs }, 'all');
  return { model, trainer: new addon.Trainer(model, store, toNative(run), all) };
}

/** The weights after one epoch on one thread and on `threads` are the same. */
async function check(preset, threads, batchSize) {
  const options = { batchSize, count: 2 * batchSize, epochs: 1 };
  const [one, many] = await Promise.all(
    [1, threads].map(async (n) => {
      const { model, trainer } = await makeTrainer(preset, { ...options, threads: n });
      await trainer.runEpoch();
      return model.readParameters();
    }),
  );
  if (!isDeepStrictEqual(one, many))
    throw new Error(`training ${preset}: ${threads} threads give other bits than 1`);
}

/** The original program in PyTorch with our weights, on spikes of our own; its gradients are ours. */
async function makeOriginal(peer, batch, threads) {
  const settings = presetSettings('original', DIGITS);
  const model = new (native().Model)(settings, threads);
  model.initialise(1);
  const steps = settings.frames * settings.encoding.stepsPerFrame;
  const draw = random(5);
  const inputs = Float32Array.from({ length: steps * batch * 20 }, () => (draw() < 0.4 ? 1 : 0));
  const labels = Int32Array.from({ length: batch }, (_, i) => i % 10);
  for (const [name, values] of Object.entries(model.readParameters())) peer.write(name, values);
  peer.write('input', inputs);
  const sizes = [20, 32, 32, 32, 10];
  await peer.ask({ op: 'make', kind: 'original', sizes, steps, batch, labels: [...labels], threads });
  await peer.ask({ op: 'gradients' });
  const { gradients } = model.gradient(inputs, steps, batch, labels, 0);
  for (const [name, ours] of Object.entries(gradients)) {
    requireAlike(`original network, gradient of ${name}`, ours, peer.read(name), 0.999);
  }
}

/** Clips per second of whole training steps: encoding, forward, backward, optimizer. */
export async function benchTraining({ presets, threads, repeats, peer }) {
  const results = [];
  for (const preset of presets) {
    for (const batchSize of BATCHES) {
      await check(preset, threads, Math.min(batchSize, 16));
      const count = Math.max(256, batchSize);
      const { trainer } = await makeTrainer(preset, { threads, batchSize, count, epochs: repeats + 1 });
      const works = {
        sonospike: async () => {
          const start = performance.now();
          await trainer.runEpoch();
          return (performance.now() - start) / 1000 / count;
        },
      };
      if (peer && preset === 'original') {
        await makeOriginal(peer, batchSize, threads);
        works.pytorch = async () => (await peer.ask({ op: 'run' })).seconds / batchSize;
      }
      for (const [who, seconds] of Object.entries(await alternate(repeats, works))) {
        const what = `${preset}, batch ${batchSize}`;
        results.push({
          suite: 'training',
          who,
          what,
          unit: 'clips/s',
          values: seconds.map((s) => 1 / s),
          better: 'more',
        });
      }
    }
  }
  return results;
}
