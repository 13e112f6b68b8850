import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

/** Bytes that a round may leave behind without being a leak of what it works with, and the noise of the allocator. */
const NOISE = 12 * 2 ** 20;

it.each([
  'predictSync',
  'predict',
  'observe',
  'models',
  'stores',
  'streams',
  'writes',
  'errors',
  'trainings',
])('memory stays flat over many rounds of %s', { timeout: 130_000 }, async (task) => {
  const child = await runChild('leak.mjs', [task], ['--expose-gc', '--max-semi-space-size=2']);
  expect(child).toMatchObject(CLEAN);
  expect(Number(child.stdout)).toBeLessThan(NOISE);
});

// Nobody asks for a collection here: it must know what a store weighs that was dropped.
it.skipIf(process.platform !== 'linux')('threads of dropped objects do not pile up', async () => {
  const child = await runChild('threads.mjs');
  expect(child).toMatchObject(CLEAN);
  expect(Number(child.stdout)).toBeLessThan(600);
});
