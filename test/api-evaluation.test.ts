import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel, evaluate, loadModel, type Model, presetSettings, train } from '../lib/index.js';
import { quickSettings, quickTraining, SAMPLES } from './helpers/training.js';

let folder: string;
let model: Model;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-evaluate-'));
  model = await loadModel();
});
afterAll(() => rm(folder, { recursive: true }));

describe('evaluate', () => {
  it('says of every clip what predict says, and counts it right', async () => {
    const found = await evaluate({ data: SAMPLES, model, split: 'all' });
    const files = (await readdir(SAMPLES)).filter((name) => name.endsWith('.wav'));
    expect(found.clips).toBe(files.length);
    for (const { file, label, predicted, scores } of found.predictions) {
      expect(await model.predict(file)).toMatchObject({ label: predicted, scores });
      expect(found.labels).toContain(label);
    }
    const right = found.predictions.filter(({ label, predicted }) => label === predicted).length;
    expect(found.accuracy).toBe(right / found.clips);
    expect(found.interval[0]).toBeLessThan(found.accuracy);
    expect(found.interval[1]).toBeGreaterThan(found.accuracy);
    const diagonal = found.confusion.reduce((sum, row, i) => sum + row[i]!, 0);
    expect(diagonal).toBe(right);
    expect(found.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(found.clips);
    const spoken = Object.values(found.perSpeaker).reduce((sum, { clips }) => sum + clips, 0);
    expect(spoken).toBe(found.clips);
  });

  it('takes the split that the model was trained with when the data is the same', async () => {
    const out = join(folder, 'own.safetensors');
    const options = quickTraining({ out, seed: 11, split: 'random:0.3' });
    const { test } = await train(options);
    const own = await evaluate({ data: SAMPLES, model: out });
    expect(own.predictions).toEqual(test.predictions);
    const validation = await evaluate({ data: SAMPLES, model: out, part: 'validation' });
    const files = new Set(own.predictions.map(({ file }) => file));
    expect(validation.predictions.some(({ file }) => files.has(file))).toBe(false);
  });

  it('knows its own split by name too, and whatever the seed of the encoding', async () => {
    const out = join(folder, 'named.safetensors');
    const { test } = await train(quickTraining({ out, seed: 12, split: 'random:0.3' }));
    const held = test.predictions.map(({ file }) => file);
    for (const options of [{ seed: 5 }, { split: 'random:0.3' }, { split: 'random:0.3', seed: 7 }]) {
      const found = await evaluate({ data: SAMPLES, model: out, ...options });
      expect(found.predictions.map(({ file }) => file)).toEqual(held);
    }
    const all = await evaluate({ data: SAMPLES, model: out, split: 'all' });
    const trained = await evaluate({ data: SAMPLES, model: out, part: 'train' });
    expect([all.seenInTraining, trained.seenInTraining]).toEqual([trained.clips, trained.clips]);
    expect((await evaluate({ data: SAMPLES, model: out })).seenInTraining).toBe(0);
    const drawn = await evaluate({ data: SAMPLES, model: out, split: 'random:0.3', splitSeed: 1 });
    expect(drawn.predictions.map(({ file }) => file)).not.toEqual(held);
  });

  it('knows its own split whether the root or the folder with the clips is opened', async () => {
    const root = join(folder, 'root');
    await mkdir(join(root, 'recordings'), { recursive: true });
    for (const name of await readdir(SAMPLES)) {
      if (name.endsWith('.wav')) await copyFile(join(SAMPLES, name), join(root, 'recordings', name));
    }
    const out = join(folder, 'root.safetensors');
    const { test } = await train(quickTraining({ data: root, out, seed: 13 }));
    const found = await evaluate({ data: join(root, 'recordings'), model: out });
    expect(found.predictions).toEqual(test.predictions);
  });

  it('is cut short by the signal', async () => {
    const controller = new AbortController();
    // So many time steps that the evaluation takes its clips in several parts.
    const original = presetSettings('original', [...'0123456789']);
    const slow = await createModel({ ...original, encoding: { ...original.encoding, stepsPerFrame: 400 } });
    const found = evaluate({
      data: SAMPLES,
      model: slow,
      split: 'all',
      signal: controller.signal,
      // All clips are read: what is left is the evaluation itself.
      onProgress: ({ phase, done, total }) => {
        if (phase === 'load' && done === total) setImmediate(() => controller.abort(new Error('enough')));
      },
    });
    await expect(found).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  it('takes all clips of a dataset that the model was not trained on', async () => {
    const other = join(folder, 'other');
    await mkdir(other);
    for (const name of ['1_kal_0.wav', '2_kal_0.wav', '2_slt_0.wav']) {
      await copyFile(join(SAMPLES, name), join(other, name));
    }
    const found = await evaluate({ data: other, model });
    expect(found.clips).toBe(3);
  });

  it('gives the same on any number of threads', async () => {
    const { settings } = model;
    const fast = quickSettings({ encoding: { type: 'rate', stepsPerFrame: 3 } });
    expect(settings).not.toEqual(fast);
    const { model: trained } = await train(quickTraining({ settings: fast, epochs: 1 }));
    const one = await evaluate({ data: SAMPLES, model: trained, split: 'all', threads: 1, seed: 2 });
    const five = await evaluate({ data: SAMPLES, model: trained, split: 'all', threads: 5, seed: 2 });
    expect(five).toEqual(one);
    const other = await evaluate({ data: SAMPLES, model: trained, split: 'all', seed: 3 });
    expect(other.predictions).not.toEqual(one.predictions);
  });

  it('refuses words that the model does not know', async () => {
    const words = join(folder, 'words');
    for (const [word, clip] of Object.entries({ 7: '7_kal_0.wav', tree: '3_kal_0.wav' })) {
      await mkdir(join(words, word), { recursive: true });
      await copyFile(join(SAMPLES, clip), join(words, word, 'clip.wav'));
    }
    const run = evaluate({ data: words, model });
    await expect(run).rejects.toMatchObject({ code: 'ERR_UNKNOWN_LABEL' });
    await expect(run).rejects.toThrow('tree');
  });

  it('is stopped by a signal', async () => {
    const run = evaluate({ data: SAMPLES, model, signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
