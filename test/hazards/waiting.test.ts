import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

it('a worker is terminated while jobs wait for each other', { timeout: 130_000 }, async () => {
  expect(await runChild('terminate-waiting.mjs')).toMatchObject({ ...CLEAN, stdout: '7\n' });
});
