import { SonospikeError } from '../support/errors.js';
import { nearest } from '../support/nearest.js';
import { integer, optionsObject, refuse } from '../support/options.js';
import { type Clip, PARTS, type PartName, requireClips } from './clip.js';
import { type Dataset, requireDataset } from './dataset.js';
import { drawStratified, inOrder, shuffled } from './draw.js';
import { layoutCalled } from './layouts/index.js';
import type { OfficialParts } from './layouts/layout.js';
import { sortedNames } from './names.js';

/** Three parts without a clip in common; together they are the dataset. */
export interface Split {
  /** For people: the kind of split, its fold and what is special about it. */
  name: string;
  /** Clips to train on. */
  train: Clip[];
  /** Clips to calibrate the confidence with, and to choose the epoch. */
  validation: Clip[];
  /** Clips to test on. */
  test: Clip[];
}

/** What `splitDataset` takes beside the split's name. */
export interface SplitOptions {
  /** Seed of the draw, a whole number (default: 0). The same seed gives the same split, on any machine. */
  seed?: number;
  /** Number of the fold, from 1 to what `splitFolds` gives (default: 1). */
  fold?: number;
  /** Share of the clips beside the test part that are for validation (default: 0.1); 0 for no validation part. */
  validation?: number;
}

type Spec =
  | { kind: 'official' | 'leave-one-speaker-out' | 'none' | 'all' }
  | { kind: 'speakers'; names: string[] }
  | { kind: 'random'; fraction: number; takes: number };

/** The settings of a split, all of them known and in range. */
interface Draw {
  seed: number;
  fold: number;
  folds: number;
  validation: number;
}

/**
 * How many folds a split has: 5 for `official` on AudioMNIST, one for each speaker with `leave-one-speaker-out`,
 * else 1.
 *
 * @throws SonospikeError ERR_SPLIT_INVALID for an unknown split, ERR_INVALID_OPTION for arguments of a wrong type
 */
export function splitFolds(dataset: Dataset, spec: string): number {
  return countFolds(requireDataset(dataset), parseSpec(spec));
}

/**
 * Divides a dataset into training, validation and test clips. Splits:
 *
 * - `official`: the data set's own split. Where lists or folders tell the parts, those; FSDD: takes 0 to 4 are the test
 *   part; AudioMNIST: the five speaker groups of its authors. Where the split has a validation part, any `validation`
 *   but 0 takes it, and 0 adds it to the training part
 * - `speakers:<name,name>`: these speakers are the test part
 * - `leave-one-speaker-out`: fold k tests on the k-th speaker
 * - `random:<fraction>`: that fraction is the test part, stratified by label; `random:<fraction>:<takes>` draws only
 *   from words with more clips than that, for validation too, and trains on all clips of the others
 * - `none`: nothing is for testing
 * - `all`: everything is the test part
 *
 * The validation part is stratified by label, but where the test part is made of whole speakers so is it, if
 * the fraction comes to one at least (a tenth of five speakers does, a twentieth does not), and another is left to train
 * on.
 *
 * @throws SonospikeError ERR_SPLIT_INVALID (unknown split, speaker or fold; a part without clips),
 * ERR_INVALID_OPTION (seed or validation out of range; an argument of a wrong type)
 */
export function splitDataset(dataset: Dataset, spec: string, options?: SplitOptions): Split {
  requireDataset(dataset);
  const parsed = parseSpec(spec);
  const draw = checkOptions(options, countFolds(dataset, parsed), spec);
  const parts = divide(dataset, parsed, draw);
  const { layout } = dataset;
  const split: Split = {
    name: nameOf(dataset, parsed, spec, draw),
    train: inOrder(layout, parts.train),
    validation: inOrder(layout, parts.validation),
    test: inOrder(layout, parts.test),
  };
  if (split.test.length === 0 && parsed.kind !== 'none') throw noClips(split, 'test');
  if (split.train.length === 0 && parsed.kind !== 'all') throw noClips(split, 'train');
  return split;
}

/**
 * The split and its sizes in one line.
 * @throws SonospikeError ERR_INVALID_OPTION if it is not what `splitDataset` gives
 */
export function describeSplit(split: Split): string {
  if (typeof split?.name !== 'string') throw refuse(split, 'the split', 'what splitDataset gives');
  const size = (clips: Clip[]) => {
    const speakers = new Set(clips.flatMap((clip) => clip.speaker ?? []));
    if (speakers.size === 0) return `${clips.length}`;
    return `${clips.length} (${speakers.size} speaker${speakers.size === 1 ? '' : 's'})`;
  };
  const sizes = PARTS.map((part) => `${part} ${size(requireClips(split[part], `the ${part} part`))}`);
  return `${split.name}: ${sizes.join(', ')}`;
}

