// Streams on the sample clips: what is found, whatever the writes are, and how a stream ends.
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model, readAudio, type Word, type WordStream } from '../lib/index.js';
import { native } from '../lib/native.js';
import { SAMPLES } from './helpers/training.js';

const RATE = 8000;
const CLIPS = ['7_kal_0', '1_slt_0', '3_rms_0', '6_awb_0', '9_ked_0'];
const GAP = 0.4; // seconds

let model: Model;
let speech: Float32Array;
/** [start, end] of each clip, seconds. */
const places: [number, number][] = [];

function joined(parts: Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

beforeAll(async () => {
  model = await loadModel();
  const silence = new Float32Array(GAP * RATE);
  const parts: Float32Array[] = [silence];
  let at = GAP;
  for (const name of CLIPS) {
    const { samples, sampleRate } = await readAudio(`${SAMPLES}/${name}.wav`);
    const clip = native().resample(samples, sampleRate, RATE);
    places.push([at, at + clip.length / RATE]);
    parts.push(clip, silence);
    at += clip.length / RATE + GAP;
  }
  speech = joined(parts);
});

interface Heard {
  words: Word[];
  rejected: Word[];
}

function listen(stream: WordStream): Heard {
  const heard: Heard = { words: [], rejected: [] };
  stream.on('word', (word) => heard.words.push(word));
  stream.on('rejected', (word) => heard.rejected.push(word));
  return heard;
}

async function ended(stream: WordStream): Promise<void> {
  stream.end();
  await new Promise((done, fail) => stream.once('finish', done).once('error', fail));
}

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
    for (const { start, end, samples, ...prediction } of heard.words) {
      const cut = speech.subarray(Math.round(start * RATE), Math.round(end * RATE));
      expect(samples).toEqual(cut);
      expect(prediction).toEqual(model.predictSync({ samples: cut, sampleRate: RATE }));
    }
  });

  it('refuses NaN by its place, and is destroyed', async () => {
    const stream = model.stream();
    const failed = new Promise((done) => stream.once('error', done));
    stream.write(new Float32Array(100));
    stream.write(Float32Array.of(0, Number.NaN));
    expect(await failed).toMatchObject({
      code: 'ERR_AUDIO_NOT_FINITE',
      message: expect.stringContaining('101'),
    });
    expect(stream.destroyed).toBe(true);
  });
});
