import { sigmoid } from '../settings/confidence.js';

/** p = sigmoid(bias + Σ weights·x) */
export interface Logistic {
  bias: number;
  weights: number[];
}

/**
 * Precision of the normal prior of the bias, with mean 0, and of the weights. The prior keeps the fit finite and
 * ordered where all answers, or nearly all, are right: a good network makes few mistakes on a validation part.
 */
const BIAS_PRECISION = 0.1;
const WEIGHT_PRECISION = 1;
/** The first weight in use stays above this, so that the confidence never becomes the same for all clips. */
const LEAST_WEIGHT = 0.05;
const MAX_ITERATIONS = 100;
const TOLERANCE = 1e-10;

/**
 * Logistic regression whose weights are not negative: the greatest posterior under a normal prior around a weight of
 * 1 for the first feature in use and 0 for the others, by projected Newton steps (D. Bertsekas, 1982).
 * @param features [answers][features]
 * @param used the features that have a weight
 */
export function fitLogistic(
  features: readonly (readonly number[])[],
  right: readonly boolean[],
  used: readonly boolean[],
): Logistic {
  const columns = [...used.keys()].filter((k) => used[k]);
  const rows = features.map((x) => [1, ...columns.map((k) => x[k]!)]);
  const problem: Problem = {
    rows,
    right,
    prior: [0, 1, ...columns.slice(1).map(() => 0)],
    precision: [BIAS_PRECISION, ...columns.map(() => WEIGHT_PRECISION)],
    least: [Number.NEGATIVE_INFINITY, LEAST_WEIGHT, ...columns.slice(1).map(() => 0)],
  };
  const found = minimise(problem);
  const weights = used.map(() => 0);
  for (const [i, k] of columns.entries()) weights[k] = found[i + 1]!;
  return { bias: found[0]!, weights };
}

/** Sum of the log losses. */
export function logLoss(
  { bias, weights }: Logistic,
  features: readonly (readonly number[])[],
  right: readonly boolean[],
): number {
  return features.reduce((sum, x, i) => {
    const z = x.reduce((dot, value, k) => dot + value * weights[k]!, bias);
    return sum + softplus(right[i] ? -z : z);
  }, 0);
}

interface Problem {
  rows: readonly (readonly number[])[];
  right: readonly boolean[];
  prior: readonly number[];
  precision: readonly number[];
  least: readonly number[];
}

function minimise(problem: Problem): number[] {
  const { prior, least } = problem;
  let at = prior.map((value, k) => Math.max(value, least[k]!));
  let value = objective(problem, at);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { gradient, hessian } = derivatives(problem, at);
    // Weights at their bound that would go beyond it stay there.
    const free = [...at.keys()].filter((k) => at[k]! > least[k]! || gradient[k]! < 0);
    const step = solve(
      free.map((k) => free.map((j) => hessian[k]![j]!)),
      free.map((k) => -gradient[k]!),
    );
    const next = search(problem, at, value, free, step);
    if (next === null) return at;
    const gain = value - next.value;
    at = next.at;
    value = next.value;
    if (gain < TOLERANCE * (1 + Math.abs(value))) return at;
  }
  return at;
}

/** The longest of the halved steps that goes down; null if none does. */
function search(problem: Problem, at: readonly number[], value: number, free: number[], step: number[]) {
  for (let length = 1; length > 1e-8; length /= 2) {
    const next = [...at];
    for (const [i, k] of free.entries()) next[k] = Math.max(problem.least[k]!, at[k]! + length * step[i]!);
    const found = objective(problem, next);
    if (found < value) return { at: next, value: found };
  }
  return null;
}

function objective({ rows, right, prior, precision }: Problem, at: readonly number[]): number {
  const data = rows.reduce((sum, row, i) => sum + softplus(right[i] ? -dot(row, at) : dot(row, at)), 0);
  return at.reduce((sum, value, k) => sum + (precision[k]! / 2) * (value - prior[k]!) ** 2, data);
}

function derivatives({ rows, right, prior, precision }: Problem, at: readonly number[]) {
  const gradient = at.map((value, k) => precision[k]! * (value - prior[k]!));
  const hessian = at.map((_, k) => at.map((__, j) => (k === j ? precision[k]! : 0)));
  for (const [i, row] of rows.entries()) {
    const p = sigmoid(dot(row, at));
    const error = p - (right[i] ? 1 : 0);
    for (const [k, x] of row.entries()) {
      gradient[k]! += error * x;
      for (const [j, y] of row.entries()) hessian[k]![j]! += p * (1 - p) * x * y;
    }
  }
  return { gradient, hessian };
}

/** Solves a small positive definite system by elimination. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  for (let k = 0; k < n; k++) {
    for (let i = k + 1; i < n; i++) {
      const factor = matrix[i]![k]! / matrix[k]![k]!;
      for (let j = k; j < n; j++) matrix[i]![j]! -= factor * matrix[k]![j]!;
      right[i]! -= factor * right[k]!;
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) right[k]! -= matrix[k]![j]! * right[j]!;
    right[k]! /= matrix[k]![k]!;
  }
  return right;
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** ln(1 + e^z) without overflow. */
function softplus(z: number): number {
  return z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z));
}
