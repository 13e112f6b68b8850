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

/** Share of the sounds that are no word which the threshold may accept, where that is known. */
const MOST_OTHERS = 0.05;

/**
 * Fits the confidence to the answers on a validation part: of a few logistic regressions the one with the least log
 * loss in a five-fold cross-validation, and the threshold that rejects at most `rejectRate` of the right answers.
 * Clips that are no word of the model count as wrong answers. The same answers in the same order give the same bits.
 * @returns null where there are fewer than 20 answers
 */
export function calibrate(answers: readonly Answer[], rejectRate: number): ConfidenceSettings | null {
  const settings = fitConfidence(answers, rejectRate);
  return settings && { ...settings, threshold: chooseThreshold(settings, answers, rejectRate) };
}

/**
 * The same where answers to sounds that are no word are known too. They count in the fit as wrong answers; every second
 * of them, so that words prevail. The threshold is the least at which no more than 5% of them are accepted, but none
 * that rejects more than twice `rejectRate` of the right answers of `plain`.
 * @param plain answers to clips of words as they are
 * @param changed answers to the same clips, augmented: only the fit uses them
 * @param others answers to sounds that are no word
 */
export function calibrateAgainst(
  answers: { plain: readonly Answer[]; changed: readonly Answer[]; others: readonly Answer[] },
  rejectRate: number,
): ConfidenceSettings | null {
  const { plain, changed, others } = answers;
  const some = others.filter((_, i) => i % 2 === 0);
  const settings = fitConfidence([...plain, ...changed, ...some], rejectRate);
  if (settings === null) return null;
  const confidences = sortedConfidences(settings, others);
  const least = others.length === 0 ? 0 : (confidences[Math.ceil((1 - MOST_OTHERS) * others.length)] ?? 1);
  const most = chooseThreshold(settings, plain, Math.min(1, 2 * rejectRate));
  return { ...settings, threshold: plain.some(({ right }) => right) ? Math.min(least, most) : least };
}

/** With a threshold of 0. */
function fitConfidence(answers: readonly Answer[], rejectRate: number): ConfidenceSettings | null {
  if (answers.length < LEAST_ANSWERS) return null;
  const features = answers.map(({ probabilities, best }) => signed(confidenceFeatures(probabilities, best)));
  const right = answers.map((answer) => answer.right);
  let chosen = { used: CANDIDATES[0]!, loss: Number.POSITIVE_INFINITY };
  for (const used of CANDIDATES) {
    const loss = crossValidated(features, right, used);
    if (loss < chosen.loss) chosen = { used, loss };
  }
  const { bias, weights } = fitLogistic(features, right, chosen.used);
  return {
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
  const confidences = sortedConfidences(
    settings,
    answers.filter(({ right }) => right),
  );
  const most = Math.floor(rejectRate * confidences.length);
  return confidences[Math.min(most, confidences.length - 1)] ?? 0;
}

/** In ascending order. */
function sortedConfidences(settings: ConfidenceSettings, answers: readonly Answer[]): number[] {
  return answers
    .map(({ probabilities, best }) => judge(settings, probabilities, best).confidence)
    .sort((a, b) => a - b);
}
