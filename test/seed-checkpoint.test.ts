import { describe, expect, it } from 'vitest';
import { evaluate, loadModel } from '../lib/index.js';
import { needs } from './helpers/data.js';

const checkpoint = needs('seed/parameters.pt');
const recordings = needs('data/fsdd');

/** What the original program reaches with this checkpoint on FSDD's official test, in percent. */
const ORIGINAL = 49.7;

describe.skipIf(checkpoint.missing || recordings.missing)("the original program's checkpoint", () => {
  it('scores on FSDD what the original program does, within 2 points', { timeout: 300_000 }, async () => {
    const model = await loadModel(checkpoint.path);
    const accuracies: number[] = [];
    for (let seed = 0; seed < 10; seed++) {
      const found = await evaluate({ data: recordings.path, model, split: 'official', seed });
      expect(found.clips).toBe(300);
      accuracies.push(found.accuracy);
    }
    const mean = (100 * accuracies.reduce((sum, accuracy) => sum + accuracy, 0)) / accuracies.length;
    expect(Math.abs(mean - ORIGINAL)).toBeLessThan(2);
    // Other draws, other results: the seeds must have had an effect.
    expect(new Set(accuracies).size).toBeGreaterThan(1);
  });
});
