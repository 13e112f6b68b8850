import { type Blame, integer, number, object, refuse } from '../support/options.js';

/** A pair: what is drawn lies between them. */
export type Range = [min: number, max: number];

/**
 * How every clip is changed at random each time it is trained on, in this order. What is left out or null is
 * not done. What is drawn depends on the seed, the clip and the epoch alone.
 */
export interface Augmentation {
  /** Factor by which the clip plays faster: pitch, formants and tempo together, as of a tape. Log-uniform. */
  speed?: Range | null;
  /** dB; what goes beyond full scale is clipped. */
  gain?: Range | null;
  /** Seconds of silence before the clip; below 0: seconds cut from its start. */
  shift?: Range | null;
  /** Seconds of silence after the clip. */
  silenceAfter?: Range | null;
  /**
   * With this probability noise of a colour between white and brown is added, `snr` dB below the clip's level (the root
   * mean square of the samples that are at most 40 dB below the greatest).
   */
  noise?: { probability: number; snr: Range } | null;
  /** Factor by which the frames follow each other faster; pitch and formants stay. Log-uniform. */
  tempo?: Range | null;
  /** Factor on the band axis, as of another length of the vocal tract (Jaitly and Hinton 2013). Log-uniform. */
  frequencyWarp?: Range | null;
  /** A microphone: a tilt over all bands and a bump, each of so many dB. */
  filter?: Range | null;
  /** SpecAugment (Park et al. 2019): up to `count` silent stretches of up to `seconds`. */
  timeMask?: { count: number; seconds: number } | null;
  /** Up to `count` silent stretches of up to so many bands. */
  frequencyMask?: { count: number; bands: number } | null;
}

/** That of the default recipe, for short words by voices that were not in the training part. */
export const DEFAULT_AUGMENTATION = {
  speed: [0.86, 1.16],
  gain: [-20, 20],
  shift: [0, 0.15],
  silenceAfter: [0, 0.15],
  noise: { probability: 0.5, snr: [3, 35] },
  tempo: [0.82, 1.22],
  frequencyWarp: [0.85, 1.18],
  filter: [-5, 5],
  timeMask: { count: 2, seconds: 0.12 },
  frequencyMask: { count: 2, bands: 8 },
} satisfies Augmentation;

const KEYS = [
  'speed',
  'gain',
  'shift',
  'silenceAfter',
  'noise',
  'tempo',
  'frequencyWarp',
  'filter',
  'timeMask',
  'frequencyMask',
] as const satisfies (keyof Augmentation)[];

/** Those that change bands by themselves, which cepstral coefficients do not have. */
export const OF_BANDS = ['frequencyWarp', 'filter', 'timeMask', 'frequencyMask'] as const;

/**
 * An augmentation with every field; those left out are null.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function validateAugmentation(value: unknown, at: string, blame?: Blame): Augmentation | null {
  if (value === null || value === undefined) return null;
  const given = object(value, at, KEYS, blame);
  const range = (key: (typeof KEYS)[number], min: number, max: number) =>
    orNull(given[key], (pair) => rangeOf(pair, `${at}.${key}`, min, max, blame));
  return {
    speed: range('speed', 0.5, 2),
    gain: range('gain', -100, 100),
    shift: range('shift', -10, 10),
    silenceAfter: range('silenceAfter', 0, 10),
    noise: orNull(given.noise, (noise) => {
      const { probability, snr } = object(noise, `${at}.noise`, ['probability', 'snr'], blame);
      return {
        probability: number(probability, `${at}.noise.probability`, 0, 1, blame),
        snr: rangeOf(snr, `${at}.noise.snr`, -100, 200, blame),
      };
    }),
    tempo: range('tempo', 0.5, 2),
    frequencyWarp: range('frequencyWarp', 0.5, 2),
    filter: range('filter', -100, 100),
    timeMask: orNull(given.timeMask, (mask) => {
      const { count, seconds } = object(mask, `${at}.timeMask`, ['count', 'seconds'], blame);
      return {
        count: integer(count, `${at}.timeMask.count`, 0, 1000, blame),
        seconds: number(seconds, `${at}.timeMask.seconds`, 0, 100, blame),
      };
    }),
    frequencyMask: orNull(given.frequencyMask, (mask) => {
      const { count, bands } = object(mask, `${at}.frequencyMask`, ['count', 'bands'], blame);
      return {
        count: integer(count, `${at}.frequencyMask.count`, 0, 1000, blame),
        bands: integer(bands, `${at}.frequencyMask.bands`, 0, 512, blame),
      };
    }),
  };
}

function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null || value === undefined ? null : read(value);
}

function rangeOf(value: unknown, name: string, min: number, max: number, blame?: Blame): Range {
  const wanted = `two numbers from ${min} to ${max}, the lesser first`;
  if (!Array.isArray(value) || value.length !== 2) throw refuse(value, name, wanted, blame);
  const low = number(value[0], `${name}[0]`, min, max, blame);
  const high = number(value[1], `${name}[1]`, min, max, blame);
  if (low > high) throw refuse(low, `${name}[0]`, `at most ${high}, its other end`, blame);
  return [low, high];
}
