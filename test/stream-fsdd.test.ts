// A stream of FSDD's test clips in noise: most words are found, and nothing is heard that was not said.
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../lib/index.js';
import { needs } from './helpers/data.js';

const fsdd = needs('data/fsdd');

interface Material {
  readClips(path: string): Promise<unknown[]>;
  levelled(clips: unknown[]): unknown[];
  makeStream(clips: unknown[], options: object): { samples: Float32Array; words: unknown[] };
  listen(model: Model, samples: Float32Array): Promise<{ words: unknown[] }>;
  score(said: unknown[], heard: unknown[]): { said: number; right: number; wrong: number; inserted: number };
}

describe.skipIf(fsdd.missing)('a minute of words with gaps of 0.1 to 1.5 s', () => {
  it.each([
    ['white', 0.9],
    ['pink', 0.9],
    [null, 0.95],
  ])('in %s noise, 15 dB below them', { timeout: 120_000 }, async (noise, least) => {
    const material: Material = await import(resolve('bench/stream/material.mjs'));
    const clips = material.levelled(await material.readClips(fsdd.path));
    const options = { seconds: 60, gaps: [0.1, 1.5], noise, snr: 15, seed: 12 };
    const { samples, words } = material.makeStream(clips, options);
    const heard = await material.listen(await loadModel(), samples);
    const { said, right, wrong, inserted } = material.score(words, heard.words);
    expect(said).toBeGreaterThan(30);
    expect(right / said).toBeGreaterThanOrEqual(least);
    expect(wrong).toBeLessThanOrEqual(2);
    expect(inserted).toBe(0);
  });
});
