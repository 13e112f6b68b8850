import { loadClips, type SkippedClip } from './clip-loader.js';
import { type Clip, type Dataset, openDataset, requireDataset } from './datasets/index.js';
import { describeSplit, type Split, splitDataset } from './datasets/split.js';
import { SonospikeError } from './errors.js';
import { fingerprint } from './fingerprint.js';
import {
  type Calibration,
  type ClassMetrics,
  calibration,
  classMetrics,
  confusionMatrix,
  wilsonInterval,
} from './metrics.js';
import { checkSeed, checkThreads, guard, guardAsync, loadModel, Model } from './model.js';
import { type NativeFeatureStore, native } from './native.js';
import { abortSignal, callback, choice, flag, optionsObject } from './options.js';
import type { RunOptions } from './training-options.js';

export interface EvaluateOptions {
  /** A directory that `openDataset` knows, or what it gave. */
  data: string | Dataset;
  /** A model, or the path of one; the shipped model if left out. */
  model?: Model | string;
  /**
   * A split as for training. Left out: the split that the model was trained with if it was trained on this
   * dataset, else `all`.
   */
  split?: string;
  fold?: number;
  /** The part to evaluate; default `test`. */
  part?: 'train' | 'validation' | 'test';
  /** Of the split's draw. Default: the model's for the split that it was trained with, else 0. */
  splitSeed?: number;
  /** Of the `rate` encoding. Default 0. */
  seed?: number;
  threads?: number;
  /** Makes a clip that cannot be used an error. */
  strict?: boolean;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

const EVALUATE_KEYS = [
  'data',
  'model',
  'split',
  'fold',
  'part',
  'splitSeed',
  'seed',
  'threads',
  'strict',
  'signal',
  'onProgress',
] as const satisfies (keyof EvaluateOptions)[];

export interface ClipResult {
  file: string;
  label: string;
  speaker: string | null;
  predicted: string;
  /** Probability that the prediction is right, as the model sees it. */
  confidence: number;
  /** In the order of the labels. */
  scores: number[];
}

export interface Evaluation {
  accuracy: number;
  /** 95% interval of the accuracy (Wilson). */
  interval: [number, number];
  loss: number;
  /** Number of clips. */
  clips: number;
  labels: string[];
  /** Clips by true label (row) and predicted label (column). */
  confusion: number[][];
  perClass: ClassMetrics[];
  perSpeaker: Record<string, { clips: number; accuracy: number }>;
  /** How far the confidences can be believed. */
  calibration: Calibration;
  /** Of each layer: spikes per neuron and time step. */
  firingRates: number[];
  predictions: ClipResult[];
  /** One line: split and sizes. */
  split: string;
  /** How many of the clips the model was trained on, as far as its file tells: that part of the accuracy is no test. */
  seenInTraining: number;
  skipped: SkippedClip[];
}

/**
 * Runs a model over the clips of a dataset.
 * @throws SonospikeError as `openDataset`, `splitDataset` and `loadModel`; ERR_UNKNOWN_LABEL if the dataset has words
 * that the model does not know; ERR_DATASET_EMPTY if no clip could be read; ERR_ABORTED
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  optionsObject(options, 'options', EVALUATE_KEYS);
  abortSignal(options.signal, 'signal');
  callback(options.onProgress, 'onProgress');
  const strict = flag(options.strict, 'strict');
  const part = choice(options.part ?? 'test', 'part', ['train', 'validation', 'test']);
  const threads = checkThreads(options.threads);
  const model = options.model instanceof Model ? options.model : await loadModel(options.model, { threads });
  const dataset = await resolveDataset(options.data, strict, options.signal);
  requireLabels(dataset, model.labels);
  const own = ownSplit(model, dataset);
  const split = chooseSplit(own, dataset, options);
  const clips = split[part];
  if (clips.length === 0) {
    throw new SonospikeError(
      'ERR_SPLIT_INVALID',
      `The ${part} part of the split has no clips (${describeSplit(split)}).`,
    );
  }
  const store = guard(() => new (native().FeatureStore)(model.native, threads));
  const loaded = await loadClips(store, clips, { ...options, labels: model.labels, strict });
  await guardAsync(() => store.fit(new Int32Array(), true));
  const found = await evaluateClips(model, store, clips, loaded.numbers, {
    seed: checkSeed(options.seed),
    signal: options.signal,
  });
  const left = new Set(clips.filter((_, i) => loaded.numbers[i]! < 0));
  return {
    ...found,
    split: describeSplit({ ...split, [part]: clips.filter((clip) => !left.has(clip)) }),
    seenInTraining: own ? countSeen(own, dataset, found.predictions) : 0,
    skipped: [...dataset.skipped, ...loaded.skipped],
  };
}

/** @internal A dataset, opened if need be. */
export async function resolveDataset(
  data: string | Dataset,
  strict: boolean,
  signal?: AbortSignal,
): Promise<Dataset> {
  if (typeof data !== 'string') return requireDataset(data);
  return openDataset(data, signal ? { strict, signal } : { strict });
}

/**
 * The split that was asked for; the model's own one, with the seed and fold that it was trained with, where it is the
 * same or none was asked for, so that no clip of its training part is taken for a test.
 */
function chooseSplit(own: OwnSplit | null, dataset: Dataset, options: EvaluateOptions): Split {
  if (own && (options.split ?? own.split) === own.split) {
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

/** Clips among `evaluated` that were in the training part of the model. */
function countSeen(own: OwnSplit, dataset: Dataset, evaluated: readonly ClipResult[]): number {
  const { split, seed, fold, validation } = own;
  const trained = new Set(
    splitDataset(dataset, split, { seed, fold, validation }).train.map(({ file }) => file),
  );
  return evaluated.filter(({ file }) => trained.has(file)).length;
}

type OwnSplit = Pick<RunOptions, 'split' | 'fold' | 'seed' | 'validation'>;

/** The split that the model was trained with, if it was on these very clips. */
function ownSplit(model: Model, dataset: Dataset): OwnSplit | null {
  const { dataset: trained, options } = (model.training ?? {}) as {
    dataset?: { fingerprint?: string };
    options?: OwnSplit;
  };
  return options && trained?.fingerprint === fingerprint(dataset.layout, dataset.clips) ? options : null;
}

function requireLabels(dataset: Dataset, known: readonly string[]): void {
  const unknown = dataset.labels.filter((label) => !known.includes(label));
  if (unknown.length === 0) return;
  throw new SonospikeError(
    'ERR_UNKNOWN_LABEL',
    `The dataset has ${unknown.length === 1 ? 'a word' : 'words'} that the model does not know: ` +
      `${unknown.slice(0, 20).join(', ')}. The model knows ${known.slice(0, 50).join(', ')}.`,
    { file: dataset.directory },
  );
}

interface RunOver {
  /** Of the `rate` encoding. */
  seed: number;
  signal?: AbortSignal | undefined;
}

/** @internal The store's `evaluate`, which `signal` cuts short with ERR_ABORTED. */
export async function evaluateNumbers(
  store: NativeFeatureStore,
  clips: Int32Array,
  { seed, signal }: RunOver,
) {
  const stop = () => store.abortEvaluation();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted)
      throw new SonospikeError('ERR_ABORTED', 'The evaluation was stopped.', { cause: signal.reason });
    return await guardAsync(() => store.evaluate(clips, seed, 0));
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** @internal Evaluates clips of a store; `numbers` are theirs there, -1 for those left out. */
export async function evaluateClips(
  model: Model,
  store: NativeFeatureStore,
  clips: readonly Clip[],
  numbers: readonly number[],
  over: RunOver,
): Promise<Omit<Evaluation, 'split' | 'seenInTraining' | 'skipped'>> {
  const used = clips.filter((_, i) => numbers[i]! >= 0);
  if (used.length === 0) {
    throw new SonospikeError(
      'ERR_DATASET_EMPTY',
      'None of the clips could be read, so there is nothing to evaluate.',
    );
  }
  const chosen = Int32Array.from(numbers.filter((n) => n >= 0));
  const found = await evaluateNumbers(store, chosen, over);
  const labels = [...model.labels];
  const predictions = used.map(({ file, label, speaker }, i) => {
    const { best, scores, probabilities } = found.predictions[i]!;
    const confidence = probabilities[best]!;
    return { file, label, speaker, predicted: labels[best]!, confidence, scores: Array.from(scores) };
  });
  const confusion = confusionMatrix(labels, predictions);
  return {
    accuracy: found.correct / used.length,
    interval: wilsonInterval(found.correct, used.length),
    loss: found.loss,
    clips: used.length,
    labels,
    confusion,
    perClass: classMetrics(labels, confusion),
    perSpeaker: perSpeaker(predictions),
    calibration: calibration(
      predictions.map(({ confidence, label, predicted }) => ({ confidence, right: label === predicted })),
    ),
    firingRates: found.firingRates,
    predictions,
  };
}

function perSpeaker(predictions: readonly ClipResult[]): Evaluation['perSpeaker'] {
  const counts = new Map<string, { clips: number; correct: number }>();
  for (const { speaker, label, predicted } of predictions) {
    if (speaker === null) continue;
    const count = counts.get(speaker) ?? { clips: 0, correct: 0 };
    count.clips++;
    if (label === predicted) count.correct++;
    counts.set(speaker, count);
  }
  return Object.fromEntries(
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([speaker, { clips, correct }]) => [speaker, { clips, accuracy: correct / clips }]),
  );
}
