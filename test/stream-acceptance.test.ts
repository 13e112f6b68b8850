import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type Audio, loadModel, type Model, readAudio } from '../lib/index.js';
import { native } from '../lib/native/load.js';
import { Random } from '../lib/support/random.js';

// A stream accepts no more sounds that are none of the model's words than `predict` does.

const RATE = 8000;
let model: Model;
let words: Float32Array[];

beforeAll(async () => {
  model = await loadModel();
  const files = readdirSync('samples').filter((name) => name.endsWith('.wav'));
  words = await Promise.all(
    files.map(async (name) => {
      const { samples, sampleRate } = await readAudio(join('samples', name));
      return native().resample(samples, sampleRate, RATE);
    }),
  );
});

/** Labels of the words that a stream hears in the sounds, with 0.8 s of silence between them. */
async function heard(sounds: Float32Array[]): Promise<string[]> {
  const stream = model.stream({ sampleRate: RATE });
  const gap = new Float32Array(0.8 * RATE);
  const random = new Random('gap');
  for (const sound of sounds) {
    stream.write(gap.map(() => 1e-4 * random.normal()));
    stream.write(sound);
  }
  stream.end(gap);
  const labels: string[] = [];
  for await (const { label } of stream) labels.push(label);
  return labels;
}

const accepted = (sounds: Float32Array[]) =>
  sounds.filter((samples) => !model.predictSync({ samples, sampleRate: RATE } satisfies Audio).rejected)
    .length;

it('a stream accepts at most as many words spoken backwards as predict', async () => {
  const sounds = words.map((word) => word.toReversed());
  const some = accepted(sounds);
  expect(some).toBeGreaterThan(0);
  expect((await heard(sounds)).length).toBeLessThanOrEqual(some);
});

it('a stream still hears the words themselves', async () => {
  expect((await heard(words)).length).toBeGreaterThanOrEqual(0.9 * accepted(words));
});

it('a stream tells few words of a melody', async () => {
  const random = new Random('melody');
  const samples = new Float32Array(60 * RATE);
  for (let at = 0; at < samples.length; ) {
    const length = Math.round((0.15 + 0.5 * random.uniform()) * RATE);
    const pitch = 110 * 2 ** (Math.floor(30 * random.uniform()) / 12);
    for (let i = 0; i < length && at + i < samples.length; i++) {
      const envelope = 0.2 * Math.min(1, i / 200) * Math.exp((-3 * i) / length);
      for (const h of [1, 2, 3])
        samples[at + i]! += (envelope / h) * Math.sin((2 * Math.PI * pitch * h * i) / RATE);
    }
    at += length + Math.round(0.1 * random.uniform() * RATE);
  }
  expect((await heard([samples])).length).toBeLessThanOrEqual(6);
});

it('a stream that begins with the word, and ends with it, hears it', async () => {
  let [known, found] = [0, 0];
  for (const word of words) {
    const samples = word.subarray(word.findIndex((x) => Math.abs(x) > 0.02));
    const { label, rejected } = model.predictSync({ samples, sampleRate: RATE });
    if (rejected) continue;
    known++;
    const stream = model.stream({ sampleRate: RATE });
    stream.end(samples);
    for await (const word of stream) found += Number(word.label === label && word.start < 0.1);
  }
  expect(known).toBeGreaterThan(60);
  expect(found).toBeGreaterThanOrEqual(0.97 * known);
});
