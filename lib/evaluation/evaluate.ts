import { PARTS, type PartName } from '../datasets/clip.js';
import { loadClips } from '../datasets/clip-loader.js';
import type { SkippedFile } from '../datasets/dataset.js';
import { fingerprint } from '../datasets/fingerprint.js';
import { type Dataset, resolveDataset } from '../datasets/index.js';
import type { LayoutName } from '../datasets/layouts/index.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { otherNames, relabelled } from '../datasets/number-words.js';
import { describeSplit, type Split, splitDataset } from '../datasets/split.js';
import { loadModel, Model } from '../model/model.js';
import { checkDevice, type DeviceChoice } from '../native/device.js';
import { guard, guardAsync } from '../native/errors.js';
import { unpackHashes } from '../support/clip-hash.js';
import { SonospikeError } from '../support/errors.js';
import {
  abortSignal,
  callback,
  checkSeed,
  checkThreads,
  choice,
  flag,
  optionsObject,
} from '../support/options.js';
import { type AnswerOptions, answerSounds } from './answers.js';
import { type ClipResult, evaluateClips, type Scored } from './clip-results.js';
import { type LongerClips, longerClips } from './longer.js';
import { countOperations, type Operations } from './operations.js';
import {
  madeSounds,
  measureRejection,
  OTHER_WORDS,
  type Rejection,
  soundsBelow,
  type UnknownSound,
} from './rejection.js';
import { measureRobustness, type RobustnessResult } from './robustness.js';
import { countSeen, countWhere, hashesByFile, type Seen } from './seen.js';

/** What `evaluate` takes. */
export interface EvaluateOptions {
  /** A directory that `openDataset` knows, or what it gave. */
  data: string | Dataset;
  /** How the clips lie in the directory `data` (default: recognised). */
  layout?: LayoutName;
  /** A model, or the path of one; the shipped model if left out. */
  model?: Model | string;
  /**
   * A split as for training. Left out: the split that the model was trained with if it was trained on this
   * dataset, else `all`.
   */
  split?: string;
  /** Number of the split's fold, from 1 (default: the model's own, else 1). */
  fold?: number;
  /** The part to evaluate (default: `test`). */
  part?: PartName;
  /** Seed of the split's draw (default: the model's for the split that it was trained with, else 0). */
  splitSeed?: number;
  /** Seed of the `rate` encoding, of made sounds and of the disturbances of `robustness` (default: 0). */
  seed?: number;
  /**
   * Sounds that are no words, to see whether the model rejects them: `true`: silence, noise and tones made by the
   * program; or a folder of WAVs beside those, each of its folders a kind of sound.
   */
  unknown?: boolean | string;
  /** Tests again under noise, gain, offset, silence around the word, and at other sample rates. */
  robustness?: boolean;
  /** Number of threads, from 1 to 256 (default: all cores). */
  threads?: number;
  /** Where a model that is given by its path computes (default: `auto`). A `Model` stays where it is. */
  device?: DeviceChoice;
  /** Makes a clip that cannot be used an error (default: it is left out, and named in `skipped`). */
  strict?: boolean;
  /** Stops the evaluation with ERR_ABORTED. */
  signal?: AbortSignal;
  /** Called while the clips are read, and while the model is tested under other conditions. */
  onProgress?: (progress: EvaluationProgress) => void;
}

/** What `onProgress` of an evaluation gets. */
export interface EvaluationProgress {
  /** `load`: clips are read; `robustness`: the clips are tested under other conditions. */
  phase: 'load' | 'robustness';
  /** Clips, or conditions, that are done. */
  done: number;
  /** All clips, or conditions. */
  total: number;
}

const EVALUATE_KEYS = [
  'data',
  'layout',
  'model',
  'split',
  'fold',
  'part',
  'splitSeed',
  'seed',
  'unknown',
  'robustness',
  'threads',
  'device',
  'strict',
  'signal',
  'onProgress',
] as const satisfies (keyof EvaluateOptions)[];

