import { describe, expect, it } from 'vitest';
import { power } from '../lib/audio/signals.js';
import { amongVoices, reverberated, telephoned } from '../lib/evaluation/rooms.js';
import { Random } from '../lib/support/random.js';

const noise = (length: number, name: string) => {
  const random = new Random(name);
  return Float32Array.from({ length }, () => 0.1 * random.normal());
};
const decibels = (ratio: number) => 10 * Math.log10(ratio);

describe.each([8000, 16_000])('at %d Hz', (rate) => {
  it.each([0.3, 0.6])(
    'a room takes %d s for a decay of 60 dB, by the integral of Schroeder (1965)',
    (t60) => {
      const impulse = new Float32Array(10);
      impulse[0] = 1;
      const response = reverberated(impulse, rate, t60, new Random('room'));
      expect(response.length).toBe(10 + Math.round(t60 * rate));
      expect(response[0]).toBe(1);
      // As much power in the echoes as in the direct sound.
      expect(power(response) * response.length).toBeCloseTo(2, 1);
      const left = (from: number) => power(response.subarray(from)) * (response.length - from);
      const [begin, end] = [Math.round(0.05 * t60 * rate), Math.round(0.55 * t60 * rate)];
      // Half of the time, half of the decay.
      expect(decibels(left(begin) / left(end))).toBeGreaterThan(28);
      expect(decibels(left(begin) / left(end))).toBeLessThan(32);
    },
  );

  it.each([20, 10])('other voices are %d dB below the clip, and other ones with another seed', (snr) => {
    const clip = { samples: noise(rate, 'clip'), sampleRate: rate };
    const others = [8000, 11_025, 16_000].map((sampleRate, i) => ({
      samples: noise(4000 + 3000 * i, `other ${i}`),
      sampleRate,
    }));
    const mixed = amongVoices(clip, snr, others, new Random('one'));
    const added = mixed.map((x, i) => x - clip.samples[i]!);
    expect(mixed.length).toBe(clip.samples.length);
    expect(decibels(power(clip.samples) / power(added))).toBeCloseTo(snr, 1);
    expect(amongVoices(clip, snr, others, new Random('one'))).toEqual(mixed);
    expect(amongVoices(clip, snr, others, new Random('two'))).not.toEqual(mixed);
  });

  it('a telephone lets 300 to 3,400 Hz through and keeps their place', () => {
    const gain = (hertz: number) => {
      const tone = Float32Array.from({ length: rate }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));
      const heard = telephoned(tone, rate);
      const middle = heard.subarray(rate / 4, (3 * rate) / 4);
      let product = 0;
      for (let i = rate / 4; i < (3 * rate) / 4; i++) product += tone[i]! * heard[i]!;
      return { level: decibels(2 * power(middle) + 1e-12), inPhase: product / (rate / 4) };
    };
    for (const hertz of [500, 1000, 2000, 3000]) {
      expect(gain(hertz).level).toBeCloseTo(0, 1);
      expect(gain(hertz).inPhase).toBeCloseTo(1, 1);
    }
    for (const hertz of [50, 100, 3800]) expect(gain(hertz).level).toBeLessThan(-20);
  });
});

it('digital silence stays silent among digital silence', () => {
  const zeros = { samples: new Float32Array(100), sampleRate: 8000 };
  expect(amongVoices(zeros, 10, [zeros], new Random('zeros'))).toEqual(zeros.samples);
});
