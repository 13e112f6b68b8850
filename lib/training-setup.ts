import { loadClips, type SkippedClip } from './clip-loader.js';
import type { Clip, Dataset } from './datasets/index.js';
import { describeSplit, type Split, splitDataset } from './datasets/split.js';
import { SonospikeError } from './errors.js';
import { resolveDataset } from './evaluation.js';
import { fingerprint } from './fingerprint.js';
import { checkThreads, guard, guardAsync, loadTensors, Model } from './model.js';
import { type NativeFeatureStore, type NativeTrainer, native } from './native.js';
import { presetSettings } from './presets.js';
import type { ModelSettings } from './settings.js';
import { readSavedRun, type SavedRun } from './training-files.js';
import {
  checkFlag,
  differences,
  pickRunOptions,
  type RunOptions,
  resolveRunOptions,
  toNative,
} from './training-options.js';
import { validateSettings } from './validation.js';

export interface PrepareOptions {
  /** A directory that `openDataset` knows, or what it gave. */
  data: string | Dataset;
  /** A second dataset whose clips are all added to the training part; its words must be among those of `data`. */
  extraData?: string | Dataset;
  threads?: number;
  /** Makes a clip that cannot be used an error instead of leaving it out. */
  strict?: boolean;
  signal?: AbortSignal;
  /** Called once with the split's one-line description and the clips that were left out. */
  onData?: (split: string, skipped: SkippedClip[]) => void;
  /** Clips read so far. */
  onLoad?: (done: number, total: number) => void;
}

interface SetupOptions extends Partial<RunOptions>, PrepareOptions {
  settings?: ModelSettings;
  resume?: string;
}

/** A part of the split; `numbers` are those of its clips in the store, -1 for those left out. */
export interface Part {
  clips: Clip[];
  numbers: number[];
}

/** Everything that a training run needs, with the clips read. */
export interface Prepared {
  run: RunOptions;
  model: Model;
  store: NativeFeatureStore;
  trainer: NativeTrainer;
  parts: { train: Part; validation: Part; test: Part };
  /** Clips that are trained on. */
  trainingClips: number;
  splitText: string;
  skipped: SkippedClip[];
  /** What the model file says of the data. */
  dataset: { layout: string; clips: number; fingerprint: string };
  /** Names the clips of every part, for a resume. */
  fingerprint: string;
  saved: SavedRun | null;
}

/** Opens the data, splits it, reads the clips and makes or restores the network. */
export async function prepare(options: SetupOptions): Promise<Prepared> {
  const strict = checkFlag(options.strict, 'strict');
  const threads = checkThreads(options.threads);
  const saved = options.resume === undefined ? null : await readSavedRun(options.resume);
  const dataset = await resolveDataset(options.data, strict, options.signal);
  const run = chooseOptions(options, dataset, saved);
  const settings = chooseSettings(options, run, dataset, saved);
  const split = splitDataset(dataset, run.split, run);
  const extra = await openExtra(options, settings.labels, strict);
  const print = splitFingerprint(dataset, split, extra);
  if (saved && saved.fingerprint !== print) {
    throw new SonospikeError(
      'ERR_CHECKPOINT_INVALID',
      `${options.resume} belongs to a training on other clips than those of ${dataset.directory}. ` +
        'Name the dataset that it was started with, or start anew without resuming.',
      { file: options.resume },
    );
  }

  const model = new Model(settings, { threads });
  const store = guard(() => new (native().FeatureStore)(model.native, threads));
  const { parts, skipped } = await loadParts(store, split, extra, {
    ...options,
    strict,
    labels: settings.labels,
  });
  const training = usable(parts.train, 'train');
  if (parts.validation.clips.length > 0) usable(parts.validation, 'validation');
  usable(parts.test, 'test');
  const allSkipped = [...dataset.skipped, ...(extra?.skipped ?? []), ...skipped];
  options.onData?.(describeSplit(split), allSkipped);

  await guardAsync(() => store.fit(training, false));
  const trainer = guard(() => new (native().Trainer)(model.native, store, toNative(run), training));
  if (saved) {
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
    trainingClips: training.length,
    splitText: describeSplit(split),
    skipped: allSkipped,
    dataset: {
      layout: dataset.layout,
      clips: dataset.clips.length,
      fingerprint: fingerprint(dataset.directory, dataset.clips),
    },
    fingerprint: print,
    saved,
  };
}

function chooseOptions(options: SetupOptions, dataset: Dataset, saved: SavedRun | null): RunOptions {
  const given = pickRunOptions(options);
  if (!saved) return resolveRunOptions(given, defaultSplit(dataset));
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

/** The official split where there is one whose speakers or takes are known, else a fifth drawn at random. */
function defaultSplit(dataset: Dataset): string {
  try {
    splitDataset(dataset, 'official');
    return 'official';
  } catch {
    return 'random:0.2';
  }
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

async function openExtra(
  options: SetupOptions,
  labels: readonly string[],
  strict: boolean,
): Promise<Dataset | null> {
  if (options.extraData === undefined) return null;
  const extra = await resolveDataset(options.extraData, strict, options.signal);
  const unknown = extra.labels.find((label) => !labels.includes(label));
  if (unknown === undefined) return extra;
  throw new SonospikeError(
    'ERR_UNKNOWN_LABEL',
    `${extra.directory} has the word ${unknown}, which the dataset to be trained on does not have.`,
    { file: extra.directory },
  );
}

async function loadParts(
  store: NativeFeatureStore,
  split: Split,
  extra: Dataset | null,
  options: SetupOptions & { strict: boolean; labels: readonly string[] },
) {
  const train = [...split.train, ...(extra?.clips ?? [])];
  const all = [...train, ...split.validation, ...split.test];
  const { numbers, skipped } = await loadClips(store, all, { ...options, onProgress: options.onLoad });
  let at = 0;
  const take = (clips: Clip[]): Part => {
    at += clips.length;
    return { clips, numbers: numbers.slice(at - clips.length, at) };
  };
  return {
    parts: { train: take(train), validation: take(split.validation), test: take(split.test) },
    skipped,
  };
}

function usable(part: Part, name: string): Int32Array {
  const numbers = Int32Array.from(part.numbers.filter((n) => n >= 0));
  if (numbers.length > 0) return numbers;
  throw new SonospikeError(
    'ERR_DATASET_EMPTY',
    `None of the ${part.clips.length} clips of the ${name} part could be read.`,
  );
}

function splitFingerprint(dataset: Dataset, split: Split, extra: Dataset | null): string {
  const parts = [split.train, split.validation, split.test].map((clips) =>
    fingerprint(dataset.directory, clips),
  );
  return [...parts, extra ? fingerprint(extra.directory, extra.clips) : '-'].join(' ');
}
