// What the commands say of a model that rejects nothing.
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel } from '../lib/index.js';
import { run, runJson, temporaryFolder } from './helpers/cli.js';
import { quickSettings, SAMPLES } from './helpers/training.js';

const WARNING = /^Warning: the model has no threshold, so it takes every sound for one of its words/m;

let folder: string;
let without: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  without = join(folder, 'without.safetensors');
  await (await createModel(quickSettings())).save(without);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a model without a threshold', () => {
  const clip = resolve('samples/7_kal_0.wav');

  it.each([
    ['run-digit', [clip]],
    ['live', ['-']],
    ['evaluate', []],
  ])('is named by %s', async (command, args) => {
    const input = new Uint8Array(3200);
    const { stderr, status } = await run([command, ...args, '--model', without], { cwd: folder, input });
    expect(stderr).toMatch(WARNING);
    expect(status).toBe(0);
    const shipped = await run([command, ...args], { cwd: folder, input });
    expect(shipped.stderr).not.toMatch(WARNING);
  });

  it('is named by train, and null in its document', async () => {
    const args = [
      'train',
      '--data',
      SAMPLES,
      '--epochs',
      '1',
      '--preset',
      'original',
      '--out',
      'new.safetensors',
    ];
    const { document, stderr } = await trained([...args, '--calibration-folds', '0'], folder);
    expect(document.confidence).toBeNull();
    expect(stderr).toMatch(WARNING);
  });

  it('is told from others by info --model', async () => {
    expect((await run(['info', '--model', without])).stdout).toMatch(
      /^its threshold +the model has no threshold/m,
    );
    const { document } = await runJson(['info', '--model', without]);
    expect(document.model).toMatchObject({ file: without, confidence: null });
    const shipped = await runJson(['info']);
    expect(shipped.document.model.confidence.threshold).toBeGreaterThan(0);
    expect((await run(['info'])).stdout).toMatch(/^its threshold +rejects what has a confidence below \d/m);
    const { status, stderr } = await run(['info', '--model', join(folder, 'nowhere.safetensors')]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('nowhere.safetensors')]);
  });

  it('has the threshold null in the document of run-digit', async () => {
    expect((await runJson(['run-digit', clip, '--model', without])).document.threshold).toBeNull();
    expect((await runJson(['run-digit', clip])).document.threshold).toBeGreaterThan(0);
  });
});

/** `train` prints the figures of its epochs before its document. */
async function trained(args: string[], cwd: string) {
  const { status, stdout, stderr } = await run([...args, '--json'], { cwd });
  expect(status).toBe(0);
  return { document: JSON.parse(stdout.trimEnd().split('\n').at(-1)!), stderr };
}
