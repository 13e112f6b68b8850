import { createHash } from 'node:crypto';
import type { Clip } from '../datasets/clip.js';
import { loadClips } from '../datasets/clip-loader.js';
import type { SkippedFile } from '../datasets/dataset.js';
import { fingerprint } from '../datasets/fingerprint.js';
import { type Dataset, resolveDataset } from '../datasets/index.js';
import type { LayoutName } from '../datasets/layouts/index.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { otherNames, relabelled } from '../datasets/number-words.js';
import { describeSplit, type Split } from '../datasets/split.js';
import { loadTensors, Model } from '../model/model.js';
import type { NativeFeatureStore, NativeTrainer } from '../native/addon.js';
import { choosePlace, type DeviceChoice } from '../native/device.js';
import { guard, guardAsync } from '../native/errors.js';
import { OF_BANDS } from '../settings/augmentation.js';
import { presetSettings } from '../settings/presets.js';
import type { ModelSettings } from '../settings/settings.js';
import { validateSettings } from '../settings/validate.js';
import { packHashes } from '../support/clip-hash.js';
import { SonospikeError } from '../support/errors.js';
import { checkThreads, flag } from '../support/options.js';
import type { DataReport, LoadProgress, WordCount } from './epoch.js';
import { keepApart, type Part, usedHashes } from './keep-apart.js';
import {
  differences,
  fitToSet,
  negativesOf,
  pickRunOptions,
  type RunOptions,
  resolveRunOptions,
  toNative,
} from './recipe.js';
import { readSavedRun, type SavedRun } from './saved-run.js';
import { aboutSize, chooseFolds, defaultSplit, splitForTraining } from './small-set.js';

export interface PrepareOptions {
  /** The dataset: a directory, or what `openDataset` gave. */
  data: string | Dataset;
  /** How the clips lie in the directory `data`, and in those of `extraData` that are ambiguous (default: recognised). */
  layout?: LayoutName;
  /** More datasets whose clips are all added to the training part; their words must be among those of `data`. */
  extraData?: string | Dataset | readonly (string | Dataset)[];
  /** Number of threads, from 1 to 256 (default: all cores). */
  threads?: number;
  /**
   * Where the network is trained (default: `auto`). The same seed gives the same bits on one device; those of the CPU and
   * of a GPU differ by rounding. A checkpoint from one of them can be resumed on the other.
   */
  device?: DeviceChoice;
  /** Makes a clip that cannot be used an error (default: it is left out). */
  strict?: boolean;
  /** Leaves the hashes of the clips that were trained on out of the files (default: false). */
  strip?: boolean;
  /** Stops the training with ERR_ABORTED after the current batch, with the checkpoint written. */
  signal?: AbortSignal;
  /** Called once, when all clips have been read. */
  onData?: (report: DataReport) => void;
  /** Called while the clips are read. */
  onLoad?: (progress: LoadProgress) => void;
}

interface SetupOptions extends Partial<RunOptions>, PrepareOptions {
  settings?: ModelSettings;
  resume?: string;
  testEveryEpoch?: boolean;
}

/** Everything that a training run needs, with the clips read. */
export interface Prepared {
  run: RunOptions;
  model: Model;
  store: NativeFeatureStore;
  trainer: NativeTrainer;
  parts: { train: Part; validation: Part; test: Part };
  /** Clips of an epoch, with those that are made. */
  trainingClips: number;
  /** Training clips that are words. */
  trainingWords: number;
  splitText: string;
  skipped: SkippedFile[];
  /** What each fold of the cross-validation holds out; null where there is none. */
  folds: Clip[][] | null;
  /** Clips at the end of the training part that are of other datasets. */
  extraClips: number;
  threads: number;
  /** Why the set is too small to trust the model, in whole sentences. */
  remarks: string[];
  /** As the model file has them; null where it is to have none. */
  clipHashes: Uint8Array | null;
  /** What the model file says of the data. */
  dataset: { layout: string; clips: number; fingerprint: string };
  /** Names the clips of every part, for a resume. */
  fingerprint: string;
  saved: SavedRun | null;
}

