import type { Clip } from '../datasets/index.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import type { NativeFeatureStore } from '../native/addon.js';
import { guardAsync } from '../native/errors.js';
import type { Augmentation } from '../settings/augmentation.js';
import { type ConfidenceSettings, judge } from '../settings/confidence.js';
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

export interface ClipResult {
  file: string;
  label: string;
  speaker: string | null;
  predicted: string;
  /** As in `Prediction`. */
  confidence: number;
  rejected: boolean;
  /** In the order of the labels. */
  scores: number[];
}

/** What the answers to some clips are worth. */
export interface Scored {
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
  /** Clips that are no word of the model, labelled `_unknown_`: they count in nothing but `rejection`. */
  unknown: ClipResult[];
  /** null where there are none. */
  rejection: Rejection | null;
}

export interface RunOver {
  /** Of the `rate` encoding. */
  seed: number;
  signal?: AbortSignal | undefined;
  /** Changes every clip first, as drawn for the seed; the store must have kept the samples. */
  augmentation?: Augmentation | null;
}

/** @internal The store's `evaluate`, which `signal` cuts short with ERR_ABORTED. */
export async function evaluateNumbers(
  store: NativeFeatureStore,
  clips: Int32Array,
  { seed, signal, augmentation }: RunOver,
) {
  const stop = () => store.abortEvaluation();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted)
      throw new SonospikeError('ERR_ABORTED', 'The evaluation was stopped.', { cause: signal.reason });
    return await guardAsync(() => store.evaluate(clips, seed, 0, augmentation));
  } finally {
    signal?.removeEventListener('abort', stop);
  }
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
  const labels = [...model.labels];
  const answer = async (chosen: readonly number[]) => {
    const found = await evaluateNumbers(
      store,
      Int32Array.from(chosen, (i) => numbers[i]!),
      over,
    );
    const results = chosen.map((i, k): ClipResult => {
      const { best, scores, probabilities } = found.predictions[k]!;
      const { file, label, speaker } = clips[i]!;
      const judged = judge(model.confidence, probabilities, best);
      return { file, label, speaker, predicted: labels[best]!, ...judged, scores: Array.from(scores) };
    });
    return { ...found, results };
  };
  const { results: predictions, ...found } = await answer(words);
  const others = used.filter((i) => !isWord(i));
  const unknown = others.length === 0 ? [] : (await answer(others)).results;
  const confusion = confusionMatrix(labels, predictions);
  const known = predictions.map((of) => ({ ...of, right: of.label === of.predicted }));
  return {
    accuracy: found.correct / words.length,
    interval: wilsonInterval(found.correct, words.length),
    loss: found.loss,
    clips: words.length,
    labels,
    confusion,
    perClass: classMetrics(labels, confusion),
    perSpeaker: perSpeaker(predictions),
    calibration: calibration(known),
    firingRates: found.firingRates,
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
