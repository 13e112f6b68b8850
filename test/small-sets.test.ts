import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SOUND_KINDS, sound } from '../lib/audio/signals.js';
import { encodeWav } from '../lib/audio/wav-writer.js';
import {
  evaluate,
  loadModel,
  openDataset,
  presetRecipe,
  readAudio,
  type TrainResult,
  train,
} from '../lib/index.js';
import { Random } from '../lib/support/random.js';
import { fitToSet, resolveRunOptions } from '../lib/training/recipe.js';
import { defaultSplit } from '../lib/training/small-set.js';
import { quickTraining } from './helpers/training.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sonospike-small-'));
});
afterAll(() => rm(root, { recursive: true }));

const VOICES = ['kal', 'slt', 'rms', 'awb', 'enus'];

/** A folder for each word with takes of the samples, each by another voice; the same take often where `copies` says so. */
async function makeSet(name: string, words: Record<string, number>, copies = false): Promise<string> {
  for (const [word, takes] of Object.entries(words)) {
    await mkdir(join(root, name, word), { recursive: true });
    for (let take = 0; take < takes; take++) {
      const from = resolve(`samples/${word}_${VOICES[copies ? 0 : take]}_0.wav`);
      await cp(from, join(root, name, word, `anna_${take}.wav`));
    }
  }
  return join(root, name);
}

describe('the steps of a small set', () => {
  const run = resolveRunOptions({}, 'official');
  const steps = ({ epochs, batchSize }: { epochs: number; batchSize: number }, clips: number) =>
    epochs * Math.ceil(clips / batchSize);

  it.each([5, 30, 79, 300, 1000])('are at least minSteps, of %d clips', (clips) => {
    const fitted = fitToSet(run, {}, clips);
    const all = Math.round((1 + fitted.negatives) * clips);
    expect(steps(fitted, all)).toBeGreaterThanOrEqual(run.minSteps);
    // No more than one epoch above it, unless the recipe has more by itself.
    expect(steps({ ...fitted, epochs: fitted.epochs - 1 }, all)).toBeLessThan(
      Math.max(run.minSteps, steps(run, all)),
    );
  });

  it('of a set that has enough are those of the recipe', () => {
    expect(fitToSet(run, {}, 2700)).toEqual(run);
    expect(steps(run, 2000)).toBeGreaterThanOrEqual(run.minSteps);
    expect(fitToSet(run, {}, 2000)).toEqual(run);
  });

  it('are as given where the epochs are given, and batches keep a given size', () => {
    expect(fitToSet({ ...run, epochs: 3 }, { epochs: 3 }, 30)).toMatchObject({ epochs: 3, batchSize: 32 });
    expect(fitToSet({ ...run, batchSize: 4 }, { batchSize: 4 }, 30).batchSize).toBe(4);
    expect(presetRecipe('original').minSteps).toBe(0);
    expect(() => fitToSet(run, { epochs: 3, minSteps: 500 }, 30)).toThrow(
      /minSteps is 500; it must be 0 or left out/,
    );
  });
});

it('ninety clips of ten words by nine voices are learnt: most of other clips are right', async () => {
  const data = await openDataset('samples');
  const { model, options } = await train({ data, split: 'random:0.2', seed: 1, calibrationFolds: 0 });
  expect(options.epochs).toBeGreaterThan(24);
  const { accuracy, clips } = await evaluate({ data, model });
  expect(clips).toBe(18);
  // 24 epochs of 3 steps each gave 55%.
  expect(accuracy).toBeGreaterThan(0.75);
});