/** Opens the data, splits it, reads the clips and makes or restores the network. */
export async function prepare(options: SetupOptions): Promise<Prepared> {
  const strict = flag(options.strict, 'strict');
  const threads = checkThreads(options.threads);
  const place = await choosePlace(options.device, 'auto');
  const saved = options.resume === undefined ? null : await readSavedRun(options.resume);
  const dataset = await resolveDataset(options.data, { ...options, strict });
  const named = fingerprint(dataset.layout, dataset.clips);
  if (saved && !saved.fingerprint.startsWith(`${named} `))
    throw otherClips(options, 'on other clips than those');
  const wanted = chooseOptions(options, dataset, saved);
  const settings = chooseSettings(options, wanted, dataset, saved);
  requireBands(wanted, settings);
  const keepsShare = saved !== null || options.validation !== undefined;
  const { split, run: chosen } = splitForTraining(dataset, wanted, keepsShare);
  if (split.train.length === 0) {
    throw new SonospikeError(
      'ERR_SPLIT_INVALID',
      `Split ${chosen.split} has no clips to train on. It is for evaluation only.`,
    );
  }
  const extra = await openExtra(options, settings.labels, strict);
  const print = `${named} ${splitFingerprint(dataset, split, extra)}`;
  if (saved && !saved.fingerprint.startsWith(`${print} `))
    throw otherClips(options, 'on other clips than those');

  const model = new Model(settings, { threads }, {}, place);
  const store = guard(() => new place.addon.FeatureStore(model.native, threads));
  const { parts, skipped } = await loadParts(store, split, extra, {
    ...options,
    strict,
    labels: settings.labels,
    augmented: chosen.augmentation !== null || chosen.negatives > 0,
  });
  // Runs of version 0.1.0 go on as they were: their checkpoints do not tell the samples, and copies were trained on.
  const isOld = saved !== null && !CONTENT.test(saved.fingerprint);
  if (!isOld) skipped.push(...keepApart(parts, strict));
  const names = `${print} ${usedFingerprint(parts)}`;
  const used = isOld ? names : `${names} ${contentFingerprint(parts)}`;
  if (saved && saved.fingerprint !== used) {
    const how = saved.fingerprint.startsWith(`${names} `)
      ? 'on other recordings under the same names'
      : 'in which other clips could be read than now';
    throw otherClips(options, how);
  }
  const training = usable(parts.train, 'train', skipped);
  for (const name of ['train', 'validation', 'test'] as const) {
    const mayLack = name === 'validation' || (name === 'test' && split.test.length === 0);
    if (parts[name].clips.length > 0 || !mayLack) requireWords(parts[name], name, skipped);
  }
  const allSkipped = [...dataset.skipped, ...extra.flatMap((each) => each.skipped), ...skipped];
  const splitText = describeSplit(withoutSkipped(split, parts));
  const words = countWords(settings.labels, parts);
  const remarks = aboutSize(words, dataset.speakers);
  const extraClips = extra.reduce((sum, each) => sum + each.clips.length, 0);
  options.onData?.({
    phase: 'data',
    split: splitText,
    skipped: allSkipped,
    words,
    speakers: dataset.speakers,
    settings,
    remarks,
  });

  const run = saved ? chosen : fitToSet(chosen, pickRunOptions(options), training.length);
  const negatives = negativesOf(run, training.length);
  const trainingClips = training.length + negatives;
  const folds = chooseFolds(run, parts, extraClips);
  await guardAsync(() => store.fit(training, false));
  const trainer = guard(
    () => new place.addon.Trainer(model.native, store, { ...toNative(run), negatives }, training),
  );
  if (saved) {
    checkPosition(saved, trainingClips, options.resume);
    loadTensors(model.native, saved.parameters);
    guard(() => trainer.loadState(saved.state));
  } else {
    model.native.initialise(run.seed);
  }
  return {
    run,
    model,
    store,
    trainer,
    parts,
    trainingClips,
    trainingWords: labelled(parts.train).length,
    splitText,
    skipped: allSkipped,
    folds,
    extraClips,
    threads,
    remarks,
    clipHashes: options.strip ? null : packHashes(usedHashes(parts.train)),
    dataset: {
      layout: dataset.layout,
      clips: dataset.clips.length,
      fingerprint: named,
    },
    fingerprint: used,
    saved,
  };
}

function chooseOptions(options: SetupOptions, dataset: Dataset, saved: SavedRun | null): RunOptions {
  const given = pickRunOptions(options);
  if (!saved) return resolveRunOptions(given, defaultSplit(dataset, wantsTest(options)));
  const changed = differences(given, saved.options);
  if (changed.length > 0) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      `A training that goes on keeps its options, but ${changed.join('; ')}. Leave them out, or start anew.`,
      { file: options.resume },
    );
  }
  return resolveRunOptions({ ...saved.options, ...given }, saved.options.split);
}

