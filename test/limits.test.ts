import { describe, expect, it } from 'vitest';
import { native } from '../lib/native/load.js';
import { defaultText } from '../lib/settings/defaults.js';
import { assign } from '../lib/settings/paths.js';
import { MAX_CLIP_RATE, PLACES } from '../lib/settings/table.js';
import { validateSettings } from '../lib/settings/validate.js';
import type { NumberField } from '../lib/support/fields.js';

/** A small network in which every kind of number has a meaning somewhere. */
const layer = {
  neuron: 'adaptive',
  recurrent: false,
  spike: { type: 'hard', surrogate: 'atan', slope: 2 },
  reset: 'subtract',
  detachReset: false,
  decay: 0.5,
  decaySpread: 0,
  threshold: 1,
  thresholdSpread: 0,
  learnDecay: true,
  learnThreshold: true,
  constrain: true,
} as const;

const BASE = {
  sampleRate: 8000,
  frontend: {
    type: 'mfcc',
    windowLength: 200,
    hopLength: 80,
    fftLength: 256,
    melBands: 4,
    minFrequency: 20,
    maxFrequency: 500,
    coefficients: 2,
    topDb: 80,
  },
  scaling: { type: 'standard', over: 'clip', pooled: true },
  frames: 4,
  tail: 1,
  encoding: { type: 'latency', stepsPerFrame: 2, threshold: 0 },
  network: {
    layers: [
      {
        ...layer,
        connection: { type: 'convolution', channels: 16, kernel: 1, stride: 2, taps: 1, dilation: 1 },
      },
      { ...layer, neurons: 3, connection: { type: 'dense', taps: 1, dilation: 1 } },
    ],
    readout: { type: 'mean-potential', decay: 0.5, learnDecay: true },
  },
  labels: ['no', 'yes'],
};

const wideBands = { 'frontend.melBands': 512, 'frontend.coefficients': 512, 'frontend.maxFrequency': 4000 };

/** What else a value at a limit needs, as fields depend on each other. */
const BESIDE: Record<string, (value: number) => Record<string, unknown>> = {
  sampleRate: (rate) => ({ 'frontend.hopLength': Math.ceil(rate / 1000) }),
  'frontend.windowLength': () => ({ 'frontend.fftLength': 16_384 }),
  'frontend.hopLength': () => ({ sampleRate: 1000 }),
  'frontend.fftLength': () => ({ 'frontend.windowLength': 2 }),
  'frontend.melBands': (bands) => ({
    'frontend.coefficients': Math.min(2, bands),
    'network.layers.0.connection.stride': 1,
  }),
  'frontend.minFrequency': () => ({
    sampleRate: 192_000,
    'frontend.maxFrequency': 96_000,
    'frontend.hopLength': 192,
  }),
  'frontend.maxFrequency': (value) => ({
    sampleRate: 192_000,
    'frontend.minFrequency': Math.max(0, Math.min(95_999, value - 1)),
    'frontend.hopLength': 192,
  }),
  'frontend.coefficients': (value) => ({
    'frontend.melBands': 512,
    'network.layers.0.connection.stride': Math.min(2, value),
  }),
  'network.layers.*.connection.kernel': () => wideBands,
  'network.layers.*.connection.stride': () => wideBands,

  'network.layers.*.thresholdSpread': () => ({ 'network.layers.*.threshold': 1e6 }),
};

/** Settings with one field at a value, in a layer that uses it. */
function at(path: string, value: number): object {
  const convolving = /connection\.(channels|kernel|stride)$/.test(path);
  const own = path.replace('*', convolving ? '0' : '1');
  const beside = Object.entries(BESIDE[path]?.(value) ?? {});
  return assign(BASE, [
    ...beside.map(([name, other]) => ({ path: name, value: other })),
    { path: own, value },
  ]);
}

const numbers = PLACES.flatMap(({ path, field }) =>
  field.type === 'integer' || field.type === 'number' ? [{ path, field: field as NumberField }] : [],
);

describe('the range of every setting', () => {
  it('is that of settings that pass', () => {
    expect(() => validateSettings(BASE, '')).not.toThrow();
    expect(numbers.length).toBeGreaterThan(25);
  });

  it.each(numbers)('$path: both ends pass here and in the addon', ({ path, field }) => {
    for (const value of [field.min, field.max]) {
      const settings = validateSettings(at(path, value), '');
      expect(() => new (native().Model)(settings, 1)).not.toThrow();
    }
  });

  it.each(numbers)('$path: a value beyond is refused with range and default', ({ path, field }) => {
    const step = field.type === 'integer' ? 1 : Math.max(1e-9, 1e-9 * Math.abs(field.max));
    for (const value of [field.min - step, field.max + step]) {
      const defaults = defaultText(path);
      const attempt = () => validateSettings(at(path, value), '');
      expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
      expect(attempt).toThrow(`from ${field.min} to ${field.max}`);
      if (defaults !== '') expect(attempt).toThrow(defaults);
    }
  });

  // The addon takes more mel bands and classes, for layers that are measured by themselves.
  const integers = numbers.filter(
    ({ path, field }) => field.type === 'integer' && path !== 'frontend.melBands',
  );
  it.each(integers)('$path: a value beyond is refused by the addon, too', ({ path, field }) => {
    for (const value of [field.min - 1, field.max + 1]) {
      expect(() => new (native().Model)(at(path, value) as never, 1)).toThrow(TypeError);
    }
  });

  it('of a sample rate of sound is one', () => {
    const tone = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
    expect(native().resample(tone, MAX_CLIP_RATE, 8000).length).toBeGreaterThan(0);
    expect(() => native().resample(tone, MAX_CLIP_RATE + 1, 8000)).toThrow(`1 to ${MAX_CLIP_RATE}`);
  });
});
