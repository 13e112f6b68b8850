import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

it('many workers and the main thread use the addon at once and agree', { timeout: 130_000 }, async () => {
  const child = await runChild('many-workers.mjs');
  expect(child).toMatchObject({ ...CLEAN, stdout: 'done\n' });
});
