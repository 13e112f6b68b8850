// What the children share. They run the built library, as a user's program would.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { presetSettings, train } from '../../../dist/index.js';
import { validateSettings } from '../../../dist/settings/validate.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The addon itself, without the checks of lib. */
export const addon = createRequire(import.meta.url)('node-gyp-build')(root);

export const SAMPLES = fileURLToPath(new URL('../../../samples', import.meta.url));
export const CLIP = fileURLToPath(new URL('../../../samples/7_kal_0.wav', import.meta.url));

export const DIGITS = [...'0123456789'];

/** Settings of a network of two recurrent layers of `neurons`. */
export function settings(neurons = 12) {
  const file = new URL('../../helpers/recurrent.json', import.meta.url);
  const base = { ...JSON.parse(readFileSync(file, 'utf8')), labels: DIGITS };
  return ofTwoLayers(base, { ...base.network.layers[0], neurons }, {});
}

/** Settings of small networks of the kinds that the presets are. */
export function presetLike(preset) {
  const base = presetSettings(preset, DIGITS);
  const [layer] = base.network.layers;
  if (preset === 'original') return ofTwoLayers(base, layer, { neurons: DIGITS.length });
  const connection = { ...layer.connection, channels: 16 };
  return ofTwoLayers(base, { ...layer, connection, neurons: undefined }, {});
}

function ofTwoLayers(base, layer, last) {
  const network = { ...base.network, layers: [layer, { ...layer, ...last }] };
  return validateSettings({ ...base, frames: 30, network }, '');
}

/** A training on the samples; endless for a test unless told otherwise. */
export function training(options = {}) {
  return train({
    data: SAMPLES,
    settings: settings(),
    split: 'random:0.2',
    epochs: 100_000,
    validation: 0.1,
    calibrationFolds: 0,
    augmentation: null,
    negatives: 0,
    threads: 2,
    ...options,
  });
}

export function sleep(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

/** A sound that is not silent: a sweep. */
export function sweep(length = 8000) {
  return Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((i * i) / 5e4));
}

/** A second in which there is a sound of a quarter of a second, as long as a word. */
export function spoken() {
  const samples = new Float32Array(8000);
  for (let i = 0; i < 2000; i++) samples[4000 + i] = 0.5 * Math.sin(0.3 * i + (i * i) / 2e4);
  return samples;
}

export function check(condition, what) {
  if (!condition) throw new Error(what);
}