/** What `evaluate` found. */
export interface Evaluation extends Scored, Seen {
  /** The split and the sizes of its parts, in one line. */
  split: string;
  /** Labels of the data set that the model knows under another name: its own by the data set's. */
  renamed?: Record<string, string>;
  /** Clips that are longer than the network can hear; null where there are none. Only from `evaluate`. */
  longer?: LongerClips | null;
  /** Files that were left out, and why. */
  skipped: SkippedFile[];
  /** Operations of a clip; only from `evaluate`, and null there where clips are too long to be looked into. */
  operations?: Operations | null;
  /** Accuracy under each other condition, with the option `robustness`. */
  robustness?: RobustnessResult[];
}

/** `evaluate` of index.ts. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  optionsObject(options, 'options', EVALUATE_KEYS);
  abortSignal(options.signal, 'signal');
  callback(options.onProgress, 'onProgress');
  const strict = flag(options.strict, 'strict');
  const robust = flag(options.robustness, 'robustness');
  if (typeof options.unknown !== 'string') flag(options.unknown, 'unknown');
  const part = choice(options.part ?? 'test', 'part', PARTS);
  const threads = checkThreads(options.threads);
  const device = checkDevice(options.device, 'auto');
  const seed = checkSeed(options.seed);
  const over: AnswerOptions = { seed, threads, strict, signal: options.signal };
  if (options.model instanceof Model) {
    requireOn(options.model, options.device);
    return measure(options.model, options, part, over, robust);
  }
  const model = await loadModel(options.model, { threads, device });
  try {
    return await measure(model, options, part, over, robust);
  } finally {
    model.close();
  }
}

/** `evaluate`, with a model and options that have been checked. */
async function measure(
  model: Model,
  options: EvaluateOptions,
  part: 'train' | 'validation' | 'test',
  over: AnswerOptions,
  robust: boolean,
): Promise<Evaluation> {
  const { seed, threads, strict } = over;
  const dataset = await resolveDataset(options.data, { ...options, strict });
  const names = otherNames(dataset.labels, model.labels);
  requireLabels(dataset, [...model.labels, ...names.keys()]);
  const own = ownSplit(model, dataset);
  const split = chooseSplit(own, dataset, options, part);
  const clips = relabelled(split[part], names);
  if (clips.length === 0) {
    throw new SonospikeError(
      'ERR_SPLIT_INVALID',
      `The ${part} part of the split has no clips (${describeSplit(split)}).`,
    );
  }
  const telling = (phase: EvaluationProgress['phase']) => (done: number, total: number) =>
    options.onProgress?.({ phase, done, total });
  const sounds = await chooseSounds(options.unknown, model.settings.sampleRate, seed);
  const store = guard(() => new model.addon.FeatureStore(model.native, threads));
  try {
    const loaded = await loadClips(store, clips, {
      labels: model.labels,
      strict,
      signal: options.signal,
      onProgress: telling('load'),
    });
    await guardAsync(() => store.fit(new Int32Array(), true));
    const found = await evaluateClips(model, store, clips, loaded.numbers, over);
    const heard = await hearUnknown(model, found, sounds, over);
    const files = found.predictions.map(({ file }) => file);
    const robustness = robust
      ? await measureRobustness(model, dataset.layout, found, over, telling('robustness'))
      : undefined;
    const left = new Set(clips.filter((_, i) => loaded.numbers[i]! < 0));
    return {
      ...found,
      rejection: heard.rejection,
      operations: await countOperations(model, { files, ...over }),
      ...(robustness === undefined ? {} : { robustness }),
      split: describeSplit({ ...split, [part]: clips.filter((clip) => !left.has(clip)) }),
      ...whatWasSeen(model, own, dataset, found.predictions, hashesByFile(clips, loaded.hashes)),
      ...(names.size === 0 ? {} : { renamed: Object.fromEntries(names) }),
      longer: longerClips(model.settings, clips, loaded.seconds),
      skipped: [...dataset.skipped, ...loaded.skipped, ...heard.skipped],
    };
  } finally {
    store.close();
  }
}

/** A model does not move. */
function requireOn(model: Model, device: DeviceChoice | undefined): void {
  if (device === undefined || device === 'auto' || device === model.device) return;
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `device is '${device}', but the model is on '${model.device}': load it with { device: '${device}' }, or give its path.`,
  );
}

