import { join, resolve } from 'node:path';
import { readAudio } from '../../lib/index.js';

/** Hz of the shipped samples. */
export const SPEECH_RATE = 16_000;

/** Seconds of near silence before, between and after the clips. */
const GAP = 0.5;

/** Shipped samples ("7_kal_0") one after the other, with faint noise around them. */
export async function speech(names: readonly string[], gap = GAP): Promise<Float32Array> {
  const silence = () =>
    Float32Array.from({ length: gap * SPEECH_RATE }, (_, i) => (((i * 7919) % 13) - 6) / 32768);
  const parts: Float32Array[] = [silence()];
  for (const name of names) {
    parts.push((await readAudio(join(resolve('samples'), `${name}.wav`))).samples, silence());
  }
  return joined(parts);
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Raw 16-bit samples, little-endian. */
export function raw(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  for (const [i, sample] of samples.entries()) bytes.writeInt16LE(Math.round(sample * 32768), i * 2);
  return bytes;
}
