import { describe, expect, it } from 'vitest';
import { evaluate, openDataset, presetRecipe, train } from '../lib/index.js';
import { fitToSet, resolveRunOptions } from '../lib/training/recipe.js';

describe('the steps of a small set', () => {
  const run = resolveRunOptions({}, 'official');
  const steps = ({ epochs, batchSize }: { epochs: number; batchSize: number }, clips: number) =>
    epochs * Math.ceil(clips / batchSize);

  it.each([5, 30, 79, 300, 1000])('are at least minSteps, of %d clips', (clips) => {
    const fitted = fitToSet(run, {}, clips);
    expect(steps(fitted, clips)).toBeGreaterThanOrEqual(run.minSteps);
    // No more than one epoch above it, unless the recipe has more by itself.
    expect(steps({ ...fitted, epochs: fitted.epochs - 1 }, clips)).toBeLessThan(
      Math.max(run.minSteps, steps(run, clips)),
    );
  });

  it('of a set that has enough are those of the recipe', () => {
    expect(fitToSet(run, {}, 2700)).toEqual(run);
    expect(steps(run, 1400)).toBeGreaterThanOrEqual(run.minSteps);
    expect(fitToSet(run, {}, 1400)).toEqual(run);
  });

  it('are as given where the epochs are given, and batches keep a given size', () => {
    expect(fitToSet({ ...run, epochs: 3 }, { epochs: 3 }, 30)).toMatchObject({ epochs: 3, batchSize: 32 });
    expect(fitToSet({ ...run, batchSize: 4 }, { batchSize: 4 }, 30).batchSize).toBe(4);
    expect(presetRecipe('original').minSteps).toBe(0);
    expect(() => fitToSet(run, { epochs: 3, minSteps: 500 }, 30)).toThrow(
      /minSteps is 500; it must be 0 or left out/,
    );
  });
});

it('ninety clips of ten words by nine voices are learnt: most of other clips are right', async () => {
  const data = await openDataset('samples');
  const { model, options } = await train({ data, split: 'random:0.2', seed: 1 });
  expect(options.epochs).toBeGreaterThan(24);
  const { accuracy, clips } = await evaluate({ data, model });
  expect(clips).toBe(18);
  // 24 epochs of 3 steps each gave 55%.
  expect(accuracy).toBeGreaterThan(0.75);
});
