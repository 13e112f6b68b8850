/** How well one label is recognised. */
export interface ClassMetrics {
  /** The label. */
  label: string;
  /** Number of clips of this label. */
  clips: number;
  /** Share of the clips predicted as this label that are of it; null if there are none. */
  precision: number | null;
  /** Share of the clips of this label that were predicted as it; null if there are none. */
  recall: number | null;
}

/** Clips by true label (row) and predicted label (column). */
export function confusionMatrix(
  labels: readonly string[],
  results: readonly { label: string; predicted: string }[],
): number[][] {
  const numberOf = new Map(labels.map((label, i) => [label, i]));
  const matrix = labels.map(() => labels.map(() => 0));
  for (const { label, predicted } of results) {
    const row = matrix[numberOf.get(label) ?? -1];
    const column = numberOf.get(predicted);
    if (row && column !== undefined) row[column]!++;
  }
  return matrix;
}

/** Precision and recall of every label of a confusion matrix. */
export function classMetrics(labels: readonly string[], confusion: readonly number[][]): ClassMetrics[] {
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  return labels.map((label, i) => {
    const right = confusion[i]![i]!;
    const clips = sum(confusion[i]!);
    const predicted = sum(confusion.map((row) => row[i]!));
    return {
      label,
      clips,
      precision: predicted === 0 ? null : right / predicted,
      recall: clips === 0 ? null : right / clips,
    };
  });
}

/** 95% interval of a share (E. B. Wilson, 1927): stays within [0, 1] and is right for few clips too. */
export function wilsonInterval(correct: number, total: number): [number, number] {
  if (total === 0) return [0, 1];
  const z = 1.959964;
  const share = correct / total;
  const centre = share + (z * z) / (2 * total);
  const half = z * Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  const scale = 1 + (z * z) / total;
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)];
}

/** Mean of some values, and how far they are spread. */
export interface Spread {
  /** Arithmetic mean. */
  mean: number;
  /** Sample standard deviation (n - 1); null for a single value. */
  deviation: number | null;
  /** Least value. */
  min: number;
  /** Greatest value. */
  max: number;
  /** Number of values. */
  count: number;
}

/** The spread of one or more values. */
export function spread(values: readonly number[]): Spread {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : null,
    min: Math.min(...values),
    max: Math.max(...values),
    count,
  };
}

/** A prediction whose truth is known: its confidence, and whether it was right. */
export interface Judged {
  confidence: number;
  right: boolean;
}

/** The clips with a confidence in one range: their accuracy would equal their confidence if that could be believed. */
export interface ReliabilityBin {
  /** The range is above `from`, up to and with `to`; that of the first bin has 0 too. */
  from: number;
  /** Upper end of the range. */
  to: number;
  /** Number of clips in the bin. */
  clips: number;
  /** Mean confidence of the clips in the bin; null where there are none. */
  confidence: number | null;
  /** Share of the clips in the bin that are recognised; null where there are none. */
  accuracy: number | null;
}

/** How far the confidences of a model can be believed. */
export interface Calibration {
  /** Expected calibration error: mean distance of accuracy and confidence over the bins, by their clips. */
  error: number;
  /** Ranges of the same width from 0 to 1. */
  bins: ReliabilityBin[];
}

/** Bins of the same width, as many as in C. Guo et al., 2017 (arXiv:1706.04599), eq. 3. */
const BINS = 15;

/** Expected calibration error with its reliability bins. */
export function calibration(answers: readonly Judged[], bins = BINS): Calibration {
  const sums = Array.from({ length: bins }, () => ({ clips: 0, confidence: 0, right: 0 }));
  for (const { confidence, right } of answers) {
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))]!;
    bin.clips++;
    bin.confidence += confidence;
    if (right) bin.right++;
  }
  const distance = sums.reduce((sum, bin) => sum + Math.abs(bin.right - bin.confidence), 0);
  return {
    error: answers.length === 0 ? 0 : distance / answers.length,
    bins: sums.map(({ clips, confidence, right }, i) => ({
      from: i / bins,
      to: (i + 1) / bins,
      clips,
      confidence: clips === 0 ? null : confidence / clips,
      accuracy: clips === 0 ? null : right / clips,
    })),
  };
}

/**
 * Area under the ROC curve: how often a value of `positive` is above one of `negative`, ties counting half (the
 * Mann-Whitney U statistic by ranks; J. A. Hanley and B. J. McNeil, 1982). null where one of them is empty.
 */
export function auroc(positive: readonly number[], negative: readonly number[]): number | null {
  if (positive.length === 0 || negative.length === 0) return null;
  const all = [
    ...positive.map((value) => ({ value, positive: true })),
    ...negative.map((value) => ({ value, positive: false })),
  ].sort((a, b) => a.value - b.value);
  let ranks = 0;
  for (let first = 0; first < all.length; ) {
    let end = first + 1;
    while (end < all.length && all[end]!.value === all[first]!.value) end++;
    // Equal values share the mean of their ranks, which begin at 1.
    const rank = (first + 1 + end) / 2;
    for (; first < end; first++) if (all[first]!.positive) ranks += rank;
  }
  const u = ranks - (positive.length * (positive.length + 1)) / 2;
  return u / (positive.length * negative.length);
}
