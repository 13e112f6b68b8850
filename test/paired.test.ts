import { describe, expect, it } from 'vitest';
import { pairedDifference, studentQuantile } from '../lib/evaluation/paired.js';

/** Density of Student's distribution; its factor follows from those of 1 and 2 degrees of freedom. */
function density(t: number, degrees: number): number {
  let factor = degrees % 2 === 1 ? 1 / Math.PI : 1 / (2 * Math.SQRT2);
  for (let of = degrees % 2 === 1 ? 1 : 2; of < degrees; of += 2) {
    factor *= ((of + 1) / of) * Math.sqrt(of / (of + 2));
  }
  return factor * (1 + (t * t) / degrees) ** (-(degrees + 1) / 2);
}

/** The share between -t and t by the midpoint rule. */
function integral(t: number, degrees: number): number {
  const steps = 100_000;
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += density(((i + 0.5) * t) / steps, degrees);
  return (2 * sum * t) / steps;
}

describe("Student's quantile", () => {
  // Table of 95%, as it is printed in textbooks.
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [9, 2.262],
    [10, 2.228],
    [17, 2.11],
    [29, 2.045],
    [30, 2.042],
    [120, 1.98],
  ])('of %d degrees of freedom', (degrees, expected) => {
    expect(studentQuantile(0.95, degrees)).toBeCloseTo(expected, 3);
  });

  it('covers its share of the density', () => {
    for (const degrees of [1, 2, 3, 6, 11, 40, 999]) {
      for (const share of [0.5, 0.95, 0.99]) {
        expect(integral(studentQuantile(share, degrees), degrees)).toBeCloseTo(share, 7);
      }
    }
  });
});

describe('the difference of pairs', () => {
  it('has the mean, deviation and interval of a paired t test', () => {
    // Differences 1, 2, 3, 4: mean 2.5, deviation sqrt(5 / 3), standard error half of it.
    const found = pairedDifference([11, 22, 33, 44], [10, 20, 30, 40]);
    const deviation = Math.sqrt(5 / 3);
    expect(found).toMatchObject({ mean: 2.5, pairs: 4 });
    expect(found.deviation).toBeCloseTo(deviation, 12);
    expect(found.interval![0]).toBeCloseTo(2.5 - (3.182446 * deviation) / 2, 6);
    expect(found.interval![1]).toBeCloseTo(2.5 + (3.182446 * deviation) / 2, 6);
  });

  it('of one pair has no interval, and of equal pairs one of no width', () => {
    expect(pairedDifference([0.5], [0.25])).toEqual({
      mean: 0.25,
      deviation: null,
      interval: null,
      pairs: 1,
    });
    expect(pairedDifference([0.5, 0.75], [0.25, 0.5])).toMatchObject({
      deviation: 0,
      interval: [0.25, 0.25],
    });
  });

  it('covers the true difference in 95 of 100 experiments', () => {
    // Sums of twelve uniform draws are nearly normal; a simple generator, so that the test is always the same.
    let state = 1;
    const uniform = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const normal = () => Array.from({ length: 12 }, uniform).reduce((sum, x) => sum + x, -6);
    let covered = 0;
    const experiments = 4000;
    for (let i = 0; i < experiments; i++) {
      const seeds = Array.from({ length: 5 }, () => 3 * normal());
      const [low, high] = pairedDifference(
        seeds.map((seed) => seed + 0.3 + normal()),
        seeds.map((seed) => seed + normal()),
      ).interval!;
      if (low <= 0.3 && 0.3 <= high) covered++;
    }
    expect(Math.abs(covered / experiments - 0.95)).toBeLessThan(0.012);
  });
});
