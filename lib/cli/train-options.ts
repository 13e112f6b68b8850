import { deviceChoices } from '../native/device.js';
import { choiceHelp, ENCODINGS, namesOf } from '../settings/choices.js';
import { defaultText } from '../settings/defaults.js';
import { ENCODING_FIELDS } from '../settings/table.js';
import { MAX_THREADS } from '../support/options.js';
import { recipeDefault } from '../training/recipe.js';
import { RUN_FIELDS } from '../training/run-fields.js';
import type { OptionTable } from './args.js';
import { DATA_HELP, LAYOUT_OPTION } from './data.js';

/** The option of the command line for a field of the table. */
type OptionOf<F> = F extends { type: 'choice'; choices: infer C }
  ? { type: 'choice'; choices: C; help: string }
  : F extends { type: 'integer' | 'number' }
    ? { type: F['type']; min: number; max: number; help: string }
    : { type: 'text'; value: string; help: string };

type RunOptionTable = {
  [K in Exclude<keyof typeof RUN_FIELDS, 'augmentation'>]: OptionOf<(typeof RUN_FIELDS)[K]>;
};

/** Options of `train` that the library knows by the same names: those of its table. */
export const RUN_OPTIONS = Object.fromEntries(
  Object.entries(RUN_FIELDS)
    .filter(([name]) => name !== 'augmentation')
    .map(([name, field]) => [
      name,
      { ...field, defaults: recipeDefault(name).slice(1, -1), default: undefined },
    ]),
) as unknown as RunOptionTable;

/** File of the model where none is named. */
export const DEFAULT_MODEL = 'sonospike-model.safetensors';
/** That of a training on the shipped samples, which is there to be watched. */
export const DEMO_MODEL = 'sonospike-demo.safetensors';

/** Options of `train` about data, files and the way it runs. */
export const TRAIN_OPTIONS = {
  data: {
    type: 'text',
    value: 'DIR',
    help: `${DATA_HELP} (default: the shipped samples, to see it run)`,
  },
  ...LAYOUT_OPTION,
  out: {
    type: 'text',
    value: 'FILE',
    defaults: `default: ${DEFAULT_MODEL}; without --data ${DEMO_MODEL}`,
    help: 'File for the best model.',
  },
  checkpoint: {
    type: 'text',
    value: 'FILE',
    help: 'File to go on from after a stop (default: that of --out with .checkpoint before the extension).',
  },
  resume: {
    type: 'text',
    value: 'FILE',
    optional: true,
    help: 'Goes on from a checkpoint; without FILE from the one named above, if it is there.',
  },
  force: { type: 'flag', help: 'Replaces the files of another training, its unfinished checkpoint too.' },
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
      'How clips are changed at random each time they are trained on; a JSON file says how ' +
      '(default: default; preset original: none).',
  },
  settings: {
    type: 'text',
    value: 'FILE',
    help:
      "JSON file with settings of the model. Those that it leaves out are the preset's, the labels those of the data; " +
      'the command settings writes one.',
  },
  set: {
    type: 'text',
    value: 'NAME=VALUE',
    repeated: true,
    help:
      'Sets one setting, as in surrogate=atan or network.layers.*.threshold=4; may be named several times. ' +
      '"sonospike settings --help" lists them.',
  },
  encoding: {
    type: 'choice',
    choices: namesOf(ENCODINGS),
    defaults: defaultText('encoding.type').slice(1, -1),
    help: `How values become input; brings the scaling that suits it: ${choiceHelp(ENCODINGS)}.`,
  },
  framesPerSecond: {
    type: 'number',
    min: 1,
    max: 192_000,
    help: 'Frames of the front end a second; a clip covers as many seconds as before.',
  },
  stepsPerFrame: {
    type: 'integer',
    min: ENCODING_FIELDS.stepsPerFrame.min,
    max: ENCODING_FIELDS.stepsPerFrame.max,
    defaults: defaultText('encoding.stepsPerFrame').slice(1, -1),
    help: 'Time steps of the network for each frame.',
  },
  log: {
    type: 'text',
    value: 'FILE',
    help: 'Appends the metrics of every epoch to a file, as a line of JSON; a training that goes on goes on with its log.',
  },
  testEveryEpoch: { type: 'flag', help: 'Evaluates the test clips after every epoch, for learning curves.' },
  plot: {
    type: 'text',
    value: 'FILE',
    help: 'Draws the curves of loss, accuracy and firing rates into an .svg or .html, anew after every epoch.',
  },
  threads: { type: 'integer', min: 1, max: MAX_THREADS, help: 'Threads (default: all cores).' },
  device: {
    type: 'choice',
    choices: deviceChoices,
    help: 'cuda: an NVIDIA GPU, or an error that says what is missing (default: auto, a GPU if one can be used).',
  },
  strip: {
    type: 'flag',
    help: 'Leaves out of the files the short hashes by which evaluate tells clips that were trained on.',
  },
  strict: { type: 'flag', help: 'Makes a clip that cannot be used an error, instead of leaving it out.' },
} as const satisfies OptionTable;
