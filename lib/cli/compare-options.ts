import { placeOf, readAssignment } from '../settings/paths.js';
import { SonospikeError } from '../support/errors.js';
import { nearest } from '../support/nearest.js';
import { type OptionTable, optionName, parseOptions, type Values } from './args.js';
import { EVALUATE_OPTIONS, PROTOCOL_OPTIONS } from './evaluate-options.js';
import { TRAIN_OPTIONS } from './train-options.js';

const { strip: _strip, target: _target, shard: _shard, merge: _merge, ...protocol } = PROTOCOL_OPTIONS;
const { data, layout, words, threads, device, strict } = EVALUATE_OPTIONS;

export const COMPARE_OPTIONS = {
  data,
  layout,
  words,
  vary: {
    type: 'text',
    value: 'NAME=VALUE,VALUE',
    repeated: true,
    help:
      'Values that are compared: of a setting, named as for --set (surrogate=atan,triangle), or of a training option ' +
      '(learning-rate=0.001,0.003). Named several times, all combinations are compared.',
  },
  protocol: {
    ...EVALUATE_OPTIONS.protocol,
    help:
      'Folds that are trained on: official: all folds of the official split; leave-one-speaker-out: every speaker in ' +
      'turn; audiomnist: the five official folds of AudioMNIST.',
  },
  split: { ...TRAIN_OPTIONS.split, help: `${TRAIN_OPTIONS.split.help} All its folds are trained on.` },
  seed: {
    type: 'integer',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: 'Seed of the first training of every fold and variant (default: 0).',
  },
  ...protocol,
  seeds: {
    ...protocol.seeds,
    help: 'Trainings of every variant on every fold, each with the next seed (default: 3).',
  },
  parallel: { ...protocol.parallel, help: 'Trainings side by side (default: one for each thread).' },
  settings: { ...TRAIN_OPTIONS.settings, help: `${TRAIN_OPTIONS.settings.help} Variants are put over it.` },
  out: {
    type: 'text',
    value: 'FILE',
    repeated: true,
    help:
      'Files for the result: .json with every run, written after each of them (default: sonospike-comparison.json), ' +
      '.csv and .md with the table, .svg with the picture. May be named several times; a shell takes ' +
      'table.{json,csv,md,svg}.',
  },
  resume: {
    type: 'flag',
    help: 'Takes over the runs that are in the .json file, and trains only those that are missing.',
  },
  force: { type: 'flag', help: 'Replaces files that are there already.' },
  threads,
  device,
  strict,
} as const satisfies OptionTable;

export type CompareValues = Values<typeof COMPARE_OPTIONS>;

/** One value of a `--vary`. */
export interface Change {
  /** As the variant is called by it: `surrogate=atan`. */
  name: string;
  /** The options of the command line that it changes. */
  options: Partial<Omit<CompareValues, 'resume' | 'settings' | 'set'>>;
  /** The settings that it changes, as `--set` takes them. */
  set: string[];
}

/** Options of the training that can be varied. */
const VARIED = Object.keys(PROTOCOL_OPTIONS).filter(
  (key) =>
    key in TRAIN_OPTIONS &&
    TRAIN_OPTIONS[key as keyof typeof TRAIN_OPTIONS].type !== 'flag' &&
    !['settings', 'set', 'extraData'].includes(key),
);

/** Options that say on what and how often every variant is trained. */
const SHARED = ['split', 'fold', 'folds', 'seed', 'seeds', 'protocol', 'data', 'words'];

/**
 * The values of one `--vary`.
 * @throws SonospikeError ERR_INVALID_OPTION, which says what was probably meant
 */
export function readVary(text: string): Change[] {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(0, at)).trim();
  const values = text
    .slice(at + 1)
    .split(',')
    .map((value) => value.trim());
  if (name === '' || values.includes(''))
    throw invalid(
      `--vary is ${JSON.stringify(text)}; write NAME=VALUE,VALUE, as in surrogate=atan,triangle.`,
    );
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw invalid(`--vary ${text} has the value ${twice} twice.`);
  if (SHARED.includes(name.replace(/^--/, '')))
    throw invalid(`${name} is the same for all variants, so that they can be compared; see --help.`);
  const option = VARIED.find((key) => [key, optionName(key), `--${optionName(key)}`].includes(name));
  if (option === undefined) requireSetting(name);
  return values.map((value) => {
    const change = { name: `${name}=${value}`, options: {}, set: [] };
    if (option === undefined) {
      readAssignment(change.name);
      return { ...change, set: [change.name] };
    }
    const read = parseOptions([`--${optionName(option)}=${value}`], {
      [option]: COMPARE_OPTIONS[option as keyof CompareValues],
    });
    return { ...change, options: read.options as Change['options'] };
  });
}

/** Explains a name that is neither an option nor a setting by what is nearest among both. */
function requireSetting(name: string): void {
  try {
    placeOf(name);
  } catch (error) {
    const meant = nearest(name.replace(/^--/, ''), VARIED.map(optionName));
    const isKnown = error instanceof SonospikeError && /Did you mean|names \d+ fields/.test(error.message);
    if (meant === null || isKnown) throw error;
    throw invalid(`There is no training option and no setting ${name}. Did you mean ${meant}?`);
  }
}

function invalid(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}