/** Whether a test part is wanted in any case: for curves, or as there is to be no cross-validation. */
function wantsTest({ testEveryEpoch, calibrationFolds }: SetupOptions): boolean {
  return testEveryEpoch === true || (calibrationFolds !== undefined && calibrationFolds < 2);
}

function chooseSettings(
  options: SetupOptions,
  run: RunOptions,
  dataset: Dataset,
  saved: SavedRun | null,
): ModelSettings {
  const given = options.settings === undefined ? null : validateSettings(options.settings, 'settings');
  if (saved && given && JSON.stringify(given) !== JSON.stringify(saved.settings)) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      'A training that goes on keeps its settings, but others are given. Leave them out, or start anew.',
      { file: options.resume },
    );
  }
  if (saved) return saved.settings;
  if (!given) return presetSettings(run.preset, dataset.labels);
  if (JSON.stringify(given.labels) !== JSON.stringify(dataset.labels)) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      `settings.labels are ${given.labels.join(', ')}, but the dataset's are ${dataset.labels.join(', ')}.`,
    );
  }
  return given;
}

/** @internal Augmentation of mel bands cannot be applied to cepstral coefficients. */
export function requireBands({ augmentation }: RunOptions, { frontend }: ModelSettings): void {
  const wrong = frontend.type === 'mfcc' && augmentation && OF_BANDS.find((key) => augmentation[key]);
  if (!wrong) return;
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `augmentation.${wrong} changes mel bands, and the front end gives cepstral coefficients (mfcc). Set it to null, ` +
      "or use settings with a 'log-mel' front end.",
  );
}

async function openExtra(
  { extraData = [], layout, signal }: SetupOptions,
  labels: readonly string[],
  strict: boolean,
): Promise<Dataset[]> {
  const all: Dataset[] = [];
  for (const data of Array.isArray(extraData) ? extraData : [extraData]) {
    const extra = await resolveExtra(data, { strict, layout, signal });
    const names = otherNames(extra.labels, labels);
    const unknown = extra.labels.find((label) => !labels.includes(label) && !names.has(label));
    if (unknown !== undefined) {
      throw new SonospikeError(
        'ERR_UNKNOWN_LABEL',
        `${extra.directory} has the word ${unknown}, which the dataset to be trained on does not have.`,
        { file: extra.directory },
      );
    }
    all.push({ ...extra, clips: relabelled(extra.clips, names) });
  }
  return all;
}

/** The layout that was named is that of `data`; here it says what the names alone leave open. */
async function resolveExtra(
  data: string | Dataset,
  options: { strict: boolean; layout: LayoutName | undefined; signal: AbortSignal | undefined },
): Promise<Dataset> {
  try {
    return await resolveDataset(data, { ...options, layout: undefined });
  } catch (error) {
    const isOpen = error instanceof SonospikeError && error.code === 'ERR_DATASET_LAYOUT';
    if (!isOpen || options.layout === undefined) throw error;
    return resolveDataset(data, options);
  }
}

async function loadParts(
  store: NativeFeatureStore,
  split: Split,
  extra: Dataset[],
  options: SetupOptions & { strict: boolean; labels: readonly string[]; augmented: boolean },
) {
  const train = [...split.train, ...extra.flatMap((each) => each.clips)];
  const all = [...train, ...split.validation, ...split.test];
  const { numbers, hashes, skipped } = await loadClips(store, all, {
    ...options,
    // The validation part's samples are kept for the calibration.
    augmented: options.augmented ? train.length + split.validation.length : 0,
    onProgress: (done, total) => options.onLoad?.({ phase: 'load', done, total }),
  });
  let at = 0;
  const take = (clips: Clip[]): Part => {
    at += clips.length;
    const [first, end] = [at - clips.length, at];
    return { clips, numbers: numbers.slice(first, end), hashes: hashes.slice(first, end) };
  };
  return {
    parts: { train: take(train), validation: take(split.validation), test: take(split.test) },
    skipped,
  };
}

