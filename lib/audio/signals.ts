import type { Random } from '../support/random.js';
import type { Audio } from './source.js';

export type NoiseColour = 'white' | 'pink' | 'brown';

/** Kinds of sounds that are not words. */
export const SOUND_KINDS = ['silence', 'noise', 'tones'] as const;
export type SoundKind = (typeof SOUND_KINDS)[number];

/** Noise with a mean square of 1: power falling with frequency by 0 (white), 3 (pink) or 6 dB an octave (brown). */
export function noise(length: number, colour: NoiseColour, random: Random): Float32Array {
  const samples = new Float32Array(length);
  const filter = FILTERS[colour]();
  for (let i = 0; i < length; i++) samples[i] = filter(random.normal());
  return scaled(samples, 1 / Math.sqrt(power(samples) || 1));
}

const FILTERS: Record<NoiseColour, () => (x: number) => number> = {
  white: () => (x) => x,
  pink: pinkFilter,
  brown: () => {
    let y = 0;
    return (x) => {
      y = 0.998 * y + x;
      return y;
    };
  },
};

/** P. Kellet's "economy" filter: within 0.5 dB of -3 dB an octave above some 10 Hz of 44.1 kHz. */
function pinkFilter() {
  let [a, b, c] = [0, 0, 0];
  return (x: number) => {
    a = 0.99765 * a + 0.099046 * x;
    b = 0.963 * b + 0.2965164 * x;
    c = 0.57 * c + 1.0526913 * x;
    return a + b + c + 0.1848 * x;
  };
}

/** Mean square. */
export function power(samples: Float32Array): number {
  let sum = 0;
  for (const x of samples) sum += x * x;
  return samples.length === 0 ? 0 : sum / samples.length;
}

export function scaled(samples: Float32Array, factor: number): Float32Array {
  return samples.map((x) => factor * x);
}

/** The amplitude ratio of a level in dB. */
export function ratioOf(decibels: number): number {
  return 10 ** (decibels / 20);
}

/**
 * A sound of one second that is no word: `silence`: faint noise as of an idle microphone, -90 to -60 dB of full scale;
 * `noise`: white, pink or brown at -40 to -10 dB, steady or swelling; `tones`: one to three notes after each other, each
 * a chord of one to four tones with one to four partials, some with vibrato.
 */
export function sound(kind: SoundKind, sampleRate: number, random: Random): Audio {
  switch (kind) {
    case 'silence':
      return { samples: colouredNoise(sampleRate, random, -90, -60), sampleRate };
    case 'noise': {
      const samples = colouredNoise(sampleRate, random, -40, -10);
      const swell = random.uniform(0, 2);
      const centre = random.uniform(0, sampleRate);
      return {
        samples: samples.map((x, i) => x * Math.exp(-swell * Math.abs((i - centre) / sampleRate))),
        sampleRate,
      };
    }
    case 'tones':
      return { samples: tones(sampleRate, random), sampleRate };
  }
}

function colouredNoise(length: number, random: Random, least: number, most: number): Float32Array {
  const colour = (['white', 'pink', 'brown'] as const)[random.integer(0, 2)]!;
  return scaled(noise(length, colour, random), ratioOf(random.uniform(least, most)));
}

function tones(sampleRate: number, random: Random): Float32Array {
  const samples = new Float32Array(sampleRate);
  const notes = random.integer(1, 3);
  const length = Math.floor(sampleRate / notes);
  for (let note = 0; note < notes; note++) {
    const voices = random.integer(1, 4);
    for (let voice = 0; voice < voices; voice++) addTone(samples, note * length, length, sampleRate, random);
  }
  const peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return scaled(samples, ratioOf(random.uniform(-30, -3)) / peak);
}

/** Adds a harmonic tone of 80 to 1,500 Hz (below 0.4 of the sample rate), with an attack and a decay. */
function addTone(
  samples: Float32Array,
  first: number,
  length: number,
  sampleRate: number,
  random: Random,
): void {
  const frequency = 80 * (Math.min(1500, 0.4 * sampleRate) / 80) ** random.uniform();
  const partials = Array.from({ length: random.integer(1, 4) }, (_, k) => ({
    frequency: frequency * (k + 1),
    amplitude: random.uniform(0.2, 1) / (k + 1),
    phase: random.uniform(0, 2 * Math.PI),
  })).filter((partial) => partial.frequency < 0.45 * sampleRate);
  const vibrato = random.uniform() < 0.3 ? random.uniform(0.002, 0.02) : 0;
  const attack = random.uniform(0.005, 0.1) * sampleRate;
  const decay = random.uniform(0.1, 2) * sampleRate;
  for (let i = 0; i < length; i++) {
    const t = i / sampleRate;
    const bend = (vibrato / (2 * Math.PI * 5)) * Math.sin(2 * Math.PI * 5 * t);
    const envelope = Math.min(1, i / attack, (length - i) / attack) * Math.exp(-i / decay);
    for (const { frequency: f, amplitude, phase } of partials) {
      samples[first + i]! += envelope * amplitude * Math.sin(2 * Math.PI * f * (t + bend) + phase);
    }
  }
}
