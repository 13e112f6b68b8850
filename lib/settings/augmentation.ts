import { type Fields, readFields } from '../support/fields.js';
import type { Blame } from '../support/options.js';

/** A pair: what is drawn lies between them. */
export type Range = [min: number, max: number];

/**
 * How every clip is changed at random each time it is trained on, in this order. Changes that are left out or
 * null are not made. What is drawn depends on the seed, the clip and the epoch alone.
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

const range = (min: number, max: number, help: string, unit = '') =>
  ({ type: 'range', min, max, nullable: true, default: null, help, ...(unit && { unit }) }) as const;

/** The fields of an augmentation; null: the change is not made. */
export const AUGMENTATION_FIELDS = {
  speed: range(0.5, 2, 'Factor by which the clip plays faster.'),
  gain: range(-100, 100, 'Gain.', 'dB'),
  shift: range(-10, 10, 'Silence before the clip; below 0: cut from its start.', 'seconds'),
  silenceAfter: range(0, 10, 'Silence after the clip.', 'seconds'),
  noise: {
    type: 'object',
    nullable: true,
    default: null,
    help: 'Noise that is added.',
    fields: {
      probability: { type: 'number', min: 0, max: 1, help: 'Probability that noise is added.' },
      snr: { type: 'range', min: -100, max: 200, unit: 'dB', help: 'Level of the clip above the noise.' },
    },
  },
  tempo: range(0.5, 2, 'Factor by which the frames follow each other faster.'),
  frequencyWarp: range(0.5, 2, 'Factor on the band axis.'),
  filter: range(-100, 100, 'Tilt over all bands and bump of a microphone.', 'dB'),
  timeMask: {
    type: 'object',
    nullable: true,
    default: null,
    help: 'Silent stretches of time.',
    fields: {
      count: { type: 'integer', min: 0, max: 1000, help: 'Most stretches.' },
      seconds: { type: 'number', min: 0, max: 100, unit: 'seconds', help: 'Longest stretch.' },
    },
  },
  frequencyMask: {
    type: 'object',
    nullable: true,
    default: null,
    help: 'Silent stretches of bands.',
    fields: {
      count: { type: 'integer', min: 0, max: 1000, help: 'Most stretches.' },
      bands: { type: 'integer', min: 0, max: 512, help: 'Bands of the widest stretch.' },
    },
  },
} as const satisfies Fields;

/** Those that change bands by themselves, which cepstral coefficients do not have. */
export const OF_BANDS = ['frequencyWarp', 'filter', 'timeMask', 'frequencyMask'] as const;

/**
 * An augmentation with every field; those left out are null.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function validateAugmentation(value: unknown, at: string, blame?: Blame): Augmentation | null {
  if (value === null || value === undefined) return null;
  return readFields(AUGMENTATION_FIELDS, value, at, { blame }) as unknown as Augmentation;
}
