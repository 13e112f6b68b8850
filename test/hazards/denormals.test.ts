import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

it("Node's threads keep their subnormal numbers, whatever the addon does", { timeout: 130_000 }, async () => {
  const child = await runChild('denormals.mjs');
  expect(child).toMatchObject({ ...CLEAN, stdout: 'done\n' });
});
