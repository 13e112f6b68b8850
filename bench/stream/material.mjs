// Streams of spoken words with gaps and noise, of which it is known where each word is.
import { fileURLToPath } from 'node:url';
import { splitDataset } from '../../dist/datasets/public.js';
import { openDataset, readAudio } from '../../dist/index.js';
import { native } from '../../dist/native/load.js';
import { random } from '../random.mjs';

export const RATE = 8000; // Hz, of FSDD
const SAMPLES = fileURLToPath(new URL('../../samples/', import.meta.url));
const MARGIN = 0.08; // seconds
const LEVEL = 0.05; // root mean square of a levelled clip

/** The official test clips of FSDD, or the first 300 of the training part: { samples, label }. */
export async function readClips(path, part = 'test') {
  const { test, train } = splitDataset(await openDataset(path), 'official');
  const clips = part === 'test' ? test : shuffled(train, random(17)).slice(0, test.length);
  return Promise.all(
    clips.map(async ({ file, label }) => ({ samples: (await readAudio(file)).samples, label })),
  );
}

/** The clips that come with the package. */
export async function sampleClips() {
  const { clips } = await openDataset(SAMPLES);
  return Promise.all(
    clips.map(async ({ file, label }) => {
      const { samples, sampleRate } = await readAudio(file);
      return { samples: native().resample(samples, sampleRate, RATE), label };
    }),
  );
}

export function powerOf(samples) {
  let sum = 0;
  for (const x of samples) sum += x * x;
  return sum / samples.length;
}

/** Copies of the clips at one level, so that noise is as far below each of them. */
export function levelled(clips) {
  return clips.map(({ samples, label }) => {
    const gain = LEVEL / Math.sqrt(powerOf(samples));
    return { samples: samples.map((x) => x * gain), label };
  });
}

export function shuffled(list, draw) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/** Normal noise of power 1: white, or pink by P. Kellet's filter. */
export function makeNoise(kind, length, draw) {
  const out = new Float32Array(length);
  const b = new Float64Array(7);
  for (let i = 0; i < length; i++) {
    const w = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    if (kind === 'white') {
      out[i] = w;
      continue;
    }
    b[0] = 0.99886 * b[0] + w * 0.0555179;
    b[1] = 0.99332 * b[1] + w * 0.0750759;
    b[2] = 0.969 * b[2] + w * 0.153852;
    b[3] = 0.8665 * b[3] + w * 0.3104856;
    b[4] = 0.55 * b[4] + w * 0.5329522;
    b[5] = -0.7616 * b[5] - w * 0.016898;
    out[i] = b[0] + b[1] + b[2] + b[3] + b[4] + b[5] + b[6] + w * 0.5362;
    b[6] = w * 0.115926;
  }
  const scale = 1 / Math.sqrt(powerOf(out));
  return out.map((x) => x * scale);
}

/**
 * `seconds` of the clips in random order, with gaps drawn evenly from `gaps` seconds and noise `snr` dB below the mean
 * power of the clips; `noise` null for none. Gives { samples, words: [{ label, start, end }] }, seconds.
 */
export function makeStream(clips, { seconds, gaps: [least, most], noise, snr, seed }) {
  const draw = random(seed);
  const samples = new Float32Array(seconds * RATE);
  const words = [];
  const gap = () => Math.round((least + draw() * (most - least)) * RATE);
  let order = [];
  for (let at = RATE / 2; ; at += gap()) {
    if (order.length === 0) order = shuffled(clips, draw);
    const clip = order.pop();
    const end = at + clip.samples.length;
    if (end + RATE / 2 > samples.length) break;
    samples.set(clip.samples, at);
    words.push({ label: clip.label, start: at / RATE, end: end / RATE });
    at = end;
  }
  if (noise !== null) {
    const spoken = clips.reduce((sum, clip) => sum + clip.samples.length, 0);
    const power = clips.reduce((sum, clip) => sum + powerOf(clip.samples) * clip.samples.length, 0) / spoken;
    const gain = Math.sqrt(power / 10 ** (snr / 10));
    const hiss = makeNoise(noise, samples.length, draw);
    for (let i = 0; i < samples.length; i++) samples[i] += gain * hiss[i];
  }
  return { samples, words };
}

const overlap = (a, b) => Math.min(a.end, b.end) - Math.max(a.start, b.start);

/**
 * Counts of what was heard against what was said. A heard word belongs to the said one that it shares most time with,
 * at least half of the shorter of the two; the first that has the right label finds it. Every other word is false:
 * `inserted` where nothing is said, or something that was found already.
 */
export function score(said, heard) {
  const found = new Set();
  let [inserted, wrong] = [0, 0];
  for (const word of heard) {
    let best = null;
    for (const other of said) {
      const shared = overlap(word, other);
      const least = Math.min(word.end - word.start, other.end - other.start) / 2;
      if (shared >= least && (best === null || shared > overlap(word, best))) best = other;
    }
    if (best === null || found.has(best)) inserted++;
    else if (best.label === word.label) found.add(best);
    else wrong++;
  }
  return { said: said.length, right: found.size, wrong, inserted };
}

/** How many words `predict` recognises that are told where they are: right, right and accepted, accepted but wrong. */
export function alone(model, samples, words) {
  const counts = { right: 0, accepted: 0, wrong: 0 };
  for (const { label, start, end } of words) {
    const [from, to] = [start - MARGIN, end + MARGIN].map((seconds) => Math.round(seconds * RATE));
    const answer = model.predictSync({ samples: samples.subarray(from, to), sampleRate: RATE });
    if (answer.label === label) counts.right++;
    if (!answer.rejected) counts[answer.label === label ? 'accepted' : 'wrong']++;
  }
  return counts;
}

/** What a stream hears of samples that come in chunks, and when it says so: seconds after the samples. */
export function listen(model, samples, options = {}, chunk = RATE / 100) {
  const stream = model.stream({ sampleRate: RATE, ...options });
  const [words, rejected] = [[], []];
  stream.on('word', (word) => words.push({ ...word, told: stream.time }));
  stream.on('rejected', (word) => rejected.push({ ...word, told: stream.time }));
  return new Promise((done, fail) => {
    stream.once('error', fail).once('close', () => done({ words, rejected }));
    for (let at = 0; at < samples.length; at += chunk) stream.write(samples.subarray(at, at + chunk));
    stream.end();
  });
}
