// Streams on the sample clips: what is found, whatever the writes are.
import { beforeAll, describe, expect, it } from 'vitest';
import { createModel, type Model, presetSettings } from '../lib/index.js';
import { native } from '../lib/native/load.js';
import { Random } from '../lib/support/random.js';
import { CLIPS, ended, GAP, listen, RATE, spokenClips, wordsOf } from './helpers/streams.js';
import { quickSettings } from './helpers/training.js';

let model: Model;
let speech: Float32Array;
let places: [number, number][];
beforeAll(async () => {
  ({ model, speech, places } = await spokenClips());
});

describe('a stream', () => {
  it('finds the words where they are', async () => {
    const stream = model.stream();
    const heard = listen(stream);
    stream.write(speech);
    await ended(stream);
    expect(heard.words.map(({ label }) => label)).toEqual(CLIPS.map((name) => name[0]));
    for (const [i, { start, end }] of heard.words.entries()) {
      const [from, to] = places[i]!;
      expect(Math.min(end, to) - Math.max(start, from)).toBeGreaterThan((to - from) / 2);
      expect(Number.isInteger(start * RATE) && Number.isInteger(end * RATE)).toBe(true);
    }
    expect(stream.time).toBe(speech.length / RATE);
  });

  it('says of a word what predict says of the same samples, to the bit', async () => {
    const stream = model.stream({ keepSamples: true });
    const heard = listen(stream);
    stream.write(speech);
    await ended(stream);
    for (const { start, end, samples, confidence, ...prediction } of heard.words) {
      const cut = speech.subarray(Math.round(start * RATE), Math.round(end * RATE));
      expect(samples).toEqual(cut);
      const alone = model.predictSync({ samples: cut, sampleRate: RATE });
      expect({ ...prediction, confidence: alone.confidence }).toEqual(alone);
      // The stream chose the cut among several.
      expect(confidence).toBeLessThanOrEqual(alone.confidence + 1e-12);
    }
  });

  it('gives the same words however it is written, as floats, integers or bytes', async () => {
    const integers = Int16Array.from(speech, (x) => Math.round(x * 32767));
    const whole = await wordsOf(model.stream(), [integers]);
    expect(whole).toHaveLength(CLIPS.length);
    const floats = Float32Array.from(integers, (x) => x / 32768);
    const bytes = Buffer.from(integers.buffer);
    let state = 1;
    // Pieces of any length: odd numbers of bytes too.
    const cut = <T extends Float32Array | Int16Array | Buffer>(all: T, most: number): T[] => {
      const parts: T[] = [];
      for (let at = 0; at < all.length; ) {
        state = (state * 1103515245 + 12345) % 2 ** 31;
        const end = at + 1 + (state % most);
        parts.push(all.subarray(at, end) as T);
        at = end;
      }
      return parts;
    };
    expect(await wordsOf(model.stream(), cut(floats, 400))).toEqual(whole);
    expect(await wordsOf(model.stream(), cut(integers, 3000))).toEqual(whole);
    expect(await wordsOf(model.stream(), cut(bytes, 999))).toEqual(whole);
  });

  it('works at other rates, with its own time', async () => {
    for (const sampleRate of [16_000, 44_100]) {
      const samples = native().resample(speech, RATE, sampleRate);
      const heard = await wordsOf(model.stream({ sampleRate }), [samples]);
      expect(heard.map(({ label }) => label)).toEqual(CLIPS.map((name) => name[0]));
      const { label, start, end } = heard[0]!;
      const cut = samples.subarray(Math.round(start * sampleRate), Math.round(end * sampleRate));
      expect(model.predictSync({ samples: cut, sampleRate }).scores).toEqual(heard[0]!.scores);
      expect(label).toBe('7');
    }
  });

  it('finds the words whatever silence ends them, a long one too', async () => {
    const clip = speech.subarray(places[0]![0] * RATE, places[0]![1] * RATE);
    for (const endSilence of [0.3, 2.5, 5]) {
      const silence = new Float32Array((endSilence + 0.5) * RATE);
      const heard = await wordsOf(model.stream({ endSilence }), [silence, clip, silence, clip, silence]);
      expect(heard.map(({ label }) => label)).toEqual(['7', '7']);
    }
  });

  it('finds the words of clipped sound, of sound with an offset, and of faint sound', async () => {
    const labels = CLIPS.map((name) => name[0]);
    const changed = (change: (x: number) => number) => [speech.map(change)];
    const clip = (x: number) => Math.max(-1, Math.min(1, 2 * x));
    for (const change of [clip, (x: number) => x + 0.3, (x: number) => x / 30]) {
      expect((await wordsOf(model.stream(), changed(change))).map(({ label }) => label)).toEqual(labels);
    }
  });

  it('hears no word in silence, a click, a burst of noise, or noise that begins and stays', async () => {
    const random = new Random('burst');
    const sound = new Float32Array(20 * RATE);
    sound[RATE] = 1;
    for (let i = 3 * RATE; i < 3.4 * RATE; i++) sound[i] = random.uniform(-0.1, 0.1);
    for (let i = 8 * RATE; i < sound.length; i++) sound[i] = random.uniform(-0.1, 0.1);
    const stream = model.stream();
    const heard = listen(stream);
    stream.write(sound);
    expect(stream.speaking).toBe(false);
    await ended(stream);
    expect(heard.words).toEqual([]);
  });

  it('tells the level and whether somebody speaks', () => {
    const stream = model.stream();
    expect(stream.level).toBe(-120);
    stream.write(speech.subarray(0, (GAP + 0.25) * RATE));
    expect(stream.speaking).toBe(true);
    expect(stream.level).toBeGreaterThan(-50);
    expect(stream.time).toBe(GAP + 0.25);
    stream.write(new Float32Array(RATE));
    expect(stream.speaking).toBe(false);
    const tone = Float32Array.from({ length: RATE }, (_, i) => Math.sin(i));
    stream.write(tone);
    expect(stream.level).toBeCloseTo(-3, 1);
    stream.destroy();
  });

  it('begins anew after reset()', async () => {
    const stream = model.stream();
    const heard = listen(stream);
    stream.write(speech.subarray(0, (GAP + 0.25) * RATE));
    stream.reset();
    expect([stream.time, stream.speaking]).toEqual([0, false]);
    stream.write(speech);
    await ended(stream);
    expect(heard.words).toEqual(await wordsOf(model.stream(), [speech]));
  });

  it('accepts and rejects by the confidence that it tells', async () => {
    const { threshold } = model.confidence!;
    const noise = Float32Array.from(speech, (sample, i) => sample + 0.02 * Math.sin(i * i));
    let rejected = 0;
    for (const samples of [speech, noise, speech.toReversed(), noise.toReversed()]) {
      const stream = model.stream();
      const heard = listen(stream);
      stream.write(samples);
      await ended(stream);
      for (const word of heard.words) expect(word.confidence).toBeGreaterThanOrEqual(threshold);
      for (const word of heard.rejected) expect(word.confidence).toBeLessThan(threshold);
      rejected += heard.rejected.length;
    }
    expect(rejected).toBeGreaterThan(0);
  });

  it('works with models of other settings', async () => {
    const mfcc = await createModel(presetSettings('original', model.labels as string[]), { seed: 3 });
    for (const other of [mfcc, await createModel(quickSettings())]) {
      const stream = other.stream({ sampleRate: RATE, seed: 5, keepSamples: true });
      const heard = listen(stream);
      stream.write(speech);
      await ended(stream);
      // Without a confidence nothing is rejected.
      expect(heard.rejected).toEqual([]);
      expect(heard.words.length).toBeGreaterThanOrEqual(CLIPS.length);
      for (const { samples, scores } of heard.words)
        expect(other.predictSync({ samples: samples!, sampleRate: RATE }, { seed: 5 }).scores).toEqual(
          scores,
        );
    }
  });
});
