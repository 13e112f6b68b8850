import { power, ratioOf, scaled } from '../audio/signals.js';
import type { Audio } from '../audio/source.js';
import { native } from '../native/load.js';
import type { Random } from '../support/random.js';

/** Impulses a second of a made room: so many that they are heard as smooth. */
const IMPULSES = 2000;
/** Seconds between a sound and its first echo. */
const FIRST_ECHO = 0.003;
/** Voices that speak at once. */
const TALKERS = 8;
/** Hz of a telephone line (ITU-T G.712). */
const TELEPHONE = [300, 3400] as const;
/** Seconds of the telephone's filter before and after the sound. */
const FILTER = 0.016;

/**
 * The samples as in a room that takes `t60` seconds to become 60 dB quieter, with as much power in the echoes as in the
 * direct sound. The echoes are velvet noise (H. Järveläinen and M. Karjalainen, 2007) under an exponential decay. The
 * result is longer by `t60`.
 */
export function reverberated(
  samples: Float32Array,
  sampleRate: number,
  t60: number,
  random: Random,
): Float32Array {
  const length = Math.round(t60 * sampleRate);
  const echoes: { at: number; gain: number }[] = [];
  for (let time = FIRST_ECHO; time < t60; time += 1 / IMPULSES) {
    const at = Math.min(length, Math.round((time + random.uniform() / IMPULSES) * sampleRate));
    echoes.push({ at, gain: (random.uniform() < 0.5 ? -1 : 1) * 10 ** ((-3 * at) / length) });
  }
  const direct = 1 / Math.sqrt(echoes.reduce((sum, { gain }) => sum + gain * gain, 0));
  const out = new Float32Array(samples.length + length);
  out.set(samples);
  for (const { at, gain } of echoes) {
    const factor = gain * direct;
    for (let i = 0; i < samples.length; i++) out[at + i]! += factor * samples[i]!;
  }
  return out;
}

/**
 * The clip among eight voices that speak all the time, `snr` dB below it by mean power. Each voice says `others` in random
 * order, all equally loud.
 */
export function amongVoices(
  { samples, sampleRate }: Audio,
  snr: number,
  others: readonly Audio[],
  random: Random,
): Float32Array {
  const babble = new Float32Array(samples.length);
  for (let talker = 0; talker < TALKERS; talker++) {
    for (let at = -Math.round(random.uniform(0, 0.5) * sampleRate); at < samples.length; ) {
      const said = others[random.integer(0, others.length - 1)]!;
      const words =
        said.sampleRate === sampleRate
          ? said.samples
          : native().resample(said.samples, said.sampleRate, sampleRate);
      const gain = 1 / Math.sqrt(power(words) || 1);
      for (let i = Math.max(0, -at); i < words.length && at + i < samples.length; i++)
        babble[at + i]! += gain * words[i]!;
      at += words.length;
    }
  }
  const level = Math.sqrt(power(samples) / (power(babble) || 1)) * ratioOf(-snr);
  const added = scaled(babble, level);
  return samples.map((x, i) => x + added[i]!);
}

/** The samples through a telephone line, which lets 300 to 3,400 Hz through. */
export function telephoned(samples: Float32Array, sampleRate: number): Float32Array {
  const half = Math.round(FILTER * sampleRate);
  const [low, high] = TELEPHONE.map((hertz) => Math.min(0.5, hertz / sampleRate)) as [number, number];
  const sinc = (cutoff: number, t: number) =>
    t === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * t) / (Math.PI * t);
  // A band-pass of finite length, with a Hamming window.
  const filter = Float64Array.from({ length: 2 * half + 1 }, (_, k) => {
    const window = 0.54 + 0.46 * Math.cos((Math.PI * (k - half)) / (half || 1));
    return window * (sinc(high, k - half) - sinc(low, k - half));
  });
  return samples.map((_, i) => {
    let sum = 0;
    const last = Math.min(filter.length - 1, i + half);
    for (let k = Math.max(0, i + half - samples.length + 1); k <= last; k++)
      sum += filter[k]! * samples[i + half - k]!;
    return sum;
  });
}
