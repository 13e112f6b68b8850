import { describe, expect, it } from 'vitest';
import { CLEAN, runChild } from '../helpers/child.js';

describe('a worker is terminated while it', () => {
  it.each([
    ['train', 15],
    ['predict', 20],
    ['predictSync', 5],
    ['evaluate', 15],
    ['stream', 15],
  ])('%ss', { timeout: 130_000 }, async (task, count) => {
    const child = await runChild('terminate-workers.mjs', [task, String(count)]);
    expect(child).toMatchObject({ ...CLEAN, stdout: '7\n' });
  });
});

describe('the process ends while work is pending', () => {
  it.each([
    ['process.exit() in a training', 'exit-training', 7, ''],
    ['an uncaught exception in a training', 'throw-training', 1, ''],
    ['process.exit() while clips are read', 'exit-loading', 8, ''],
    ['the end of the script, which waits for the training', 'end-of-script', 0, 'epochs 3\n'],
    ['the end of the work, which leaves nothing that keeps it alive', 'idle', 0, 'done\n'],
  ])('by %s', async (_, how, status, stdout) => {
    expect(await runChild('exit.mjs', [how])).toMatchObject({ status, signal: null, stdout });
  });
});
