import { OLD_PROTOCOL_NAMES, protocolNames } from '../protocol/names.js';
import { MAX_THREADS } from '../support/options.js';
import type { OptionTable, Values } from './args.js';
import { DATA_HELP, LAYOUT_OPTION } from './data.js';
import { TRAIN_OPTIONS } from './train-options.js';

/** Options for measuring a model that there is. */
export const MODEL_OPTIONS = {
  model: { type: 'text', value: 'FILE', help: 'Model to measure (default: the shipped one).' },
  split: {
    type: 'text',
    value: 'SPLIT',
    help:
      'official, speakers:<name,name>, leave-one-speaker-out, random:<fraction> or all (default: the split that ' +
      'the model was trained with if it was on this data, else all).',
  },
  fold: { type: 'integer', min: 1, max: 1000, help: 'Fold of a split that has several.' },
  part: {
    type: 'choice',
    choices: ['train', 'validation', 'test'],
    help: 'The part of the split (default: test).',
  },
  splitSeed: {
    type: 'integer',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: "Seed of the split's draw (default: the model's, for the split that it was trained with).",
  },
  unknown: {
    type: 'text',
    value: 'DIR',
    optional: true,
    help: 'Tells how well the model rejects silence, noise and tones, and all sound files below DIR.',
  },
  robustness: {
    type: 'flag',
    help: 'Tests again under noise, gain, offset, silence around the word, and at other sample rates.',
  },
} as const satisfies OptionTable;

const {
  data: _data,
  layout: _layout,
  words: _words,
  out: _out,
  checkpoint: _checkpoint,
  resume: _resume,
  force: _force,
  split: _split,
  fold: _fold,
  seed: _seed,
  log: _log,
  testEveryEpoch: _testEveryEpoch,
  plot: _plot,
  threads,
  device,
  strict,
  ...training
} = TRAIN_OPTIONS;

/** Options for whole protocols; those of the training are the ones of `train`. */
export const PROTOCOL_OPTIONS = {
  seeds: {
    type: 'integer',
    min: 1,
    max: 1000,
    help: 'Trainings of every fold, each with the next seed (default: official 5, leave-one-speaker-out 3, audiomnist 1).',
  },
  folds: { type: 'text', value: 'LIST', help: 'Some of the folds, as in 1,3 (default: all).' },
  parallel: {
    type: 'integer',
    min: 1,
    max: MAX_THREADS,
    help: 'Trainings side by side (default: one for each thread; with --target 1).',
  },
  target: {
    type: 'number',
    min: 0,
    max: 1,
    help: 'Tells how long each training takes from the start of the program until its test accuracy reaches this.',
  },
  out: {
    type: 'text',
    value: 'FILE',
    help: 'JSON file with every figure, written after every training, so that a stop loses none.',
  },
  resume: {
    type: 'flag',
    help: 'Takes over the trainings that are in the file of --out, and trains only those that are missing.',
  },
  shard: {
    type: 'text',
    value: 'N/OF',
    help:
      'Trains only a part of the protocol into the file of --out, for several machines or jobs: 3/8 is the third of ' +
      'eight. --merge puts the files together.',
  },
  merge: {
    type: 'flag',
    help: 'Trains nothing: puts together the files of shards that are named, as in --merge shard-*.json --out all.json.',
  },
  force: { type: 'flag', help: 'Replaces the file of --out, if it is there already.' },
  ...training,
} as const satisfies OptionTable;

export const EVALUATE_OPTIONS = {
  data: {
    type: 'text',
    value: 'DIR',
    help: `${DATA_HELP} (default: the shipped samples)`,
  },
  ...LAYOUT_OPTION,
  ...MODEL_OPTIONS,
  seed: {
    type: 'integer',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: 'Seed of the rate encoding, made sounds and disturbances; with --protocol the first of the trainings.',
  },
  plot: {
    type: 'text',
    value: 'FILE',
    help:
      'Draws the confusion matrix, the accuracy of every speaker (with --protocol of every fold) and how far the ' +
      'confidence can be believed, into an .svg or .html.',
  },
  threads,
  device,
  strict,
  protocol: {
    type: 'choice',
    choices: protocolNames,
    oldNames: OLD_PROTOCOL_NAMES,
    help:
      'Trains and tests instead: official: on the official split of the data, all its folds; leave-one-speaker-out: ' +
      'on every speaker in turn; audiomnist: on the five official folds of AudioMNIST. The options below are for this.',
  },
  ...PROTOCOL_OPTIONS,
} as const satisfies OptionTable;

export type EvaluateValues = Values<typeof EVALUATE_OPTIONS>;
