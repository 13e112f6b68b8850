// Sounds in which none of the model's words is said.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readAudio } from '../../dist/index.js';
import { native } from '../../dist/native/load.js';
import { random } from '../random.mjs';
import { makeNoise, RATE } from '../stream/material.mjs';

const GAP = RATE / 2; // samples between two recordings
const HISS = 1e-4; // amplitude of the noise of a quiet microphone
const MINUTE = 60 * RATE;

/** The recordings below a folder, in the order of their names, each after half a second of quiet. */
export async function* recordings(folder) {
  const draw = random(1);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(wav|flac|mp3|ogg|opus|aiff?)$/i.test(name))
    .sort();
  if (files.length === 0) throw new Error(`--sounds: there are no sound files below ${folder}`);
  for (const file of files) {
    const { samples, sampleRate } = await readAudio(join(folder, file));
    const sound = native().resample(samples, sampleRate, RATE);
    const stream = new Float32Array(GAP + sound.length).map(() => HISS * (draw() - 0.5));
    for (let i = 0; i < sound.length; i++) stream[GAP + i] += sound[i];
    yield stream;
  }
}

export const nameOfFolder = (folder) => basename(folder.replace(/[/\\]+$/, ''));

/** Minutes of notes: one to six partials that decay, 110 to 620 Hz, some after each other and some with pauses. */
export function* music(minutes, seed = 5) {
  const draw = random(seed);
  for (let minute = 0; minute < minutes; minute++) {
    const samples = new Float32Array(MINUTE).map(() => HISS * (draw() - 0.5));
    for (let at = 0; at < MINUTE; ) {
      const length = Math.round((0.15 + 0.5 * draw()) * RATE);
      const pitch = 110 * 2 ** (Math.floor(30 * draw()) / 12);
      const partials = 1 + Math.floor(6 * draw());
      for (let i = 0; i < length && at + i < MINUTE; i++) {
        const envelope = 0.2 * Math.min(1, i / 200) * Math.exp((-3 * i) / length);
        for (let h = 1; h <= partials; h++)
          samples[at + i] += (envelope / h) * Math.sin((2 * Math.PI * pitch * h * i) / RATE);
      }
      at += length + (draw() < 0.5 ? 0 : Math.round(0.3 * draw() * RATE));
    }
    yield samples;
  }
}

/** Minutes of a household: swells of noise (water, traffic), hum of the mains, knocks and clatter. */
export function* household(minutes, seed = 6) {
  const draw = random(seed);
  for (let minute = 0; minute < minutes; minute++) {
    const samples = new Float32Array(MINUTE);
    const [pink, white] = ['pink', 'white'].map((kind) => makeNoise(kind, MINUTE, draw));
    const hum = 0.01 * draw();
    for (let i = 0; i < MINUTE; i++)
      samples[i] = 0.001 * pink[i] + hum * Math.sin((2 * Math.PI * 50 * i) / RATE);
    for (let at = 0; at < MINUTE; at += Math.round((0.3 + 2 * draw()) * RATE)) {
      const length = Math.round((0.2 + 1.3 * draw()) * RATE);
      const [level, share] = [0.1 * draw() ** 2, draw()];
      for (let i = 0; i < length && at + i < MINUTE; i++)
        samples[at + i] +=
          level *
          (share * pink[at + i] + (1 - share) * white[at + i]) *
          Math.sin((Math.PI * i) / length) ** 2;
    }
    for (let knock = 0; knock < 20; knock++) {
      const [at, length, level] = [draw() * MINUTE, (0.01 + 0.15 * draw()) * RATE, 0.5 * draw()];
      const pitch = 100 * 40 ** draw();
      for (let i = 0; i < length && at + i < MINUTE; i++) {
        const ring = Math.sin((2 * Math.PI * pitch * i) / RATE) + 0.5 * (draw() - 0.5);
        samples[Math.floor(at + i)] += level * Math.exp((-5 * i) / length) * ring;
      }
    }
    yield samples;
  }
}
