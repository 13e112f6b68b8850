import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckpointState, readModelFile, writeModelFile } from '../lib/files/model-file.js';
import { train } from '../lib/index.js';
import { readSavedRun } from '../lib/training/saved-run.js';
import { quickSettings, quickTraining, SAMPLES } from './helpers/training.js';

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-stops-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A network whose validation takes long enough to be stopped in. */
const slow = () => {
  const settings = quickSettings({ frames: 300 });
  const layer = { ...settings.network.layers[0]!, neurons: 200 };
  return { ...settings, network: { ...settings.network, layers: [layer] } };
};

/**
 * A signal that aborts right after the first validation has begun. The training listens first; the next to listen is
 * that validation. It has more than one of the batches between which an evaluation can be stopped.
 */
function abortedInEvaluation(): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const listen = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
  let listeners = 0;
  signal.addEventListener = (...args: unknown[]) => {
    listen(...args);
    if (++listeners === 2) queueMicrotask(() => controller.abort());
  };
  return signal;
}

describe('a training that is stopped', () => {
  it('goes on to the same bytes when it was stopped while it measured an epoch', async () => {
    const options = quickTraining({
      settings: { ...slow(), frames: 4000 },
      validation: 0.6,
      epochs: 2,
      batchSize: 30,
    });
    const whole = { ...options, out: path('whole.safetensors'), checkpoint: path('whole.checkpoint') };
    await train(whole);
    const stopped = { ...options, out: path('stopped.safetensors'), checkpoint: path('stopped.checkpoint') };
    // On a busy machine the evaluation may be over before this thread goes on: then it is tried again.
    for (let tries = 0; ; tries++) {
      await rm(stopped.checkpoint, { force: true });
      await expect(train({ ...stopped, signal: abortedInEvaluation() })).rejects.toMatchObject({
        code: 'ERR_ABORTED',
      });
      const { pending, history } = await readSavedRun(stopped.checkpoint);
      if (pending === null && tries < 20) continue;
      expect(pending?.clips).toBeGreaterThan(0);
      expect(history).toEqual([]);
      break;
    }
    await train({ ...stopped, resume: stopped.checkpoint });
    for (const kind of ['safetensors', 'checkpoint']) {
      expect(await readFile(path(`stopped.${kind}`))).toEqual(await readFile(path(`whole.${kind}`)));
    }
  });

  it('measures what a checkpoint left to be measured', async () => {
    const options = quickTraining({
      schedule: 'constant',
      epochs: 3,
      checkpoint: path('pending.checkpoint'),
      out: path('a.safetensors'),
    });
    await train({ ...options, epochs: 1 });
    // The checkpoint as it would be had the run been stopped in the first epoch's validation.
    const file = await readModelFile(path('pending.checkpoint'));
    const json = file.state!.json;
    const [first] = json.history as { train: { loss: number; accuracy: number }; firingRates: number[] }[];
    const clips = 65;
    const pending = {
      ...(json.position as object),
      epoch: 0,
      batch: 9,
      clips,
      loss: first!.train.loss * clips,
      correct: Math.round(first!.train.accuracy * clips),
      spikes: first!.firingRates.map(() => 0),
    };
    const state: CheckpointState = { ...file.state!, json: { ...json, history: [], best: null, pending } };
    await writeModelFile(path('pending.checkpoint'), { ...file, state });
    const result = await train({ ...options, resume: path('pending.checkpoint') });
    const whole = await train({ ...options, checkpoint: path('b.checkpoint'), out: path('b.safetensors') });
    expect(result.epochs.map(({ validation }) => validation)).toEqual(
      whole.epochs.map(({ validation }) => validation),
    );
    expect(result.model.parameters()).toEqual(whole.model.parameters());
  });

  it('leaves the checkpoint of another run alone if it has not done a batch', async () => {
    const checkpoint = path('kept.checkpoint');
    await train(quickTraining({ checkpoint }));
    const before = await readFile(checkpoint);
    const controller = new AbortController();
    const run = train(
      quickTraining({ checkpoint, seed: 5, signal: controller.signal, onData: () => controller.abort() }),
    );
    await expect(run).rejects.toThrow(/before its first batch; nothing was written/);
    expect(await readFile(checkpoint)).toEqual(before);
  });

  it('rejects with what a callback throws, instead of ending the process', async () => {
    // An epoch takes longer than it is between two calls.
    const settings = { ...slow(), frames: 3000 };
    const thrown = new Error('from the callback');
    const run = train(
      quickTraining({
        settings,
        epochs: 200,
        onProgress: () => {
          throw thrown;
        },
      }),
    );
    await expect(run).rejects.toBe(thrown);
  });
});

describe('a training that cannot go on', () => {
  it('says that it diverged, and leaves no file', async () => {
    const out = path('diverged.safetensors');
    const run = train({
      data: SAMPLES,
      preset: 'original',
      learningRate: 10,
      epochs: 3,
      split: 'random:0.5',
      out,
    });
    await expect(run).rejects.toMatchObject({ code: 'ERR_TRAINING_DIVERGED' });
    await expect(readFile(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a split without clips to train on', async () => {
    await expect(train(quickTraining({ split: 'all' }))).rejects.toMatchObject({ code: 'ERR_SPLIT_INVALID' });
  });

  it('notices that other clips can be read than before the stop', async () => {
    const data = path('clips');
    await mkdir(data);
    for (const name of await readdir(SAMPLES)) {
      if (name.endsWith('.wav')) await copyFile(join(SAMPLES, name), join(data, name));
    }
    const options = quickTraining({ data, checkpoint: path('clips.checkpoint'), epochs: 1 });
    await train(options);
    await writeFile(join(data, '7_kal_0.wav'), 'damaged');
    const resumed = train({ ...options, epochs: 2, resume: path('clips.checkpoint') });
    await expect(resumed).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_INVALID' });
  });
});

describe('a damaged checkpoint', () => {
  // biome-ignore lint/suspicious/noExplicitAny: whatever a damaged file may hold
  const changes: [string, (json: any) => object][] = [
    ['options', () => ({ options: null })],
    ['an unknown option', (json) => ({ options: { ...(json.options as object), more: 1 } })],
    ['steps', () => ({ steps: -5 })],
    ['a batch', (json) => ({ position: { ...(json.position as object), batch: -1 } })],
    ['a batch too many', (json) => ({ position: { ...(json.position as object), batch: 1_000_000 } })],
    ['spikes', (json) => ({ position: { ...(json.position as object), spikes: ['many'] } })],
    ['history', () => ({ history: [null] })],
    ['the best epoch', (json) => ({ best: { ...(json.best as object), epoch: 'x' } })],
    ['best', () => ({ best: 5 })],
    ['a fingerprint', () => ({ fingerprint: 7 })],
    ['something unknown', () => ({ more: 1 })],
  ];

  it.each(changes)('is refused by name: %s', async (_, change) => {
    const checkpoint = path('good.checkpoint');
    await readSavedRun(checkpoint).catch(() => train(quickTraining({ checkpoint, epochs: 1 })));
    const file = await readModelFile(checkpoint);
    const json = file.state!.json;
    const bad = path('bad.checkpoint');
    await writeModelFile(bad, { ...file, state: { ...file.state!, json: { ...json, ...change(json) } } });
    const resumed = train(quickTraining({ resume: bad, epochs: 2 }));
    await expect(resumed).rejects.toMatchObject({
      name: 'SonospikeError',
      code: 'ERR_CHECKPOINT_INVALID',
      file: bad,
    });
  });
});
