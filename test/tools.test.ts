// The parts of the core that the addon offers by themselves.
import { describe, expect, it } from 'vitest';
import { native } from '../lib/native/load.js';
import { presetSettings } from '../lib/settings/presets.js';

const tone = (length: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 0.3) * Math.sin(i * 0.001));
const { frontend } = presetSettings('original', ['yes', 'no']);

// More of each than the addon keeps tables of.
const frontends = [
  frontend,
  { ...frontend, type: 'log-mel' as const },
  { ...frontend, hopLength: 160 },
  { ...frontend, melBands: 40 },
  { ...frontend, minFrequency: 20 },
  { ...frontend, topDb: 10 },
  { ...frontend, coefficients: 13 },
];
const rates = [8000, 11025, 22050, 24000, 32000, 44100, 48000];

describe('tables that are kept', () => {
  it('features are those of the settings given, in whatever order', () => {
    const samples = tone(8000);
    const once = frontends.map((settings) => native().features(samples, 16000, settings));
    for (const i of [0, 0, 3, 6, 0, 1, 2, 3, 4, 5, 6, 6, 0, 2]) {
      expect(native().features(samples, 16000, frontends[i]!)).toEqual(once[i]);
    }
    expect(once.map(({ data }) => data.length)).toEqual([820, 2624, 1020, 820, 820, 820, 533]);
    expect(new Set(once.map(({ data }) => data.join())).size).toBe(frontends.length);
  });

  it('features depend on the sample rate', () => {
    const samples = tone(8000);
    const at16 = native().features(samples, 16000, frontend).data;
    expect(native().features(samples, 22050, frontend).data).not.toEqual(at16);
    expect(native().features(samples, 16000, frontend).data).toEqual(at16);
  });

  it('resampling is that of the rates given, in whatever order', () => {
    const samples = tone(3000);
    const once = rates.map((rate) => native().resample(samples, rate, 16000));
    for (const i of [0, 0, 3, 6, 0, 1, 2, 3, 4, 5, 6, 6, 0, 2]) {
      expect(native().resample(samples, rates[i]!, 16000)).toEqual(once[i]);
    }
    expect(once.map((out) => out.length)).toEqual(rates.map((rate) => Math.ceil((3000 * 16000) / rate)));
    expect(native().resample(samples, 16000, 8000)).toHaveLength(1500);
  });

  it('a long clip leaves nothing behind that changes the next', () => {
    const short = tone(1000);
    const before = native().features(short, 16000, frontend).data;
    native().features(tone(12_000 * 200), 16000, frontend);
    expect(native().features(short, 16000, frontend).data).toEqual(before);
  });
});
