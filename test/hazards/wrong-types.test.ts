import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

it('no argument or receiver makes the addon end the process', { timeout: 130_000 }, async () => {
  const child = await runChild('wrong-types.mjs');
  expect(child, child.stderr).toMatchObject(CLEAN);
  expect(Number(child.stdout)).toBeGreaterThan(5000);
});
