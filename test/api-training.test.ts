import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelFile, writeModelFile } from '../lib/files/model-file.js';
import type { RunOptions } from '../lib/index.js';
import {
  type EpochMetrics,
  loadModel,
  type ModelSettings,
  openDataset,
  type TrainResult,
  train,
} from '../lib/index.js';
import { readSavedRun } from '../lib/training/saved-run.js';
import {
  convolutionSettings,
  quickSettings,
  quickTraining,
  SAMPLES,
  stopWithin,
} from './helpers/training.js';

let folder: string;
let checkpoint: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-train-'));
  checkpoint = join(folder, 'run.checkpoint');
});
afterAll(() => rm(folder, { recursive: true }));

/** Everything of a result that must be the same wherever and however often it is made; speeds are not. */
function bits({ model, epochs, bestEpoch, test }: TrainResult) {
  const metrics = epochs.map(({ clipsPerSecond, secondsLeft, ...kept }: EpochMetrics) => kept);
  return { parameters: model.parameters(), metrics, bestEpoch, predictions: test.predictions };
}

describe('train', () => {
  it('tells of every epoch, learns, and gives the best model and its test', async () => {
    const seen: EpochMetrics[] = [];
    const told: { phase: string }[] = [];
    const out = join(folder, 'best.safetensors');
    const result = await train(
      quickTraining({
        keep: 'best',
        epochs: 20,
        learningRate: 0.02,
        out,
        onData: (report) => told.push(report),
        onLoad: (progress) => told.push(progress),
        onEpoch: ({ metrics, history, ...rest }) => {
          seen.push(metrics);
          told.push(rest);
          expect(history).toEqual(seen);
        },
      }),
    );
    expect(told.filter(({ phase }) => phase === 'load').at(-1)).toEqual({
      phase: 'load',
      done: 90,
      total: 90,
    });
    expect(told.find(({ phase }) => phase === 'data')).toMatchObject({
      phase: 'data',
      split: result.split,
      skipped: result.test.skipped,
    });
    expect(told.at(-1)).toEqual({ phase: 'epoch', done: 20, total: 20 });
    expect(seen.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(result.epochs).toEqual(seen);
    expect(seen.at(-1)!.train.loss).toBeLessThan(seen[0]!.train.loss);
    expect(seen.at(-1)!.train.accuracy).toBeGreaterThan(0.3);
    expect(seen[result.bestEpoch - 1]!.best).toBe(true);
    const best = Math.max(...seen.map(({ validation }) => validation!.accuracy));
    expect(seen[result.bestEpoch - 1]!.validation!.accuracy).toBe(best);
    const loaded = await loadModel(out);
    expect(loaded.parameters()).toEqual(result.model.parameters());
    expect(loaded.training).toMatchObject({
      epoch: result.bestEpoch,
      test: { accuracy: result.test.accuracy },
    });
  });

  it('gives the same bits for the same seed on 1, 2 and 5 threads, and others for another seed', async () => {
    const expected = bits(await train(quickTraining({ seed: 3, threads: 1 })));
    for (const threads of [2, 5]) {
      expect(bits(await train(quickTraining({ seed: 3, threads })))).toEqual(expected);
    }
    expect(bits(await train(quickTraining({ seed: 4 })))).not.toEqual(expected);
  });

  it('stops early after `patience` epochs that are not better', async () => {
    const { epochs, bestEpoch } = await train(
      quickTraining({ epochs: 50, patience: 2, learningRate: 1e-9, schedule: 'constant', keep: 'best' }),
    );
    expect(epochs.length).toBeLessThan(50);
    expect(epochs).toHaveLength(bestEpoch + 2);
  });

  it('stops early by the validation where the last epoch is kept, too', async () => {
    const options = quickTraining({ epochs: 50, patience: 2, learningRate: 1e-9, schedule: 'constant' });
    const { epochs, bestEpoch } = await train({ ...options, keep: 'last' });
    expect(epochs).toHaveLength((await train({ ...options, keep: 'best' })).epochs.length);
    expect(bestEpoch).toBe(epochs.length);
  });

  it('keeps the last epoch where nothing is held back for validation', async () => {
    const { epochs, bestEpoch } = await train(quickTraining({ validation: 0 }));
    expect(epochs.map(({ validation }) => validation)).toEqual([null, null]);
    expect(bestEpoch).toBe(2);
  });

  it('follows a schedule of its own for each of the three', async () => {
    const ends = await Promise.all(
      (['constant', 'cosine', 'one-cycle'] as const).map(async (schedule) =>
        bits(await train(quickTraining({ schedule, threads: 1 }))),
      ),
    );
    expect(ends[0]).not.toEqual(ends[1]);
    expect(ends[1]).not.toEqual(ends[2]);
    expect(ends[0]).not.toEqual(ends[2]);
  });

  it('runs, saves and predicts with convolutions, delays and dropout, to the same bits on all threads', async () => {
    const options = quickTraining({ settings: convolutionSettings(), spikeCost: 0.1, threads: 1 });
    const out = join(folder, 'convolution.safetensors');
    const result = await train({ ...options, out });
    expect(bits(await train({ ...options, threads: 3 }))).toEqual(bits(result));
    expect(bits(await train({ ...options, spikeCost: 0 }))).not.toEqual(bits(result));
    const loaded = await loadModel(out);
    for (const { file, predicted, scores } of result.test.predictions.slice(0, 3)) {
      expect(await loaded.predict(file)).toMatchObject({ label: predicted, scores });
    }
  });

  const encodings: ModelSettings['encoding'][] = [
    { type: 'rate', stepsPerFrame: 4 },
    { type: 'latency', stepsPerFrame: 4, threshold: 0.1 },
    { type: 'delta', stepsPerFrame: 2, threshold: 0.2 },
    { type: 'direct', stepsPerFrame: 1 },
  ];
  const scalings: ModelSettings['scaling'][] = [
    { type: 'min-max', over: 'training-set', pooled: false },
    { type: 'standard', over: 'training-set', pooled: true },
    { type: 'min-max', over: 'clip', pooled: true },
  ];
  it.each(encodings)('runs, saves and predicts with $type spikes under every scaling', async (encoding) => {
    for (const scaling of scalings) {
      const settings = quickSettings({ encoding, scaling });
      const out = join(folder, 'encoded.safetensors');
      const { model, test } = await train(quickTraining({ settings, epochs: 1, out }));
      const loaded = await loadModel(out);
      for (const { file, predicted, scores } of test.predictions.slice(0, 3)) {
        expect(await model.predict(file)).toMatchObject({ label: predicted, scores });
        expect(await loaded.predict(file)).toMatchObject({ label: predicted, scores });
      }
    }
  });
});

describe('a training that is stopped', () => {
  const settings = quickSettings();
  const layer = { ...settings.network.layers[0]!, neurons: 200 };
  const slow = { ...settings, frames: 60, network: { ...settings.network, layers: [layer, layer] } };
  const options = () => quickTraining({ settings: slow, epochs: 4, batchSize: 1, seed: 9 });
  let uninterrupted: ReturnType<typeof bits>;
  beforeAll(async () => {
    uninterrupted = bits(await train(options()));
  });

  it('before it begins ends with ERR_ABORTED and writes nothing', async () => {
    const signal = AbortSignal.abort();
    const unwritten = join(folder, 'never.checkpoint');
    const run = train({ ...options(), checkpoint: unwritten, signal });
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await expect(readFile(unwritten)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('in the middle of an epoch goes on to the same bits', async () => {
    await stopWithin(2, { ...options(), checkpoint });
    expect(bits(await train({ ...options(), resume: checkpoint }))).toEqual(uninterrupted);
  });

  it('again and again goes on to the same bits, on other numbers of threads', async () => {
    await stopWithin(2, { ...options(), checkpoint });
    await stopWithin(3, { ...options(), resume: checkpoint, checkpoint });
    await stopWithin(4, { ...options(), resume: checkpoint, checkpoint, threads: 1 });
    expect(bits(await train({ ...options(), resume: checkpoint, threads: 5 }))).toEqual(uninterrupted);
  });

  it('with the scaling of its training set goes on to the same bits', async () => {
    const scaling = { type: 'standard', over: 'training-set', pooled: false } as const;
    const scaled = { ...options(), settings: { ...slow, scaling } };
    const expected = bits(await train(scaled));
    await stopWithin(3, { ...scaled, checkpoint });
    expect(bits(await train({ ...scaled, resume: checkpoint }))).toEqual(expected);
  });

  it('with dropout goes on to the same bits', async () => {
    const dropping = { ...options(), settings: { ...convolutionSettings(), frames: 400 } };
    const expected = bits(await train(dropping));
    await stopWithin(3, { ...dropping, checkpoint });
    expect(bits(await train({ ...dropping, resume: checkpoint }))).toEqual(expected);
  });
});

it('a checkpoint from before an option goes on without it', async () => {
  const old = join(folder, 'old.checkpoint');
  await train(quickTraining({ checkpoint: old, epochs: 1 }));
  const file = await readModelFile(old);
  const { augmentation, negatives, spikeCost, keep, rejectRate, ...before } = file.state!.json
    .options as RunOptions;
  file.state!.json.options = before;
  await writeModelFile(old, file);
  const { options } = await readSavedRun(old);
  expect(options).toEqual({
    ...before,
    augmentation: null,
    negatives: 0,
    spikeCost: 0,
    keep: 'best',
    rejectRate,
  });
});

describe('a resume is refused', () => {
  beforeAll(() => train(quickTraining({ checkpoint, epochs: 1 })));

  it('with other options', async () => {
    const run = train(quickTraining({ resume: checkpoint, epochs: 2, batchSize: 9 }));
    await expect(run).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', file: checkpoint });
    await expect(run).rejects.toThrow('batchSize');
  });

  it('with other data', async () => {
    const other = join(folder, 'other');
    await mkdir(other);
    const names = (await readdir(SAMPLES)).filter((name) => name.endsWith('_0.wav') && !name.includes('slt'));
    for (const name of names) await copyFile(join(SAMPLES, name), join(other, name));
    await expect(train(quickTraining({ resume: checkpoint, data: other }))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_INVALID',
    });
  });

  it('from a plain model', async () => {
    const model = join(folder, 'plain.safetensors');
    await (await loadModel()).save(model);
    await expect(train(quickTraining({ resume: model }))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_INVALID',
      file: model,
    });
  });
});

it('refuses settings whose labels are not those of the data', async () => {
  const settings = quickSettings({ labels: [...'abcdefghij'] });
  await expect(train(quickTraining({ settings }))).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
});

it('trains on an opened dataset and on its directory to the same bits', async () => {
  const byName = await train(quickTraining({ epochs: 1 }));
  const opened = await train(quickTraining({ epochs: 1, data: await openDataset(SAMPLES) }));
  expect(bits(opened)).toEqual(bits(byName));
});
