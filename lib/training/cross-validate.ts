import type { Audio } from '../audio/source.js';
import type { Clip } from '../datasets/clip.js';
import { readClip } from '../datasets/clip-loader.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { type Answered, type ClipResult, result } from '../evaluation/clip-results.js';
import { wilsonInterval } from '../evaluation/metrics.js';
import { type ConfidenceSettings, judge } from '../settings/confidence.js';
import type { ModelSettings } from '../settings/settings.js';
import { type Answer, calibrateAgainst } from './calibrate.js';
import type { CalibrationProgress } from './epoch.js';
import { type ClipAnswer, type FoldAnswers, type FoldClip, trainFold } from './fold.js';
import type { RunOptions } from './recipe.js';

/** What a cross-validation found. The models of its folds are not the one that is kept. */
export interface CrossValidation {
  /** Number of trainings; each held out some takes of every word that has two or more. */
  folds: number;
  /** Clips of words that were held out, each once. */
  clips: number;
  /** Share of them that were recognised. */
  accuracy: number;
  /** 95% interval of the accuracy (Wilson). */
  interval: [number, number];
  /** Share of those recognised that the threshold rejects; null where none was. */
  rejected: number | null;
  /** Made sounds that are no word, and held-out clips of `_unknown_`; and the share of them that the threshold accepts. */
  others: { clips: number; accepted: number };
}

/** The same with what follows from it. */
export interface CrossValidated {
  summary: CrossValidation;
  /** null where there are fewer than 20 answers. */
  confidence: ConfidenceSettings | null;
  words: Answered;
  /** Answers to held-out clips of `_unknown_`. */
  unknown: ClipResult[];
}

/** What the trainings of a cross-validation share with the one whose model they calibrate. */
export interface CrossValidationOptions {
  /** All clips that the model is trained on, and those for validation. */
  clips: readonly Clip[];
  /** Those that each fold holds out. */
  folds: readonly (readonly Clip[])[];
  settings: ModelSettings;
  run: RunOptions;
  /** Epochs that the model was trained for. */
  epochs: number;
  threads: number;
  signal: AbortSignal | undefined;
  onProgress: ((progress: CalibrationProgress) => void) | undefined;
}

/** Share of the epochs of the training that a fold is trained for. */
const SHARE = 0.5;

/**
 * Judges and calibrates a model that has too few clips to hold any back: trains the same network in the same way, for
 * half as many epochs, on all takes but those of a fold, and asks it about these, as they are and augmented, and about
 * sounds that are no word, made of these. Every take is held out once. The answers count as if the model itself had
 * given them, which has been trained longer and on more takes, so that it is rather better. The folds are trained on
 * the CPU, side by side; the result does not depend on the number of threads.
 * @throws SonospikeError ERR_ABORTED, and as the training of the model
 */
export async function crossValidate(options: CrossValidationOptions): Promise<CrossValidated> {
  const { clips, folds, settings, run, threads, signal, onProgress } = options;
  const audio: Audio[] = [];
  for (const clip of clips) audio.push(await readClip(clip));
  const epochs = Math.max(1, Math.round(SHARE * options.epochs));
  const answers: FoldAnswers[] = [];
  const done = folds.map(() => 0);
  await sideBySide(folds.length, threads, signal, async (k, threadsOfOne, stop) => {
    const held = new Set(folds[k]);
    answers[k] = await trainFold({
      clips: clips.map((clip, i): FoldClip => ({ clip, audio: audio[i]!, held: held.has(clip) })),
      settings,
      run: { ...run, epochs },
      seed: `${run.seed}\0${k}`,
      threads: threadsOfOne,
      signal: stop,
      onEpoch: () => {
        done[k]!++;
        const sum = done.reduce((a, b) => a + b, 0);
        onProgress?.({ phase: 'calibrate', done: sum, total: folds.length * epochs });
      },
    });
  });
  return conclude(answers, settings.labels, run.rejectRate);
}

function conclude(
  folds: readonly FoldAnswers[],
  labels: readonly string[],
  rejectRate: number,
): CrossValidated {
  const plain = folds.flatMap((fold) => fold.plain);
  const words = plain.filter(isWord);
  const unknown = plain.filter((answer) => !isWord(answer));
  const changed = folds.flatMap((fold) => fold.changed).filter(isWord);
  const toAnswer = ({ clip, prediction }: ClipAnswer): Answer => ({
    ...prediction,
    right: labels[prediction.best] === clip.label,
  });
  const made = [...unknown.map(({ prediction }) => prediction), ...folds.flatMap((fold) => fold.made)];
  const others = made.map((prediction): Answer => ({ ...prediction, right: false }));
  const known = words.map(toAnswer);
  const confidence = calibrateAgainst({ plain: known, changed: changed.map(toAnswer), others }, rejectRate);
  const judged = ({ clip, prediction }: ClipAnswer) =>
    result(clip, { ...prediction, ...judge(confidence, prediction.probabilities, prediction.best) }, labels);
  const right = known.filter((answer) => answer.right);
  const accepted = (of: readonly Answer[]) =>
    of.filter(({ probabilities, best }) => !judge(confidence, probabilities, best).rejected).length;
  return {
    confidence,
    words: {
      results: words.map(judged),
      correct: right.length,
      loss: folds.reduce((sum, { loss, labelled }) => sum + loss * labelled, 0) / words.length,
      firingRates: meanRates(folds),
    },
    unknown: unknown.map(judged),
    summary: {
      folds: folds.length,
      clips: words.length,
      accuracy: right.length / words.length,
      interval: wilsonInterval(right.length, words.length),
      rejected: right.length === 0 ? null : 1 - accepted(right) / right.length,
      others: { clips: others.length, accepted: accepted(others) / others.length },
    },
  };
}

function isWord({ clip }: ClipAnswer): boolean {
  return clip.label !== UNKNOWN_LABEL;
}

function meanRates(folds: readonly FoldAnswers[]): number[] {
  const clips = folds.reduce((sum, { plain }) => sum + plain.length, 0);
  return folds[0]!.firingRates.map(
    (_, layer) => folds.reduce((sum, fold) => sum + fold.firingRates[layer]! * fold.plain.length, 0) / clips,
  );
}

/**
 * Runs `count` tasks, as many at once as there are threads. The first that fails stops the others, and its error is
 * thrown once all have ended.
 */
async function sideBySide(
  count: number,
  threads: number,
  signal: AbortSignal | undefined,
  task: (k: number, threads: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const lanes = Math.min(count, threads);
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const errors: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < count && errors.length === 0) {
      await task(next++, Math.max(1, Math.floor(threads / lanes)), stop);
    }
  };
  const guarded = () =>
    lane().catch((error) => {
      errors.push(error);
      failed.abort();
    });
  await Promise.all(Array.from({ length: lanes }, guarded));
  if (errors.length > 0) throw errors[0];
}
