import type { Clip } from '../datasets/clip.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import type { NativeFeatureStore, NativePrediction } from '../native/addon.js';
import { guardAsync } from '../native/errors.js';
import type { Augmentation } from '../settings/augmentation.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import { SonospikeError } from '../support/errors.js';
import {
  type Calibration,
  type ClassMetrics,
  calibration,
  classMetrics,
  confusionMatrix,
  wilsonInterval,
} from './metrics.js';
import { measureRejection, OTHER_WORDS, type Rejection } from './rejection.js';

/** What a model said of one clip of a dataset. */
export interface ClipResult {
  /** Whether the model was trained on a clip with the same samples; missing where that is not known. */
  seenInTraining?: boolean;
  /** Path of the clip. */
  file: string;
  /** The true label, from the dataset. */
  label: string;
  /** Who speaks; null where the dataset does not say. */
  speaker: string | null;
  /** The label that the model predicted. */
  predicted: string;
  /** Confidence in `predicted`, as in `Prediction`. */
  confidence: number;
  /** Whether the model rejected the clip, as in `Prediction`. */
  rejected: boolean;
  /** What the readout gave for each label, in the order of the labels. */
  scores: number[];
}

/** Figures of a model's predictions of some clips. */
export interface Scored {
  /** Share of the clips that are recognised, from 0 to 1; rejected clips count too. */
  accuracy: number;
  /** 95% interval of the accuracy (Wilson). */
  interval: [number, number];
  /** Mean cross-entropy, in nats. */
  loss: number;
  /** Number of clips that are a word. */
  clips: number;
  /** Labels of the model, in the order of rows, columns and scores. */
  labels: string[];
  /** Number of clips by true label (row) and predicted label (column). */
  confusion: number[][];
  /** Precision and recall of each label. */
  perClass: ClassMetrics[];
  /** Accuracy of each speaker, by name. */
  perSpeaker: Record<string, { clips: number; accuracy: number }>;
  /** How far the confidences can be believed. */
  calibration: Calibration;
  /** Firing rate of each layer: spikes per neuron and time step. */
  firingRates: number[];
  /** The prediction of every clip, in the dataset's order. */
  predictions: ClipResult[];
  /** Clips that are no word of the model, labelled `_unknown_`: they count in nothing but `rejection`. */
  unknown: ClipResult[];
  /** How well sounds that are no words are rejected; null where there are none. */
  rejection: Rejection | null;
}

export interface RunOver {
  /** Seed of the random draws of the `rate` encoding. */
  seed: number;
  signal?: AbortSignal | undefined;
  /** Changes every clip at random first, as the seed draws it; the store must have kept the samples. */
  augmentation?: Augmentation | null;
}

/** @internal The store's `evaluate`, which `signal` cuts short with ERR_ABORTED. */
export async function evaluateNumbers(
  store: NativeFeatureStore,
  clips: Int32Array,
  { seed, signal, augmentation }: RunOver,
) {
  const stop = () => {
    try {
      store.abortEvaluation();
    } catch {
      // The model was closed: what runs goes to its end. Thrown from a listener, an error would end the process.
    }
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted)
      throw new SonospikeError('ERR_ABORTED', 'The evaluation was stopped.', { cause: signal.reason });
    return await guardAsync(() => store.evaluate(clips, seed, 0, augmentation));
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** @internal What a network made of some clips. */
export interface Answered {
  results: ClipResult[];
  /** Of the results, whether labelled or not. */
  correct: number;
  /** Mean cross-entropy over the labelled clips, in nats. */
  loss: number;
  firingRates: number[];
}

/** @internal Evaluates clips of a store; `numbers` are theirs there, -1 for those left out. */
export async function evaluateClips(
  model: { labels: readonly string[]; confidence: Readonly<ConfidenceSettings> | null },
  store: NativeFeatureStore,
  clips: readonly Clip[],
  numbers: readonly number[],
  over: RunOver,
): Promise<Scored> {
  const used = [...clips.keys()].filter((i) => numbers[i]! >= 0);
  const isWord = (i: number) => clips[i]!.label !== UNKNOWN_LABEL;
  const words = used.filter(isWord);
  if (words.length === 0) {
    throw new SonospikeError(
      'ERR_DATASET_EMPTY',
      'None of the clips that could be read is a word, so there is nothing to evaluate.',
    );
  }
  const answer = async (chosen: readonly number[]): Promise<Answered> => {
    const found = await evaluateNumbers(
      store,
      Int32Array.from(chosen, (i) => numbers[i]!),
      over,
    );
    return {
      ...found,
      results: chosen.map((i, k) => result(clips[i]!, found.predictions[k]!, model.labels)),
    };
  };
  const others = used.filter((i) => !isWord(i));
  const answered = await answer(words);
  return score(model, answered, others.length === 0 ? [] : (await answer(others)).results);
}

/** @internal */
export function result(
  { file, label, speaker }: Clip,
  { best, scores, confidence, rejected }: NativePrediction,
  labels: readonly string[],
): ClipResult {
  return { file, label, speaker, predicted: labels[best]!, confidence, rejected, scores: Array.from(scores) };
}

/** @internal The figures of the answers to words, and of those to clips that are none. */
export function score(
  model: { labels: readonly string[]; confidence: Readonly<ConfidenceSettings> | null },
  { results: predictions, correct, loss, firingRates }: Answered,
  unknown: ClipResult[],
): Scored {
  const labels = [...model.labels];
  const confusion = confusionMatrix(labels, predictions);
  const known = predictions.map((of) => ({ ...of, right: of.label === of.predicted }));
  return {
    accuracy: correct / predictions.length,
    interval: wilsonInterval(correct, predictions.length),
    loss,
    clips: predictions.length,
    labels,
    confusion,
    perClass: classMetrics(labels, confusion),
    perSpeaker: perSpeaker(predictions),
    calibration: calibration(known),
    firingRates,
    predictions,
    unknown,
    rejection: measureRejection(
      model.confidence?.threshold ?? null,
      known,
      unknown.map((of) => ({ ...of, kind: OTHER_WORDS })),
    ),
  };
}

function perSpeaker(predictions: readonly ClipResult[]): Scored['perSpeaker'] {
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
