/** How much one series of values is above another, pair by pair. */
export interface PairedDifference {
  /** Mean of the differences. */
  mean: number;
  /** Sample standard deviation of the differences (n - 1); null for a single pair. */
  deviation: number | null;
  /** 95% confidence interval of the mean, of Student's t; null for a single pair. */
  interval: [number, number] | null;
  /** Number of pairs. */
  pairs: number;
}

/** Share of the t distribution that an interval covers. */
const COVERED = 0.95;

/**
 * The paired differences `values[i] - baseline[i]` with the interval of a paired t test (Student, "The probable error of
 * a mean", 1908). It takes the pairs to be independent of each other.
 * @param values one or more
 * @param baseline as many
 */
export function pairedDifference(values: readonly number[], baseline: readonly number[]): PairedDifference {
  const differences = values.map((value, i) => value - baseline[i]!);
  const pairs = differences.length;
  const mean = differences.reduce((sum, each) => sum + each, 0) / pairs;
  if (pairs < 2) return { mean, deviation: null, interval: null, pairs };
  const squares = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (pairs - 1));
  const half = (studentQuantile(COVERED, pairs - 1) * deviation) / Math.sqrt(pairs);
  return { mean, deviation, interval: [mean - half, mean + half], pairs };
}

/**
 * The `t` for which a share of Student's distribution lies between -t and t.
 * @param share above 0 and below 1
 * @param degrees degrees of freedom, a whole number from 1
 */
export function studentQuantile(share: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (studentShare(high, degrees) < share) [low, high] = [high, 2 * high];
  // Halved until the two are neighbours in double precision.
  for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    if (studentShare(middle, degrees) < share) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The share of Student's distribution between -t and t, as a finite sum (M. Abramowitz and I. A. Stegun, "Handbook of
 * Mathematical Functions", 1964, 26.7.3 and 26.7.4).
 */
function studentShare(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = degrees % 2 === 1;
  // The terms have the powers 1, 3, 5 … or 0, 2, 4 … of the cosine, the last one that of degrees - 2.
  let term = isOdd ? cosine : 1;
  let sum = 0;
  for (let power = isOdd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * cosine * cosine;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
