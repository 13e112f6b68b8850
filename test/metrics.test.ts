import { describe, expect, it } from 'vitest';
import { auroc, calibration, spread, wilsonInterval } from '../lib/evaluation/metrics.js';

describe('spread', () => {
  it('is the mean with the sample standard deviation', () => {
    // Squares of the distances from 5: 9 1 1 1 0 0 4 16, 32 in all, over 7.
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(spread(values)).toEqual({ mean: 5, deviation: Math.sqrt(32 / 7), min: 2, max: 9, count: 8 });
  });

  it('of one value has no deviation', () => {
    expect(spread([0.5])).toEqual({ mean: 0.5, deviation: null, min: 0.5, max: 0.5, count: 1 });
  });
});

describe('auroc', () => {
  it('counts the pairs in order, ties as half', () => {
    // Pairs: 0.9 beats 0.8, 0.5, 0.1 (3); 0.5 beats 0.1, ties with 0.5, loses to 0.8 (1.5); of 6.
    expect(auroc([0.9, 0.5], [0.8, 0.5, 0.1])).toBe(4.5 / 6);
  });

  it('is 1 where all are apart, 0 where the other way round, a half where all are equal', () => {
    expect(auroc([3, 4], [1, 2])).toBe(1);
    expect(auroc([1, 2], [3, 4])).toBe(0);
    expect(auroc([1, 1, 1], [1, 1])).toBe(0.5);
  });

  it('is that of all pairs counted one by one', () => {
    const positive = Array.from({ length: 57 }, (_, i) => ((i * 7) % 13) + 2);
    const negative = Array.from({ length: 41 }, (_, i) => (i * 5) % 11);
    const pairs = positive.flatMap((p) => negative.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
    const share = pairs.reduce<number>((sum, x) => sum + x, 0) / pairs.length;
    expect(auroc(positive, negative)).toBeCloseTo(share, 12);
  });

  it('is null without values to compare', () => {
    expect(auroc([], [1])).toBeNull();
    expect(auroc([1], [])).toBeNull();
  });
});

describe('calibration', () => {
  it('weighs the distance of confidence and accuracy by the clips of a bin', () => {
    const answers = [
      { confidence: 0.95, right: true },
      { confidence: 0.85, right: false },
      { confidence: 0.3, right: false },
      { confidence: 0.4, right: true },
    ];
    // Two bins. Above 0.5: confidence 0.9, accuracy 0.5, 2 clips; below: 0.35 and 0.5, 2 clips.
    const { error, bins } = calibration(answers, 2);
    expect(error).toBeCloseTo((2 * 0.4 + 2 * 0.15) / 4, 12);
    expect(bins.map(({ clips }) => clips)).toEqual([2, 2]);
    expect(bins[1]!.accuracy).toBe(0.5);
    expect(bins[1]!.confidence).toBeCloseTo(0.9, 12);
  });

  it('has 15 bins, each with its upper edge, and says so of empty ones', () => {
    const { bins, error } = calibration([0, 1 / 3, 1].map((confidence) => ({ confidence, right: true })));
    expect(bins).toHaveLength(15);
    expect(bins.flatMap(({ clips }, i) => (clips > 0 ? [i] : []))).toEqual([0, 4, 14]);
    expect(bins[1]).toMatchObject({ clips: 0, confidence: null, accuracy: null });
    expect(error).toBeCloseTo((1 + 2 / 3) / 3, 12);
  });

  it('is 0 where confidences are the shares', () => {
    const answers = Array.from({ length: 10 }, (_, i) => ({ confidence: 0.7, right: i < 7 }));
    expect(calibration(answers).error).toBeCloseTo(0, 12);
  });
});

it('the Wilson interval is that of the formula', () => {
  // (0.9 + 0.0384146 ± 1.959964·sqrt(0.0018 + 0.000384146)) / 1.0768292
  const [low, high] = wilsonInterval(45, 50);
  expect(low).toBeCloseTo(0.786398, 5);
  expect(high).toBeCloseTo(0.956524, 5);
  expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  expect(wilsonInterval(10, 10)[1]).toBeCloseTo(1, 12);
});
