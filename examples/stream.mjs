// Finds words in a stream of samples: node examples/stream.mjs
// The "microphone" here is three sample clips with a second of silence around each, in pieces of 20 ms.
import { Readable } from 'node:stream';
import { loadModel, readAudio } from '../dist/index.js';

const SAMPLE_RATE = 16_000;

async function* microphone() {
  const silence = new Float32Array(SAMPLE_RATE);
  const clips = ['4_rms_0', '2_kal_0', '3_awb_0'].map((name) => readAudio(`samples/${name}.wav`));
  for (const { samples, sampleRate } of await Promise.all(clips)) {
    if (sampleRate !== SAMPLE_RATE) throw new Error(`This example needs clips of ${SAMPLE_RATE} Hz.`);
    for (const part of [silence, samples, silence]) {
      for (let at = 0; at < part.length; at += 320) yield part.subarray(at, at + 320);
    }
  }
}

const model = await loadModel();
const stream = Readable.from(microphone()).pipe(model.stream({ sampleRate: SAMPLE_RATE }));
for await (const { label, confidence, start, end } of stream) {
  console.log(
    `${start.toFixed(2)} to ${end.toFixed(2)} s: ${label} (${(100 * confidence).toFixed(1)}%)`,
  );
}
