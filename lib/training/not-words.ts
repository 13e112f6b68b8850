import { SOUND_KINDS, sound } from '../audio/signals.js';
import type { Audio } from '../audio/source.js';
import { Random } from '../support/random.js';

/** A word to make other sounds from. */
export interface SpokenWord extends Audio {
  label: string;
}

/** Share of a word that is a piece of it. */
const PIECE = 0.4;

/**
 * Sounds that are none of the words, to see how sure a model is of such. Five for each word, in this order: the word
 * backwards, its beginning, its end, its first half with the second half of another word behind it (or of itself, the halves
 * exchanged, where there is no other), and in turn faint noise, loud noise and tones.
 * @param words on which the model was not trained
 * @param sampleRate Hz of the sounds that are made from nothing
 */
export function notWords(words: readonly SpokenWord[], sampleRate: number, seed: string): Audio[] {
  return words.flatMap(({ samples, sampleRate: rate, label }, i) => {
    const piece = Math.ceil(PIECE * samples.length);
    const others = words.filter((other) => other.label !== label && other.sampleRate === rate);
    const spoken = [
      samples.slice().reverse(),
      samples.slice(0, piece),
      samples.slice(samples.length - piece),
      others.length === 0
        ? joined(samples, samples, 'ends')
        : joined(samples, others[i % others.length]!.samples),
    ];
    const kind = SOUND_KINDS[i % SOUND_KINDS.length]!;
    return [
      ...spoken.map((made) => ({ samples: made, sampleRate: rate })),
      sound(kind, sampleRate, new Random(`not words\0${seed}\0${i}`)),
    ];
  });
}

/** The first half of `a` and the second of `b`; `ends`: the second half of `a` and the first of `b`. */
function joined(a: Float32Array, b: Float32Array, which: 'halves' | 'ends' = 'halves'): Float32Array {
  const [head, tail] = [a.length >> 1, b.length >> 1];
  const parts =
    which === 'halves' ? [a.subarray(0, head), b.subarray(tail)] : [a.subarray(head), b.subarray(0, tail)];
  const all = new Float32Array(parts[0]!.length + parts[1]!.length);
  all.set(parts[0]!);
  all.set(parts[1]!, parts[0]!.length);
  return all;
}