describe('a small set', () => {
  const WORDS = { 1: 5, 4: 5, 7: 4 };
  const { settings, split: _, validation: __, ...quick } = quickTraining();
  const options = {
    ...quick,
    settings: { ...settings!, labels: ['1', '4', '7'] },
    epochs: 12,
    learningRate: 0.02,
    negatives: 0.5,
    calibrationFolds: 3,
    augmentation: { gain: [-6, 6] as [number, number] },
  };
  let data: string;
  let out: string;
  let found: TrainResult;
  beforeAll(async () => {
    data = await makeSet('set', WORDS);
    out = join(root, 'small.safetensors');
    found = await train({ ...options, data, out });
  });

  it('is trained on whole, and every take is tested by a model that was not trained on it', () => {
    expect(found.options).toMatchObject({ split: 'none', validation: 0 });
    expect(found.split).toMatch(/train 14.*validation 0.*test 0/);
    expect(found).toMatchObject({ testedBy: 'cross-validation', crossValidation: { folds: 3, clips: 14 } });
    const files = found.test.predictions.map(({ file }) => file);
    expect(new Set(files).size).toBe(14);
    expect(files).toHaveLength(14);
    const right = found.test.predictions.filter(({ label, predicted }) => label === predicted).length;
    expect(found.test.accuracy).toBe(right / 14);
    expect(found.crossValidation!.accuracy).toBe(right / 14);
    expect(found.test.seenInTraining).toBe(0);
  });

  it('gives a threshold, by which the takes that were held out are judged', () => {
    const { threshold } = found.model.confidence!;
    expect(threshold).toBeGreaterThan(0);
    for (const { confidence, rejected } of found.test.predictions) {
      expect(rejected).toBe(confidence < threshold);
    }
    const { rejected, others } = found.crossValidation!;
    const known = found.test.predictions.filter(({ label, predicted }) => label === predicted);
    expect(rejected).toBeCloseTo(known.filter((of) => of.rejected).length / known.length, 12);
    expect(others.clips).toBe(5 * 14);
    // 10% of so few recognised takes is none, so the threshold may be as low as the least sure of them.
    expect(rejected === 0 || others.accepted <= 0.05).toBe(true);
  });

  it('is told of in the file of the model, which has no test', async () => {
    const { training, confidence } = await loadModel(out);
    expect(training).toMatchObject({
      crossValidation: { ...found.crossValidation },
      remarks: found.remarks,
    });
    expect(training).not.toHaveProperty('test');
    expect(confidence).toEqual(found.model.confidence);
  });

  it('gives the same on any number of threads', async () => {
    for (const threads of [1, 5]) {
      const again = await train({ ...options, data, threads });
      expect(again.model.confidence).toEqual(found.model.confidence);
      expect(again.test).toEqual(found.test);
      expect(again.crossValidation).toEqual(found.crossValidation);
      expect(again.model.parameters()).toEqual(found.model.parameters());
    }
  });

  it('has the weights that it has without a cross-validation', async () => {
    const plain = await train({ ...options, data, split: 'random:0.2', calibrationFolds: 0, validation: 0 });
    const folds = await train({ ...options, data, split: 'random:0.2' });
    expect(plain.model.confidence).toBeNull();
    expect(plain.crossValidation).toBeNull();
    expect(folds.testedBy).toBe('test');
    expect(folds.crossValidation!.clips).toBe(14 - folds.test.clips);
    expect(folds.model.parameters()).toEqual(plain.model.parameters());
  });

  it('is too small to trust, which is said', async () => {
    expect(found.remarks).toEqual([
      expect.stringMatching(/^Few takes to train on: 1 \(5\), 4 \(5\), 7 \(4\)\. Below 10 /),
    ]);
    const voice = await openDataset(data);
    const one = { ...voice, speakers: ['anna'] };
    const remarks: string[][] = [];
    await train({ ...options, data: one, onData: (report) => remarks.push(report.remarks) });
    expect(remarks[0]).toHaveLength(2);
    expect(remarks[0]![1]).toMatch(/^All takes are by one voice \(anna\)/);
  });

  it('has no test part, so that evaluate tells that it has seen the clips', async () => {
    const { clips, seenInTraining, split } = await evaluate({ data, model: found.model });
    expect([clips, seenInTraining]).toEqual([14, 14]);
    expect(split).toMatch(/^all/);
  });

  it('keeps what it held back when a share is asked for', async () => {
    const { split, crossValidation } = await train({ ...options, data, validation: 0.3 });
    expect(split).toMatch(/train 10.*validation 4/);
    expect(crossValidation!.clips).toBe(14);
  });

  it('with one take of each word cannot be tested, which is an error', async () => {
    const single = await makeSet('single', { 1: 1, 4: 1, 7: 1 });
    await expect(train({ ...options, data: single })).rejects.toMatchObject({
      code: 'ERR_SPLIT_INVALID',
      message: expect.stringContaining('each word has one take only'),
    });
    const copies = await makeSet('copies', { 1: 3, 4: 3, 7: 3 }, true);
    await expect(train({ ...options, data: copies })).rejects.toMatchObject({ code: 'ERR_SPLIT_INVALID' });
    await expect(train({ ...options, data, calibrationFolds: 0, split: 'none' })).rejects.toThrow(
      /calibrationFolds must be 2 or more/,
    );
  });

  it('stopped in its cross-validation goes on from the checkpoint to the same bits', async () => {
    const checkpoint = join(root, 'stopped.checkpoint.safetensors');
    const controller = new AbortController();
    const stopped = train({
      ...options,
      data,
      checkpoint,
      signal: controller.signal,
      onCalibration: ({ done }) => done > 2 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED', file: checkpoint });
    const { settings: _own, ...rest } = options;
    const resumed = await train({ data, resume: checkpoint, threads: rest.threads! });
    expect(resumed.test).toEqual(found.test);
    expect(resumed.model.confidence).toEqual(found.model.confidence);
    expect(resumed.model.parameters()).toEqual(found.model.parameters());
  });

  it('rejects with what onCalibration throws, and tells all epochs of the folds', async () => {
    const thrown = new Error('own');
    const onCalibration = () => {
      throw thrown;
    };
    await expect(train({ ...options, data, onCalibration })).rejects.toBe(thrown);
    const told: number[][] = [];
    await train({ ...options, data, onCalibration: ({ done, total }) => told.push([done, total]) });
    // Half of the twelve epochs in each of three folds.
    expect(told).toEqual(Array.from({ length: 18 }, (_one, i) => [i + 1, 18]));
  });
});

describe('the split of a training that names none', () => {
  const set = async (counts: Record<string, number>, part?: 'train' | 'test') => {
    const dataset = await openDataset('samples');
    const clips = Object.entries(counts).flatMap(([label, count]) =>
      Array.from({ length: count }, (_, i) => ({
        ...dataset.clips[0]!,
        file: `/words/${label}/${i}.wav`,
        label,
        ...(part && { part: i === 0 ? ('test' as const) : part }),
      })),
    );
    return { ...dataset, layout: 'folders' as const, labels: Object.keys(counts), clips };
  };

  it.each([
    [{ a: 20, b: 20 }, 'none'],
    [{ a: 20, b: 100 }, 'none'],
    [{ a: 21, b: 21 }, 'random:0.2'],
    [{ a: 20, b: 981 }, 'random:0.2:20'],
    [Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`w${i}`, 20])), 'random:0.2'],
  ])('of %j is %s', async (counts, split) => {
    expect(defaultSplit(await set(counts), false)).toBe(split);
    expect(defaultSplit(await set(counts), true)).toBe('random:0.2');
  });

  it('is that of a data set that names its test clips, however small', async () => {
    expect(defaultSplit(await set({ a: 5, b: 5 }, 'train'), false)).toBe('official');
  });
});

