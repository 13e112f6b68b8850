// This file runs in browsers too: it imports nothing of Node.

/**
 * How sure a model is, made of the probabilities of its labels: the probability that the predicted label is right,
 * sigmoid(bias + logOdds·ln(p₁ / (1 − p₁)) + margin·ln(p₁ / p₂) + entropy·H / ln n), with the greatest probability p₁,
 * the second p₂ and the entropy H of the n labels. A logistic regression in the manner of J. Platt (1999), fitted to
 * the validation part.
 */
export interface ConfidenceSettings {
  bias: number;
  /** Weights; not negative, and that of the entropy not positive, so that surer scores never give less confidence. */
  logOdds: number;
  margin: number;
  entropy: number;
  /** Below this confidence a clip is rejected. */
  threshold: number;
  /** Share of the right answers that the threshold rejects at most. */
  rejectRate: number;
  /** Answers it was fitted to, several of a clip where the training augments, and how many of them were right. */
  clips: number;
  right: number;
}

/** [ln(p₁ / (1 − p₁)), ln(p₁ / p₂), H / ln n] */
export type Features = [number, number, number];

/** Least probability that is told from 0; float32 scores of a certain network are exactly 0 and 1. */
const LEAST = 1e-9;

/** What the confidence is made of. */
export function confidenceFeatures(probabilities: ArrayLike<number>, best: number): Features {
  let [rest, second, entropy] = [0, 0, 0];
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i]!;
    if (p > 0) entropy -= p * Math.log(p);
    if (i === best) continue;
    // Summing the others keeps digits that 1 - p₁ would lose.
    rest += p;
    if (p > second) second = p;
  }
  const first = Math.max(LEAST, probabilities[best]!);
  return [
    Math.log(first / Math.max(LEAST, rest)),
    Math.log(first / Math.max(LEAST, second)),
    entropy / Math.log(probabilities.length),
  ];
}

/**
 * The confidence in the label `best`, and whether the clip is rejected; without settings the label's own probability,
 * which rejects nothing.
 */
export function judge(
  settings: Readonly<ConfidenceSettings> | null,
  probabilities: ArrayLike<number>,
  best: number,
): { confidence: number; rejected: boolean } {
  if (settings === null) return { confidence: probabilities[best]!, rejected: false };
  const [logOdds, margin, entropy] = confidenceFeatures(probabilities, best);
  const { bias, threshold } = settings;
  const z = bias + settings.logOdds * logOdds + settings.margin * margin + settings.entropy * entropy;
  const confidence = sigmoid(z);
  return { confidence, rejected: confidence < threshold };
}

export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
