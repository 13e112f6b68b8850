import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

/** MB that the heap may grow by without being a leak: code that is compiled late, say. */
const NOISE = 6;

// At the speed at which it is worked through: an hour of sound takes a quarter of a minute or so.
it('a page that is left open hears every word, and the server keeps nothing of them', {
  timeout: 130_000,
}, async () => {
  const child = await runChild('page-overnight.mjs', ['0.5'], ['--expose-gc', '--max-semi-space-size=2']);
  expect(child).toMatchObject(CLEAN);
  const { early, late, counts, words } = JSON.parse(child.stdout);
  expect(counts).toMatchObject({ word: words, picture: words, error: 0 });
  expect(counts.live).toBeGreaterThan(0);
  expect(late.heap - early.heap).toBeLessThan(NOISE);
  // Buffers that wait to be freed come and go.
  expect(late.external - early.external).toBeLessThan(40);
});
