import { expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

it('objects collected and buffers reused while the addon works do no harm', {
  timeout: 130_000,
}, async () => {
  const child = await runChild('gc.mjs', [], ['--expose-gc']);
  expect(child).toMatchObject({ ...CLEAN, stdout: 'done\n' });
});
