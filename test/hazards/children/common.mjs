// What the children share. They run the built library, as a user's program would.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { presetSettings, train } from '../../../dist/index.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The addon itself, without the checks of lib. */
export const addon = createRequire(import.meta.url)('node-gyp-build')(root);

export const SAMPLES = fileURLToPath(new URL('../../../samples', import.meta.url));
export const CLIP = fileURLToPath(new URL('../../../samples/7_kal_0.wav', import.meta.url));

export const DIGITS = [...'0123456789'];

/** Settings of a network of two layers of `neurons`. */
export function settings(neurons = 12, preset = 'default') {
  const base = presetSettings(preset, DIGITS);
  const layer = { ...base.network.layers[0], neurons };
  const last = preset === 'default' ? layer : { ...layer, neurons: DIGITS.length };
  return { ...base, frames: 30, network: { ...base.network, layers: [layer, last] } };
}

/** A training on the samples; endless for a test unless told otherwise. */
export function training(options = {}) {
  return train({
    data: SAMPLES,
    settings: settings(),
    split: 'random:0.2',
    epochs: 100_000,
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

export function check(condition, what) {
  if (!condition) throw new Error(what);
}
