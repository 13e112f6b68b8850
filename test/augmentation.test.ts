import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAugmentation } from '../lib/cli/settings-source.js';
import { type Augmentation, createModel, DEFAULT_AUGMENTATION, presetSettings, train } from '../lib/index.js';
import { native } from '../lib/native/load.js';
import { validateAugmentation } from '../lib/settings/augmentation.js';
import { readSavedRun } from '../lib/training/saved-run.js';
import { DIGITS, quickSettings, quickTraining, stopWithin } from './helpers/training.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-augment-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('options', () => {
  it('that are left out are null, in a fixed order', () => {
    expect(validateAugmentation(null, 'augmentation')).toBeNull();
    const checked = validateAugmentation({ tempo: [0.9, 1.1], gain: [-6, 6] }, 'augmentation');
    expect(checked).toMatchObject({ speed: null, gain: [-6, 6], tempo: [0.9, 1.1], noise: null });
    expect(validateAugmentation(DEFAULT_AUGMENTATION, 'augmentation')).toEqual(DEFAULT_AUGMENTATION);
  });

  it.each<[string, unknown]>([
    ['augmentation', 'default'],
    ['pitch', [1, 2]],
    ['augmentation.speed[0]', [0.4, 1]],
    ['augmentation.speed[1]', [1, 2.1]],
    ['augmentation.speed[0]', [1.2, 1.1]],
    ['augmentation.speed', 1.1],
    ['augmentation.gain', [1, 2, 3]],
    ['augmentation.gain[0]', [Number.NaN, 2]],
    ['augmentation.shift[1]', [0, 11]],
    ['augmentation.silenceAfter[0]', [-0.1, 0]],
    ['augmentation.tempo[1]', [1, '2']],
    ['augmentation.frequencyWarp[0]', [0, 1]],
    ['augmentation.filter[1]', [0, Number.POSITIVE_INFINITY]],
    ['augmentation.noise.probability', { probability: 1.1, snr: [0, 10] }],
    ['augmentation.noise.snr', { probability: 1 }],
    ['augmentation.timeMask.count', { count: 0.5, seconds: 1 }],
    ['augmentation.timeMask.seconds', { count: 1, seconds: -1 }],
    ['augmentation.frequencyMask.bands', { count: 1, bands: 1.5 }],
  ])('%s is refused where it is wrong: %j', async (name, value) => {
    const [, key = ''] = /^augmentation\.(\w+)/.exec(name) ?? [];
    const given = name === 'augmentation' ? value : { [key || name]: value };
    const run = train(quickTraining({ augmentation: given as Augmentation }));
    await expect(run).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    await expect(run).rejects.toThrow(name);
  });

  it('of bands are refused for cepstral coefficients, others are not', async () => {
    const settings = { ...presetSettings('original', DIGITS), frames: 20 };
    const run = train(quickTraining({ settings, augmentation: { frequencyWarp: [0.9, 1.1] } }));
    await expect(run).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    await expect(run).rejects.toThrow('augmentation.frequencyWarp');
    const augmentation = { speed: [0.9, 1.1], tempo: [0.9, 1.1] } satisfies Augmentation;
    await train(quickTraining({ settings, augmentation, epochs: 1 }));
  });

  it('of bands are refused for cepstral coefficients by the addon itself', async () => {
    const { native: model } = await createModel({ ...presetSettings('original', DIGITS), frames: 20 });
    const store = new (native().FeatureStore)(model, 1);
    const samples = Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i));
    await store.add([{ samples, sampleRate: 16_000, label: 0, augmented: true }]);
    await store.fit(new Int32Array(), true);
    const evaluate = (augmentation: Augmentation) =>
      store.evaluate(Int32Array.of(0), 0, 0, validateAugmentation(augmentation, 'augmentation'));
    expect(() => evaluate({ frequencyWarp: [0.8, 0.9] })).toThrow(TypeError);
    expect((await evaluate({ speed: [0.8, 0.9] })).predictions).toHaveLength(1);
  });

  it('of the command line are none, default or a file', async () => {
    expect(await readAugmentation('none')).toBeNull();
    expect(await readAugmentation('default')).toEqual(DEFAULT_AUGMENTATION);
    const file = join(folder, 'augmentation.json');
    await writeFile(file, '{ "gain": [-3, 3] }');
    expect(await readAugmentation(file)).toMatchObject({ gain: [-3, 3], speed: null });
    await writeFile(file, '{ "gain": [3, -3] }');
    await expect(readAugmentation(file)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', file });
    await writeFile(file, '{ gain');
    await expect(readAugmentation(file)).rejects.toThrow('not JSON');
    await expect(readAugmentation(join(folder, 'none'))).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
    });
  });

  it.each([-0.1, 10.1, '1'])('negatives are refused where they are %j', async (negatives) => {
    const run = train(quickTraining({ negatives: negatives as number }));
    await expect(run).rejects.toThrow('negatives');
  });
});

describe('a training with augmentation and negatives', () => {
  const scaling = { type: 'peak', over: 'clip', pooled: true } as const;
  const settings = quickSettings({ scaling, frontend: { ...quickSettings().frontend, removeMean: true } });
  const options = () =>
    quickTraining({ settings, augmentation: DEFAULT_AUGMENTATION, negatives: 0.25, epochs: 3, seed: 2 });
  const bits = async (changes: object) => {
    const { model, epochs, test } = await train({ ...options(), ...changes });
    const metrics = epochs.map(({ train, validation }) => ({ train, validation }));
    return { parameters: model.parameters(), metrics, predictions: test.predictions };
  };

  it('gives the same bits on any number of threads, and others for another seed or without', async () => {
    const expected = await bits({ threads: 1 });
    expect(await bits({ threads: 3 })).toEqual(expected);
    expect(await bits({ seed: 3 })).not.toEqual(expected);
    expect(await bits({ augmentation: null })).not.toEqual(expected);
    expect(await bits({ negatives: 0 })).not.toEqual(expected);
  });

  it('goes on from a checkpoint to the same bits, with the options that it has', async () => {
    const expected = await bits({});
    const checkpoint = join(folder, 'run.checkpoint');
    await stopWithin(2, { ...options(), checkpoint });
    const saved = await readSavedRun(checkpoint);
    expect(saved.options).toMatchObject({ augmentation: DEFAULT_AUGMENTATION, negatives: 0.25 });
    expect(await bits({ resume: checkpoint, threads: 1 })).toEqual(expected);
    expect(await bits({ resume: checkpoint, augmentation: undefined, negatives: undefined })).toEqual(
      expected,
    );
    const others = train({ ...options(), resume: checkpoint, augmentation: { gain: [0, 1] } });
    await expect(others).rejects.toThrow('augmentation is');
    await expect(train({ ...options(), resume: checkpoint, negatives: 0.5 })).rejects.toThrow('negatives is');
  });

  it('counts the clips that are made as clips, but not as right or wrong', async () => {
    const seen: number[] = [];
    const { epochs } = await train({
      ...options(),
      negatives: 10,
      onProgress: ({ total }) => seen.push(total),
    });
    const words = 72 - Math.round(72 * 0.1);
    for (const clips of seen) expect(clips).toBeGreaterThan(words * 10);
    // A tenth of the clips of an epoch are words: of all clips not more could be right.
    const accuracies = epochs.map((metrics) => metrics.train.accuracy * words);
    for (const right of accuracies) expect(Math.abs(right - Math.round(right))).toBeLessThan(1e-6);
  });
});
