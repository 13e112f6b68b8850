import { loadModel, type Model, readAudio, type Word, type WordStream } from '../../lib/index.js';
import { native } from '../../lib/native/load.js';
import { joined } from './speech.js';
import { SAMPLES } from './training.js';

export const RATE = 8000; // Hz
export const CLIPS = ['7_kal_0', '1_slt_0', '3_rms_0', '6_awb_0', '9_ked_0'];
export const GAP = 0.4; // seconds

/** The clips with gaps around them, and [start, end] of each in seconds; the model that knows them. */
export async function spokenClips(): Promise<{
  model: Model;
  speech: Float32Array;
  places: [number, number][];
}> {
  const silence = new Float32Array(GAP * RATE);
  const parts: Float32Array[] = [silence];
  const places: [number, number][] = [];
  let at = silence.length;
  for (const name of CLIPS) {
    const { samples, sampleRate } = await readAudio(`${SAMPLES}/${name}.wav`);
    const clip = native().resample(samples, sampleRate, RATE);
    places.push([at / RATE, (at + clip.length) / RATE]);
    parts.push(clip, silence);
    at += clip.length + silence.length;
  }
  return { model: await loadModel(), speech: joined(parts), places };
}

export interface Heard {
  words: Word[];
  rejected: Word[];
}

/** Collects what a stream finds. */
export function listen(stream: WordStream): Heard {
  const heard: Heard = { words: [], rejected: [] };
  stream.on('word', (word) => heard.words.push(word));
  stream.on('rejected', (word) => heard.rejected.push(word));
  return heard;
}

/** A stream's words, of samples in chunks. */
export async function wordsOf(stream: WordStream, chunks: unknown[]): Promise<Word[]> {
  const { words } = listen(stream);
  for (const chunk of chunks) stream.write(chunk);
  await ended(stream);
  return words;
}

export async function ended(stream: WordStream): Promise<void> {
  stream.end();
  await new Promise((done, fail) => stream.once('finish', done).once('error', fail));
}

/** Starts an evaluation that has the model until the function that this gives is called. */
export async function occupy(used: Model, speech: Float32Array): Promise<() => Promise<void>> {
  const store = new (native().FeatureStore)(used.native, 1);
  await store.add([{ samples: speech.subarray(3200, 7000), sampleRate: RATE, label: 0 }]);
  const ended = store.evaluate(new Int32Array(2_000_000), 0, 0).catch(() => {});
  for (;;) {
    try {
      used.parameters();
    } catch {
      break;
    }
    await new Promise((next) => setImmediate(next));
  }
  return async () => {
    store.abortEvaluation();
    await ended;
  };
}