function usable(part: Part, name: string, skipped: readonly SkippedFile[]): Int32Array {
  const numbers = Int32Array.from(part.numbers.filter((n) => n >= 0));
  if (numbers.length > 0) return numbers;
  throw new SonospikeError(
    'ERR_DATASET_EMPTY',
    `None of the ${part.clips.length} clips of the ${name} part can be used. ` +
      `The first: ${reasonOf(part.clips[0], skipped)}`,
  );
}

function reasonOf(clip: Clip | undefined, skipped: readonly SkippedFile[]): string {
  const found = skipped.find(({ file }) => file === clip?.file);
  if (found === undefined) return 'there is none.';
  return found.reason.includes(found.file) ? found.reason : `${found.file} is ${found.reason}.`;
}

/** Numbers of the clips that could be read and are words. */
export function labelled({ clips, numbers }: Part): Int32Array {
  return Int32Array.from(numbers.filter((n, i) => n >= 0 && clips[i]!.label !== UNKNOWN_LABEL));
}

/** Words among the clips of a part. */
function requireWords(part: Part, name: string, skipped: readonly SkippedFile[]): void {
  usable(part, name, skipped);
  if (labelled(part).length > 0) return;
  throw new SonospikeError(
    'ERR_DATASET_EMPTY',
    `None of the clips of the ${name} part that could be read is a word; all are ${UNKNOWN_LABEL}.`,
  );
}

function splitFingerprint({ layout }: Dataset, split: Split, extra: Dataset[]): string {
  const parts = [split.train, split.validation, split.test].map((clips) => fingerprint(layout, clips));
  const more = extra.length === 0 ? ['-'] : extra.map((each) => fingerprint(each.layout, each.clips));
  return [...parts, ...more].join(' ');
}

/** The split with the clips that could be read, and without those of the extra data. */
function withoutSkipped(split: Split, parts: Prepared['parts']): Split {
  const read = ({ clips, numbers }: Part) => new Set(clips.filter((_, i) => numbers[i]! >= 0));
  const [train, validation, test] = [read(parts.train), read(parts.validation), read(parts.test)];
  return {
    name: split.name,
    train: split.train.filter((clip) => train.has(clip)),
    validation: split.validation.filter((clip) => validation.has(clip)),
    test: split.test.filter((clip) => test.has(clip)),
  };
}

/** The clips of each word, and of `_unknown_` where there are any, that each part has. */
function countWords(labels: readonly string[], parts: Prepared['parts']): WordCount[] {
  const count = (label: string, { clips, numbers }: Part) =>
    clips.filter((clip, i) => clip.label === label && numbers[i]! >= 0).length;
  const { train, validation, test } = parts;
  return [...labels, UNKNOWN_LABEL]
    .map((word) => ({
      word,
      train: count(word, train),
      validation: count(word, validation),
      test: count(word, test),
    }))
    .filter((of) => of.word !== UNKNOWN_LABEL || of.train + of.validation + of.test > 0);
}

/** Which clips could be read: their numbers in the store, and with them order and spikes, depend on it. */
function usedFingerprint(parts: Prepared['parts']): string {
  const numbers = [parts.train, parts.validation, parts.test].map((part) => part.numbers.join(','));
  return createHash('sha256').update(numbers.join(';')).digest('hex');
}

/** The end of the fingerprint of a run that tells the samples of its clips. */
const CONTENT = / content:[0-9a-f]{64}$/;

/** The samples of all clips that could be read. */
function contentFingerprint(parts: Prepared['parts']): string {
  const hashes = [parts.train, parts.validation, parts.test].map((part) => part.hashes.join(','));
  return `content:${createHash('sha256').update(hashes.join(';')).digest('hex')}`;
}

function otherClips({ resume, data }: SetupOptions, how: string): SonospikeError {
  const directory = typeof data === 'string' ? data : data.directory;
  return new SonospikeError(
    'ERR_CHECKPOINT_INVALID',
    `${resume} belongs to a training ${how} of ${directory}. ` +
      'Name the dataset that it was started with, or start anew without resuming.',
    { file: resume },
  );
}

/** A checkpoint stands at a batch that the training has. */
function checkPosition({ state, options }: SavedRun, clips: number, file: string | undefined): void {
  const { batch, clips: done } = state.position;
  const batches = Math.ceil(clips / options.batchSize);
  if (batch < batches && done === batch * options.batchSize) return;
  throw new SonospikeError(
    'ERR_CHECKPOINT_INVALID',
    `${file} stands at batch ${batch} with ${done} clips done, which a training of ${batches} batches does not have.`,
    { file },
  );
}
