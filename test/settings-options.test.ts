import { describe, expect, it } from 'vitest';
import { changeSettings, presetSettings } from '../lib/index.js';
import { recurrentSettings } from './helpers/training.js';

const LABELS = ['no', 'yes'];
const base = recurrentSettings(LABELS);
const original = presetSettings('original', LABELS);

describe('changeSettings', () => {
  it('gives equal settings, and leaves those given as they are', () => {
    const before = structuredClone(base);
    expect(changeSettings(base, {})).toEqual(base);
    changeSettings(base, { encoding: 'delta', framesPerSecond: 50, stepsPerFrame: 2 });
    expect(base).toEqual(before);
  });

  it.each([50, 62.5, 100, 125, 200])('covers the same seconds at %d frames a second', (framesPerSecond) => {
    const { sampleRate, frontend, frames } = changeSettings(base, { framesPerSecond });
    expect(frontend.hopLength).toBe(sampleRate / framesPerSecond);
    const samples = frames * frontend.hopLength;
    expect(Math.abs(samples - base.frames * base.frontend.hopLength)).toBeLessThanOrEqual(
      frontend.hopLength / 2,
    );
  });

  it('rounds the hop to whole samples', () => {
    expect(changeSettings(base, { framesPerSecond: 70 }).frontend.hopLength).toBe(114);
  });

  it.each(['rate', 'latency'] as const)(
    'gives %s values from 0 to 1 and time steps to show them in',
    (encoding) => {
      const changed = changeSettings(base, { encoding });
      expect(changed.scaling).toEqual({ ...base.scaling, type: 'min-max' });
      expect(changed.encoding).toEqual({
        type: encoding,
        stepsPerFrame: 10,
        ...(encoding === 'latency' ? { threshold: 0 } : {}),
      });
      expect(changeSettings(base, { encoding, stepsPerFrame: 1 }).encoding.stepsPerFrame).toBe(1);
    },
  );

  it('leaves the scaling by the peak, whose values are from 0 to 1 already', () => {
    const preset = presetSettings('default', LABELS);
    for (const encoding of ['rate', 'latency', 'delta'] as const)
      expect(changeSettings(preset, { encoding }).scaling).toEqual(preset.scaling);
  });

  it('gives delta a threshold that values from 0 to 1 reach', () => {
    const changed = changeSettings(base, { encoding: 'delta' });
    expect(changed.scaling.type).toBe('min-max');
    expect(changed.encoding).toEqual({ type: 'delta', stepsPerFrame: 1, threshold: 0.1 });
  });

  it('keeps the threshold and scaling of settings that have the encoding already', () => {
    const own = changeSettings(base, { encoding: 'delta' });
    own.encoding = { type: 'delta', stepsPerFrame: 1, threshold: 0.3 };
    own.scaling = { type: 'standard', over: 'clip', pooled: true };
    expect(changeSettings(own, { encoding: 'delta' })).toEqual(own);
  });

  it('takes direct with any scaling', () => {
    const changed = changeSettings(original, { encoding: 'direct' });
    expect(changed.scaling).toEqual(original.scaling);
    expect(changed.encoding).toEqual({ type: 'direct', stepsPerFrame: 10 });
  });

  it.each([
    [{ framesPerSecond: 39 }, /framesPerSecond is 39; it must be a number from 40 to 8000/],
    [{ framesPerSecond: 8001 }, /framesPerSecond is 8001/],
    [{ framesPerSecond: Number.NaN }, /framesPerSecond is NaN/],
    [{ framesPerSecond: 8000, stepsPerFrame: 300 }, /framesPerSecond is 8000, which makes \d+ frames/],
    [{ stepsPerFrame: 0 }, /stepsPerFrame is 0/],
    [{ stepsPerFrame: 1.5 }, /stepsPerFrame is 1.5/],
    [{ encoding: 'morse' }, /encoding is "morse"; it must be 'rate' or/],
    [{ frames: 3 }, /no key "frames"/],
  ])('refuses %o', (options, message) => {
    expect(() => changeSettings(base, options as object)).toThrowError(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringMatching(message) }),
    );
  });
});
