import { deviceChoices } from '../native/device.js';
import { presetNames } from '../settings/presets.js';
import { MAX_THREADS } from '../support/options.js';
import { RECIPES } from '../training/recipe.js';
import type { OptionTable } from './args.js';
import { DATA_HELP, LAYOUT_OPTION } from './data.js';

/** The help of an option with what it is unless it is given. */
function usual(option: keyof typeof RECIPES.default, help: string): string {
  const { default: ours, original } = RECIPES;
  const values =
    ours[option] === original[option] ? ours[option] : `${ours[option]}; original: ${original[option]}`;
  return `${help} Left out: ${values}.`;
}

/** Options of `train` that the library knows by the same names; ranges as there, which a test holds them to. */
export const RUN_OPTIONS = {
  preset: {
    type: 'choice',
    choices: presetNames,
    help: "Network and recipe; the default of most options is the preset's.",
  },
  epochs: {
    type: 'integer',
    min: 1,
    max: 100_000,
    help: usual('epochs', 'Times that every training clip is seen.'),
  },
  batchSize: {
    type: 'integer',
    min: 1,
    max: 65_536,
    help: usual('batchSize', 'Clips for each step of the optimizer.'),
  },
  learningRate: {
    type: 'number',
    min: 1e-9,
    max: 10,
    help: usual('learningRate', 'Greatest learning rate of the schedule.'),
  },
  rejectRate: {
    type: 'number',
    min: 0,
    max: 0.5,
    help: usual(
      'rejectRate',
      'Share of the right answers on the validation clips, as they are and augmented, that the model may reject as unsure.',
    ),
  },
  optimizer: { type: 'choice', choices: ['adam', 'adamw'], help: usual('optimizer', 'Optimizer.') },
  schedule: {
    type: 'choice',
    choices: ['constant', 'cosine', 'one-cycle'],
    help: usual('schedule', 'Course of the learning rate.'),
  },
  weightDecay: {
    type: 'number',
    min: 0,
    max: 10,
    help: usual('weightDecay', 'L2 with adam, decoupled with adamw.'),
  },
  clipNorm: {
    type: 'number',
    min: 0,
    max: 1e6,
    help: usual('clipNorm', 'Greatest norm of the gradient; 0: not clipped.'),
  },
  labelSmoothing: {
    type: 'number',
    min: 0,
    max: 0.99,
    help: usual('labelSmoothing', 'Share of the target spread evenly over all labels.'),
  },
  spikeCost: {
    type: 'number',
    min: 0,
    max: 1e6,
    help: usual('spikeCost', 'What the mean spikes of a neuron and step, summed over the layers, cost.'),
  },
  keep: {
    type: 'choice',
    choices: ['best', 'last'],
    help: usual('keep', 'Epoch whose model is kept: the best on the validation clips, or the last.'),
  },
  patience: {
    type: 'integer',
    min: 0,
    max: 100_000,
    help: usual('patience', 'Epochs without a better validation before training stops; 0: never.'),
  },
  negatives: {
    type: 'number',
    min: 0,
    max: 10,
    help: usual(
      'negatives',
      'Clips that are made for every epoch and are no word (silence, noise, tones, pieces of words), for each clip.',
    ),
  },
  seed: {
    type: 'integer',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: 'Of weights, order of the clips, spikes and split. The same seed gives the same model.',
  },
  split: {
    type: 'text',
    value: 'SPLIT',
    help:
      'official, speakers:<name,name>, leave-one-speaker-out or random:<fraction>: the clips to test on. ' +
      'Left out: the official split where there is one, else random:0.2.',
  },
  fold: { type: 'integer', min: 1, max: 1000, help: 'Fold of a split that has several.' },
  validation: {
    type: 'number',
    min: 0,
    max: 0.9,
    help: usual(
      'validation',
      'Share of the training clips held back to choose the best epoch, and to calibrate the confidence.',
    ),
  },
} as const satisfies OptionTable;

/** Options of `train` about data, files and the way it runs. */
export const TRAIN_OPTIONS = {
  data: {
    type: 'text',
    value: 'DIR',
    help: `${DATA_HELP} Left out: the shipped samples, to see it run.`,
  },
  ...LAYOUT_OPTION,
  out: {
    type: 'text',
    value: 'FILE',
    default: 'sonospike-model.safetensors',
    help: 'File for the best model.',
  },
  checkpoint: {
    type: 'text',
    value: 'FILE',
    help: 'File to go on from after a stop. Left out: that of --out with .checkpoint before the extension.',
  },
  resume: {
    type: 'text',
    value: 'FILE',
    optional: true,
    help: 'Goes on from a checkpoint; without FILE from the one named above, if it is there.',
  },
  ...RUN_OPTIONS,
  extraData: {
    type: 'text',
    value: 'DIR',
    repeated: true,
    help: 'Another dataset, all of it to train on; may be named several times.',
  },
  augmentation: {
    type: 'text',
    value: 'none|default|FILE',
    help:
      'How clips are changed at random each time they are trained on: a JSON file says how. Left out: default; ' +
      'original: none.',
  },
  settings: {
    type: 'text',
    value: 'FILE',
    help: "JSON file with the settings of the model, instead of the preset's; labels may be left out.",
  },
  encoding: {
    type: 'choice',
    choices: ['rate', 'latency', 'delta', 'direct'],
    help: 'How values become input; brings the scaling that suits it.',
  },
  framesPerSecond: {
    type: 'number',
    min: 1,
    max: 192_000,
    help: 'Frames of the front end a second; a clip covers as many seconds as before.',
  },
  stepsPerFrame: { type: 'integer', min: 1, max: 1000, help: 'Time steps of the network for each frame.' },
  testEveryEpoch: { type: 'flag', help: 'Evaluates the test clips after every epoch, for learning curves.' },
  plot: {
    type: 'text',
    value: 'FILE',
    help: 'Draws the curves of loss, accuracy and firing rates into an .svg or .html, anew after every epoch.',
  },
  threads: { type: 'integer', min: 1, max: MAX_THREADS, help: 'Left out: all cores.' },
  device: {
    type: 'choice',
    choices: deviceChoices,
    help: 'cuda: an NVIDIA GPU, or an error that says what is missing. Left out: auto, a GPU if one can be used.',
  },
  strip: {
    type: 'flag',
    help: 'Leaves out of the files the short hashes by which evaluate tells clips that were trained on.',
  },
  strict: { type: 'flag', help: 'Makes a clip that cannot be used an error, instead of leaving it out.' },
} as const satisfies OptionTable;