async function chooseSounds(asked: boolean | string | undefined, sampleRate: number, seed: number) {
  if (asked === undefined || asked === false) return [];
  return [...madeSounds(sampleRate, seed), ...(typeof asked === 'string' ? await soundsBelow(asked) : [])];
}

/** Rejection of the `_unknown_` clips of the dataset and of more sounds. */
async function hearUnknown(
  model: Model,
  found: Scored,
  sounds: readonly UnknownSound[],
  over: AnswerOptions,
): Promise<{ rejection: Rejection | null; skipped: SkippedFile[] }> {
  if (sounds.length === 0) return { rejection: found.rejection, skipped: [] };
  const { answers, skipped } = await answerSounds(model, sounds.length, (i) => sounds[i]!.read(), over);
  const rejection = measureRejection(
    model.confidence?.threshold ?? null,
    found.predictions.map((of) => ({ ...of, right: of.label === of.predicted })),
    [
      ...found.unknown.map((of) => ({ ...of, kind: OTHER_WORDS })),
      ...answers.flatMap((answer, i) => (answer === null ? [] : { ...answer, kind: sounds[i]!.kind })),
    ],
  );
  return { rejection, skipped };
}

/**
 * The split that was asked for; the model's own one, with the seed and fold that it was trained with, where it is the
 * same or none was asked for, so that no clip of its training part is taken for a test.
 */
function chooseSplit(
  own: OwnSplit | null,
  dataset: Dataset,
  options: EvaluateOptions,
  part: PartName,
): Split {
  // A model of all clips has no test part of its own: the figures say that it has seen the clips.
  const hasPart = own?.split !== 'none' || part !== 'test';
  if (own && hasPart && (options.split ?? own.split) === own.split) {
    const { split, seed, fold, validation } = own;
    return splitDataset(dataset, split, {
      seed: options.splitSeed === undefined ? seed : checkSeed(options.splitSeed),
      fold: options.fold ?? fold,
      validation,
    });
  }
  return splitDataset(dataset, options.split ?? 'all', {
    seed: checkSeed(options.splitSeed),
    fold: options.fold ?? 1,
  });
}

/** By the hashes in the model's file; of models of version 0.1.0 by the names of the clips, on the data set of before. */
function whatWasSeen(
  model: Model,
  own: OwnSplit | null,
  dataset: Dataset,
  predictions: readonly ClipResult[],
  hashes: ReadonlyMap<string, number>,
): Seen {
  if (model.clipHashes !== null) return countSeen(predictions, hashes, unpackHashes(model.clipHashes));
  if (own === null) return { seenInTraining: null, unseen: null };
  const { split, seed, fold, validation } = own;
  const { train } = splitDataset(dataset, split, { seed, fold, validation });
  const trained = new Set(train.map(({ file }) => file));
  return countWhere(predictions, ({ file }) => trained.has(file));
}

/** Options of a training that determine its split. */
interface OwnSplit {
  split: string;
  fold: number;
  seed: number;
  validation: number;
}

/** The split that the model was trained with, if it was on these very clips. */
function ownSplit(model: Model, dataset: Dataset): OwnSplit | null {
  const { dataset: trained, options } = (model.training ?? {}) as {
    dataset?: { fingerprint?: string };
    options?: OwnSplit;
  };
  return options && trained?.fingerprint === fingerprint(dataset.layout, dataset.clips) ? options : null;
}

function requireLabels(dataset: Dataset, known: readonly string[]): void {
  const unknown = dataset.labels.filter((label) => label !== UNKNOWN_LABEL && !known.includes(label));
  if (unknown.length === 0) return;
  throw new SonospikeError(
    'ERR_UNKNOWN_LABEL',
    `The dataset has ${unknown.length === 1 ? 'a word' : 'words'} that the model does not know: ` +
      `${unknown.slice(0, 20).join(', ')}. The model knows ${known.slice(0, 50).join(', ')}.`,
    { file: dataset.directory },
  );
}
