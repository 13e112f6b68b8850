// Streams that hear words for minutes: the process's memory after one of them and after all.
import { loadModel } from '../../dist/index.js';
import { levelled, makeStream, RATE, readClips, sampleClips } from './material.mjs';

const { count, minutes, data } = JSON.parse(process.argv[2]);
const CHUNK = RATE / 10;

const model = await loadModel();
const clips = data === null ? await sampleClips() : await readClips(data);
const options = { gaps: [0.1, 1.5], noise: 'white', snr: 20, seconds: 60, seed: 5 };
const { samples } = makeStream(levelled(clips), options);

async function resident() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((next) => setTimeout(next, 20));
  }
  return process.memoryUsage.rss();
}

const before = await resident();
const streams = Array.from({ length: count }, () => model.stream({ sampleRate: RATE }));
for (const stream of streams) stream.on('word', () => {});

async function minute() {
  for (let k = 0; k < samples.length; k += CHUNK) {
    for (let i = 0; i < count; i++) {
      const at = (k + i * 977) % (samples.length - CHUNK);
      streams[i].write(samples.subarray(at, at + CHUNK));
    }
    await new Promise((next) => setImmediate(next));
  }
}

await minute();
const first = await resident();
for (let i = 1; i < minutes; i++) await minute();
const last = await resident();
console.log(JSON.stringify({ first, last, each: (first - before) / count }));