type Parts = Omit<Split, 'name'>;

function divide(dataset: Dataset, spec: Spec, draw: Draw): Parts {
  switch (spec.kind) {
    case 'all':
      return { train: [], validation: [], test: dataset.clips };
    case 'none':
      return { ...validated(dataset, dataset.clips, draw), test: [] };
    case 'random': {
      const { often, seldom } = byFrequency(dataset.clips, spec.takes);
      const { drawn, rest } = drawStratified(dataset.layout, often, spec.fraction, draw.seed, 'test');
      const { train, validation } = validated(dataset, rest, draw);
      return { train: [...train, ...seldom], validation, test: drawn };
    }
    case 'speakers':
      return bySpeakers(dataset, spec.names, draw);
    case 'leave-one-speaker-out':
      return bySpeakers(dataset, dataset.speakers.slice(draw.fold - 1, draw.fold), draw);
    case 'official':
      return official(dataset, draw);
  }
}

/** The clips of words with more than so many, and those of the others. */
function byFrequency(clips: readonly Clip[], takes: number): { often: Clip[]; seldom: Clip[] } {
  const counts = new Map<string, number>();
  for (const { label } of clips) counts.set(label, (counts.get(label) ?? 0) + 1);
  const isOften = ({ label }: Clip) => counts.get(label)! > takes;
  return { often: clips.filter(isOften), seldom: clips.filter((clip) => !isOften(clip)) };
}

/** The split of the data set itself: by its lists or folders of parts, else the one that its layout knows. */
function official(dataset: Dataset, draw: Draw): Parts {
  const { clips, layout } = dataset;
  const split = hasParts(dataset) ? divideByPart(clips) : layoutCalled(layout).official;
  if (split === undefined) {
    throw invalidSplit(
      `The clips in ${dataset.directory} (layout ${layout}) come with no official split. ` +
        'Use random:<fraction>, speakers:<name,name> or leave-one-speaker-out.',
    );
  }
  const parts = 'divide' in split ? split.divide(clips, draw.fold, draw.validation > 0) : split;
  const { train, validation, test } = parts;
  if (validation === null) return { ...validated(dataset, train, draw), test };
  if (draw.validation > 0) return { train, validation, test };
  return { train: [...train, ...validation], validation: [], test };
}

/** Whether the data set says of its clips which part they belong to. */
function hasParts({ clips }: Dataset): boolean {
  return clips.some(({ part }) => part !== undefined);
}

/** Clips of no part are left to train on. */
function divideByPart(clips: readonly Clip[]): OfficialParts {
  const of = (name: PartName) => clips.filter(({ part = 'train' }) => part === name);
  const validation = of('validation');
  return { train: of('train'), validation: validation.length === 0 ? null : validation, test: of('test') };
}

/** Speakers that an error text names one by one. */
const MOST_NAMED = 60;

function bySpeakers(dataset: Dataset, test: string[], draw: Draw): Parts {
  const { seed, validation } = draw;
  const unnamed = dataset.clips.find((clip) => clip.speaker === null);
  if (unnamed !== undefined) {
    throw invalidSplit(
      `The speaker of ${unnamed.file} is not known, so a split by speakers could put one into two parts. ` +
        'Name the files speaker_index.wav, or use random:<fraction>.',
    );
  }
  const unknown = test.filter((name) => !dataset.speakers.includes(name));
  if (unknown.length > 0) {
    const { speakers } = dataset;
    const meant = nearest(unknown[0]!, speakers);
    const more = speakers.length > MOST_NAMED ? ` and ${speakers.length - MOST_NAMED} more` : '';
    throw invalidSplit(
      `No clips of ${unknown.join(', ')}.${meant === null ? '' : ` Did you mean ${meant}?`} ` +
        `Speakers here: ${speakers.slice(0, MOST_NAMED).join(', ')}${more}.`,
    );
  }
  // All speakers stand in one seeded circle and those after the (first) tested one validate: over the folds of
  // leave-one-speaker-out each of them does so equally often.
  const circle = shuffled(dataset.speakers, seed, 'speakers');
  const first = test[0] === undefined ? 0 : circle.indexOf(test[0]);
  const others = [...circle.slice(first), ...circle.slice(0, first)].filter((name) => !test.includes(name));
  const count = Math.min(Math.round(others.length * validation), others.length - 1);
  const part = (names: string[]) => {
    const wanted = new Set(names);
    return dataset.clips.filter(({ speaker }) => wanted.has(speaker!));
  };
  if (count <= 0) return { ...validated(dataset, part(others), draw), test: part(test) };
  const validating = others.slice(0, count);
  return { train: part(others.slice(count)), validation: part(validating), test: part(test) };
}

