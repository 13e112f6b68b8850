import { type ConfidenceSettings, confidenceFeatures, type Features, judge } from '../settings/confidence.js';
import { fitLogistic, type Logistic, logLoss } from './logistic.js';

/** A prediction of which it is known whether it was right. */
export interface Answer {
  probabilities: ArrayLike<number>;
  /** Index of the predicted label. */
  best: number;
  right: boolean;
}

/** With fewer answers, or clips, a fit would say more of the prior than of the model. */
export const LEAST_ANSWERS = 20;
const FOLDS = 5;

/** Which of [log-odds, margin, entropy] a candidate uses, the fewest first. */
const CANDIDATES: readonly (readonly boolean[])[] = [
  [true, false, false],
  [false, true, false],
  [true, true, true],
];

/**
 * Fits the confidence to the answers on a validation part: of a few logistic regressions the one with the least log
 * loss in a five-fold cross-validation, and the threshold that rejects at most `rejectRate` of the right answers.
 * Clips that are no word of the model count as wrong answers. The same answers in the same order give the same bits.
 * @returns null where there are fewer than 20 answers
 */
export function calibrate(answers: readonly Answer[], rejectRate: number): ConfidenceSettings | null {
  if (answers.length < LEAST_ANSWERS) return null;
  const features = answers.map(({ probabilities, best }) => signed(confidenceFeatures(probabilities, best)));
  const right = answers.map((answer) => answer.right);
  let chosen = { used: CANDIDATES[0]!, loss: Number.POSITIVE_INFINITY };
  for (const used of CANDIDATES) {
    const loss = crossValidated(features, right, used);
    if (loss < chosen.loss) chosen = { used, loss };
  }
  const { bias, weights } = fitLogistic(features, right, chosen.used);
  const settings: ConfidenceSettings = {
    bias,
    logOdds: weights[0]!,
    margin: weights[1]!,
    // Not -0, which JSON does not keep.
    entropy: 0 - weights[2]!,
    threshold: 0,
    rejectRate,
    clips: answers.length,
    right: right.filter(Boolean).length,
  };
  return { ...settings, threshold: chooseThreshold(settings, answers, rejectRate) };
}

/** The entropy with its sign turned, so that all weights are the same way round. */
function signed([logOdds, margin, entropy]: Features): number[] {
  return [logOdds, margin, -entropy];
}

/** Mean log loss of answers that the fit has not seen. */
function crossValidated(features: readonly number[][], right: readonly boolean[], used: readonly boolean[]) {
  let sum = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const within = (_: unknown, i: number) => i % FOLDS === fold;
    const without = (_: unknown, i: number) => i % FOLDS !== fold;
    const fit: Logistic = fitLogistic(features.filter(without), right.filter(without), used);
    sum += logLoss(fit, features.filter(within), right.filter(within));
  }
  return sum / features.length;
}

/** The greatest threshold below which no more than the share lies of the right answers. */
function chooseThreshold(
  settings: ConfidenceSettings,
  answers: readonly Answer[],
  rejectRate: number,
): number {
  const confidences = answers
    .filter(({ right }) => right)
    .map(({ probabilities, best }) => judge(settings, probabilities, best).confidence)
    .sort((a, b) => a - b);
  const most = Math.floor(rejectRate * confidences.length);
  return confidences[Math.min(most, confidences.length - 1)] ?? 0;
}
