import { isClipped } from '../audio/clipping.js';
import { fullScale } from '../audio/pcm.js';
import type { Sound } from '../audio/sound.js';
import { Tape } from '../audio/tape.js';
import type { Model } from '../model/model.js';
import { native } from '../native/load.js';
import { Hearing } from './hearing.js';

/** Something that was said, cut out of a sound. */
export interface Take {
  /** At `TAKE_RATE`, with some of the silence around. */
  samples: Float32Array;
  /** Seconds that it lasted. */
  seconds: number;
  /** Of the loudest sample, dB below full scale. */
  peak: number;
  clipped: boolean;
}

/** Hz of recordings. */
export const TAKE_RATE = 16_000;

/** Seconds; as in the default of `model.stream()`. */
const END_SILENCE = 0.25;
/** Seconds from the beginning of a sound until the stream hears one. */
const ONSET = 0.04;
/** Seconds of what was before and after a take that are kept with it: more before, as soft beginnings are heard late. */
const BEFORE = 0.2;
const AFTER = 0.15;
/** Seconds; what is shorter is a click. */
const SHORTEST = 0.08;
/** Seconds that are kept of the sound. */
const TAPE = 10;
/** Seconds that the stream hears between two looks at it. */
const PIECE = 0.01;

/**
 * Everything that is said in a sound, in order, whatever the model makes of it: a take lasts from when its stream
 * begins to hear something until there is silence. So a word that is made of others ("sixteen") stays whole.
 * @param onPiece is called after every hundredth of a second
 */
export async function* takes(
  sound: Sound,
  model: Model,
  onPiece: (hearing: Hearing, piece: Float32Array) => void,
): AsyncGenerator<Take> {
  const { sampleRate } = sound;
  const hearing = new Hearing(model, sampleRate);
  const { stream } = hearing;
  const tape = new Tape(TAPE * sampleRate);
  const size = Math.ceil(PIECE * sampleRate);
  let since: number | null = null;
  for await (const chunk of sound.chunks) {
    for (let at = 0; at < chunk.length; at += size) {
      const piece = chunk.subarray(at, at + size);
      tape.add(piece);
      await hearing.hear(piece);
      onPiece(hearing, piece);
      if (stream.speaking) {
        since ??= stream.time - ONSET;
      } else if (since !== null) {
        const take = cut(tape, sound, since, stream.time - END_SILENCE);
        since = null;
        if (take !== null) yield take;
      }
    }
  }
  if (since === null) return;
  const take = cut(tape, sound, since, stream.time);
  if (take !== null) yield take;
}

/** The take from `start` to `end`, in seconds; null if it is a click. */
function cut(tape: Tape, sound: Sound, start: number, end: number): Take | null {
  if (end - start < SHORTEST) return null;
  const { sampleRate } = sound;
  const [first, last] = [start - BEFORE, end + AFTER].map((seconds) => Math.round(seconds * sampleRate));
  const heard = tape.cut(first!, last!);
  const level = levelOf(heard, sound, first!, last!);
  return { samples: toTakeRate(heard, sampleRate), seconds: end - start, ...level };
}

export function toTakeRate(samples: Float32Array, sampleRate: number): Float32Array {
  return sampleRate === TAKE_RATE ? samples : native().resample(samples, sampleRate, TAKE_RATE);
}

/**
 * The peak of a stretch of a sound about its mean, in dB below full scale, and whether any of its channels is cut off there.
 * @param samples from `start` to `end`, counted from the first of the sound
 */
export function levelOf(
  samples: Float32Array,
  { clipped }: Sound,
  start: number,
  end: number,
): Pick<Take, 'peak' | 'clipped'> {
  // An offset of the microphone is no level.
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample - mean));
  return {
    peak: 20 * Math.log10(Math.max(peak, 1e-6)),
    clipped: clipped?.(start, end) ?? isClipped(samples, 1, fullScale('pcm16')),
  };
}

/** dB below full scale; a hundredth of FSDD's clips have a lower peak. */
const QUIET = -36;

/** What is wrong with the level of a recording, and what to do about it; null if nothing is. */
export function levelFault({ peak, clipped }: Pick<Take, 'peak' | 'clipped'>): string | null {
  if (clipped) return 'Too loud: it is clipped. Step back, or turn the microphone down.';
  if (peak >= QUIET) return null;
  return `Too quiet (peak ${peak.toFixed(0)} dB): come nearer, or turn the microphone up.`;
}
