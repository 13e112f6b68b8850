import { AUGMENTATION_FIELDS, DEFAULT_AUGMENTATION } from '../settings/augmentation.js';
import { choiceHelp, namesOf, OPTIMIZERS, SCHEDULES } from '../settings/choices.js';
import { type PresetName, presetNames } from '../settings/presets.js';
import type { Fields } from '../support/fields.js';

// The one table of the options of a training. Validation, the flags of the command line with their help, the lists of
// keys and the recipes of the presets follow from it.

/** The same value in every preset. */
function inAll<T>(value: T): Record<PresetName, T> {
  return { default: value, original: value };
}

export const RUN_FIELDS = {
  preset: {
    type: 'choice',
    choices: presetNames,
    help: 'Network and recipe, from which the defaults of most options come.',
    presets: inAll('default'),
  },
  epochs: {
    type: 'integer',
    min: 1,
    max: 100_000,
    help: 'Times that every training clip is seen; more take longer and fit the training clips closer.',
    presets: { default: 24, original: 12 },
  },
  minSteps: {
    type: 'integer',
    min: 0,
    max: 10_000_000,
    help:
      'Least steps of the optimizer: a set that is too small for them is trained on in smaller batches and more ' +
      'epochs, unless their numbers are given; 0: no least.',
    presets: { default: 1000, original: 0 },
  },
  batchSize: {
    type: 'integer',
    min: 1,
    max: 65_536,
    help: 'Clips for each step of the optimizer; fewer give more, noisier steps.',
    presets: { default: 32, original: 10 },
  },
  rejectRate: {
    type: 'number',
    min: 0,
    max: 0.5,
    help: 'Share of the right answers on the validation clips, as they are and augmented, that the model may reject as unsure.',
    presets: { default: 0.05, original: 0.02 },
  },
  optimizer: {
    type: 'choice',
    choices: namesOf(OPTIMIZERS),
    help: `Optimizer: ${choiceHelp(OPTIMIZERS)}.`,
    presets: { default: 'adamw', original: 'adam' },
  },
  learningRate: {
    type: 'number',
    min: 1e-9,
    max: 10,
    help: 'Greatest learning rate of the schedule: how far each step moves the parameters.',
    presets: { default: 3e-3, original: 1e-3 },
  },
  schedule: {
    type: 'choice',
    choices: namesOf(SCHEDULES),
    help: `Course of the learning rate: ${choiceHelp(SCHEDULES)}.`,
    presets: { default: 'one-cycle', original: 'constant' },
  },
  warmupShare: {
    type: 'number',
    min: 0,
    max: 0.99,
    when: { schedule: ['one-cycle'] },
    help: 'Share of the steps in which the learning rate of the schedule one-cycle rises.',
    default: 0.3,
    presets: inAll(0.3),
  },
  weightDecay: {
    type: 'number',
    min: 0,
    max: 10,
    help: 'Decay that keeps the weights small: L2 regularisation with adam, decoupled with adamw.',
    presets: { default: 0.01, original: 0 },
  },
  clipNorm: {
    type: 'number',
    min: 0,
    max: 1e6,
    help: 'Norm to which a greater gradient is shortened, against sudden steps; 0: it is not clipped.',
    presets: { default: 1, original: 0 },
  },
  labelSmoothing: {
    type: 'number',
    min: 0,
    max: 0.99,
    help: 'Share of the target that is spread evenly over all labels, so that the scores grow less extreme.',
    presets: { default: 0.05, original: 0 },
  },
  spikeCost: {
    type: 'number',
    min: 0,
    max: 1e6,
    help: 'Weight in the loss of the firing rates, summed over the layers; more makes neurons spike less.',
    presets: { default: 0.1, original: 0 },
  },
  calibrationFolds: {
    type: 'integer',
    min: 0,
    max: 20,
    help:
      'Trainings of the cross-validation that calibrates the confidence where fewer than 20 clips are held back for ' +
      'it; 0: such a model has no threshold and rejects nothing.',
    presets: inAll(4),
  },
  keep: {
    type: 'choice',
    choices: ['best', 'last'],
    help: 'Epoch whose model is kept: the best on the validation clips, or the last.',
    presets: { default: 'last', original: 'best' },
  },
  patience: {
    type: 'integer',
    min: 0,
    max: 100_000,
    help: 'Epochs without a better validation after which training stops; 0: it never stops early.',
    presets: inAll(0),
  },
  augmentation: {
    type: 'object',
    fields: AUGMENTATION_FIELDS,
    nullable: true,
    help: 'How clips are changed at random each time they are trained on; null: they are not.',
    presets: { default: DEFAULT_AUGMENTATION, original: null },
  },
  negatives: {
    type: 'number',
    min: 0,
    max: 10,
    help:
      'Made clips that are no word (silence, noise, tones, pieces of words) for each clip that is trained on; a set of ' +
      'fewer than 2,000 clips gets more of them, unless their share is given.',
    presets: { default: 0.1, original: 0 },
  },
  seed: {
    type: 'integer',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: 'Seed of weights, order of the clips, spikes and split. The same seed gives the same model.',
    presets: inAll(0),
  },
  split: {
    type: 'text',
    value: 'SPLIT',
    help:
      'Which clips are for testing: official, speakers:<name,name>, leave-one-speaker-out, random:<fraction> or none ' +
      '(default: none where a word has 20 clips or fewer, else the official split where there is one, else random:0.2).',
  },
  fold: { type: 'integer', min: 1, max: 1000, help: 'Fold of a split that has several.', presets: inAll(1) },
  validation: {
    type: 'number',
    min: 0,
    max: 0.9,
    help:
      'Share of the training clips held back to choose the best epoch, and to calibrate the confidence. Where it comes ' +
      'to fewer than 20 clips, none are, unless the share is given.',
    presets: { default: 0.05, original: 0 },
  },
} as const satisfies Fields;