it('own words by one voice, eight takes each, reject most of its other words, and noise', async () => {
  // Takes of one voice: the same recording, played faster or slower as a voice is now higher and quicker, now not.
  const take = async (word: string, i: number) => {
    const { samples, sampleRate } = await readAudio(`samples/${word}_kal_0.wav`);
    return { samples, sampleRate: Math.round(sampleRate * (0.93 + 0.02 * i)) };
  };
  const words = ['1', '4', '7'];
  for (const word of words) {
    await mkdir(join(root, 'own', word), { recursive: true });
    for (let i = 0; i < 8; i++) {
      const { samples, sampleRate } = await take(word, i);
      await writeFile(join(root, 'own', word, `kal_${i}.wav`), encodeWav(samples, sampleRate));
    }
  }
  const { model, test } = await train({ data: join(root, 'own') });
  expect([test.clips, test.accuracy]).toEqual([24, 1]);
  const accepted = (of: { rejected: boolean }[]) => of.filter(({ rejected }) => !rejected).length / of.length;
  expect(accepted(test.predictions)).toBeGreaterThan(0.8);
  const others = await Promise.all(
    ['0', '2', '3', '5', '6', '8', '9'].flatMap((word) => [1.5, 4.5].map((i) => take(word, i))),
  );
  expect(accepted(await model.predictBatch(others))).toBeLessThan(0.3);
  const sounds = SOUND_KINDS.flatMap((kind) =>
    Array.from({ length: 20 }, (_, i) => sound(kind, 8000, new Random(`${kind}${i}`))),
  );
  expect(accepted(await model.predictBatch(sounds))).toBeLessThan(0.1);
});