/** Takes the validation part out of the clips to train on. */
function validated(dataset: Dataset, clips: Clip[], { seed, validation }: Draw): Omit<Parts, 'test'> {
  if (validation === 0 || clips.length === 0) return { train: clips, validation: [] };
  const { drawn, rest } = drawStratified(dataset.layout, clips, validation, seed, 'validation');
  if (drawn.length === 0) {
    throw invalidSplit(
      'With one clip of each word to train on, none is left for validation. Set validation to 0 or add clips.',
    );
  }
  return { train: rest, validation: drawn };
}

function parseSpec(spec: string): Spec {
  if (spec === 'official' || spec === 'leave-one-speaker-out' || spec === 'none' || spec === 'all')
    return { kind: spec };
  if (typeof spec !== 'string') throw refuse(spec, 'the split', 'a string');
  const [, kind, value = ''] = /^(speakers|random):(.*)$/su.exec(spec) ?? [];
  if (kind === 'speakers') {
    const names = value.split(',').map((name) => name.trim().normalize('NFC'));
    if (names.every((name) => name !== '')) return { kind, names: sortedNames(names) };
    throw invalidSplit(`"${spec}" has an empty name. Write for example speakers:jackson,theo.`);
  }
  if (kind === 'random') {
    const [, share, least = '0'] = /^\s*([\d.e+-]+)\s*(?::(\d{1,9}))?$/.exec(value) ?? [];
    const fraction = Number(share);
    if (fraction > 0 && fraction < 1) return { kind, fraction, takes: Number(least) };
    throw invalidSplit(
      `"${spec}" needs a fraction between 0 and 1, such as random:0.2, and may name the clips that a word must have ` +
        'more of to be drawn from: random:0.2:20.',
    );
  }
  const kinds = ['official', 'speakers', 'leave-one-speaker-out', 'random', 'none', 'all'];
  const meant = nearest(spec.replace(/:.*$/su, ''), kinds);
  throw invalidSplit(
    `There is no split "${spec}".${meant === null ? '' : ` Did you mean ${meant}?`} Known are: official, ` +
      'speakers:<name,name>, leave-one-speaker-out, random:<fraction>, none and all.',
  );
}

function countFolds(dataset: Dataset, spec: Spec): number {
  if (spec.kind === 'official' && !hasParts(dataset))
    return layoutCalled(dataset.layout).official?.folds ?? 1;
  if (spec.kind === 'leave-one-speaker-out') {
    if (dataset.speakers.length === 0) throw invalidSplit('No file name in this dataset tells its speaker.');
    return dataset.speakers.length;
  }
  return 1;
}

function checkOptions(options: SplitOptions | undefined, folds: number, spec: string): Draw {
  const {
    seed = 0,
    fold = 1,
    validation = 0.1,
  } = optionsObject(options, 'options', ['seed', 'fold', 'validation']);
  if (typeof validation !== 'number' || !(validation >= 0 && validation < 1)) {
    throw refuse(validation, 'validation', 'a number from 0 to below 1');
  }
  const most = Number.MAX_SAFE_INTEGER;
  const draw = {
    seed: integer(seed, 'seed', 0, most),
    fold: integer(fold, 'fold', 1, most, { code: 'ERR_SPLIT_INVALID' }),
    folds,
    validation,
  };
  if (draw.fold > folds) {
    const range = folds === 1 ? 'one fold' : `folds 1 to ${folds}`;
    throw invalidSplit(`Fold ${draw.fold} is not possible: ${spec} has ${range} here.`);
  }
  return draw;
}

function nameOf(dataset: Dataset, { kind }: Spec, spec: string, { seed, fold, folds }: Draw): string {
  const speaker = kind === 'leave-one-speaker-out' ? ` (${dataset.speakers[fold - 1]})` : '';
  const numbered = folds > 1 ? ` fold ${fold} of ${folds}` : '';
  return `${spec}${numbered}${speaker}${kind === 'all' ? '' : `, seed ${seed}`}`;
}

function noClips(split: Split, part: string): SonospikeError {
  return invalidSplit(`The ${part} part would have no clips (${describeSplit(split)}).`);
}

function invalidSplit(message: string): SonospikeError {
  return new SonospikeError('ERR_SPLIT_INVALID', message);
}
