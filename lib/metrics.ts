export interface ClassMetrics {
  label: string;
  /** Clips of this label. */
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
