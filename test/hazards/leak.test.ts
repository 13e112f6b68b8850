import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

/** Bytes that a round may leave behind without being a leak of what it works with, and the noise of the allocator. */
const NOISE = 12 * 2 ** 20;

it.each(['predictSync', 'predict', 'observe', 'models', 'stores', 'errors', 'trainings', 'batches', 'loads'])(
  'memory stays flat over many rounds of %s',
  { timeout: 130_000 },
  async (task) => {
    const child = await runChild('leak.mjs', [task], ['--expose-gc', '--max-semi-space-size=2']);
    expect(child).toMatchObject(CLEAN);
    expect(Number(child.stdout)).toBeLessThan(NOISE);
  },
);
