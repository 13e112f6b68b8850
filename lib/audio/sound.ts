import { MAX_CLIP_RATE } from '../settings/table.js';

/** Hz. Twice the highest rate that audio hardware has, and far above anything speech needs. */
export const MAX_SAMPLE_RATE = MAX_CLIP_RATE;

/** Seconds of the longest sound that is read as a whole. */
export const MAX_DURATION = 30 * 60;

/** Sound as it comes, from a microphone or a pipe. */
export interface Sound {
  /** Where it comes from, for people. */
  name: string;
  /** Hz. */
  sampleRate: number;
  /** Mono, in [-1, 1], in pieces of any length. Ends when the sound does, or when it is told to stop. */
  chunks: AsyncIterable<Float32Array>;
  /**
   * Whether any channel was cut off at full scale from sample `start` to sample `end`, counted from the first that was
   * given. Without it the samples themselves tell.
   */
  clipped?: (start: number, end: number) => boolean;
}
