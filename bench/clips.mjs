import { presetSettings } from '../dist/index.js';
import { host } from '../dist/native/device.js';
import { resolveRunOptions, toNative } from '../dist/training/recipe.js';
import { random } from './random.mjs';

export const DIGITS = [...'0123456789'];

/** Clips that cost what words do: noise whose loudness rises and falls. */
export function* noiseClips(count, sampleRate, seconds) {
  const draw = random(4);
  for (let clip = 0; clip < count; clip++) {
    const length = Math.round(sampleRate * seconds);
    const samples = new Float32Array(length);
    for (let i = 0; i < length; i++) samples[i] = (draw() - 0.5) * Math.sin((Math.PI * i) / length);
    yield { samples, sampleRate, label: clip % DIGITS.length };
  }
}

/** Settings of a preset for clips `times` as long as its own. */
export function longerSettings(preset, times) {
  const settings = presetSettings(preset, DIGITS);
  return { ...settings, frames: Math.round(settings.frames * times) };
}

const AT_A_TIME = 64;
const WORD = 0.5; // seconds

/** A model and a trainer on noise, ready for `epochs` epochs; on the CPU unless `place` is another device. */
export async function makeTrainer(options) {
  const { preset, threads, batchSize, count, epochs, times = 1, seconds = WORD * times } = options;
  const settings = options.settings ?? longerSettings(preset, times);
  const { addon, number } = options.place ?? host();
  const model = new addon.Model(settings, threads, number);
  model.initialise(1);
  const store = new addon.FeatureStore(model, threads);
  let chunk = [];
  for (const clip of noiseClips(count, settings.sampleRate, seconds)) {
    if (chunk.push(clip) < AT_A_TIME) continue;
    await store.add(chunk);
    chunk = [];
  }
  if (chunk.length > 0) await store.add(chunk);
  const all = Int32Array.from({ length: count }, (_, i) => i);
  await store.fit(all, false);
  // The network alone is timed, on clips as they are.
  const run = resolveRunOptions({ preset, batchSize, epochs, augmentation: null, negatives: 0 }, 'all');
  const trainer = new addon.Trainer(model, store, toNative(run), all);
  return { settings, model, store, trainer, count };
}

/** Times an epoch; seconds for each clip. */
export function epochWork({ trainer, count }) {
  return async () => {
    const start = performance.now();
    await trainer.runEpoch();
    return (performance.now() - start) / 1000 / count;
  };
}
