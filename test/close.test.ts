// What is closed gives up its memory, and says so to whoever calls it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel, evaluate, loadModel, type Model, type Word } from '../lib/index.js';
import { occupy, spokenClips, wordsOf } from './helpers/streams.js';
import { SAMPLES } from './helpers/training.js';

const clip = join(SAMPLES, '7_kal_0.wav');
const quiet = { samples: new Float32Array(800), sampleRate: 8000 };
const closed = {
  name: 'SonospikeError',
  code: 'ERR_CLOSED',
  message: expect.stringContaining('model is closed'),
};

let speech: Float32Array;
let folder: string;
beforeAll(async () => {
  ({ speech } = await spokenClips());
  folder = await mkdtemp(join(tmpdir(), 'sonospike-close-'));
});
afterAll(() => rm(folder, { recursive: true }));

const spoken = () => ({ samples: speech.subarray(0, 8000), sampleRate: 8000 });

describe('a model that is closed', () => {
  it.each<[string, (model: Model) => unknown]>([
    ['predict', (model) => model.predict(clip)],
    ['predict, of silence', (model) => model.predict(quiet)],
    ['predictSync', (model) => model.predictSync(spoken())],
    ['predictSync, of silence', (model) => model.predictSync(quiet)],
    ['predictBatch', (model) => model.predictBatch([clip])],
    ['observe', (model) => model.observe(clip)],
    ['stream', (model) => model.stream()],
    ['parameters', (model) => model.parameters()],
    ['save', (model) => model.save(join(folder, 'closed.safetensors'))],
    ['evaluate', (model) => evaluate({ data: SAMPLES, model })],
  ])('refuses %s', async (_, call) => {
    const model = await loadModel();
    model.close();
    model.close();
    await expect((async () => call(model))()).rejects.toMatchObject(closed);
  });

  it('still says what it was', async () => {
    const model = await loadModel();
    const { labels } = model;
    model.close();
    expect([model.labels, model.settings.labels, model.device]).toEqual([labels, labels, 'cpu']);
  });

  it('leaves other models alone', async () => {
    const [one, other] = [await loadModel(), await loadModel()];
    const expected = await other.predict(clip);
    one.close();
    expect(await other.predict(clip)).toEqual(expected);
    await expect(one.predict(clip)).rejects.toMatchObject(closed);
  });

  it('ends what it had begun before', async () => {
    const model = await loadModel();
    const expected = await model.predict(clip);
    const release = await occupy(model, speech);
    const waiting = [model.predict(clip), model.predict(clip)];
    // The files are read by then.
    await new Promise((next) => setTimeout(next, 50));
    const released = release();
    model.close();
    await released;
    expect(await Promise.all(waiting)).toEqual([expected, expected]);
  });

  it('fails the streams that it has, with what they found before', async () => {
    const model = await loadModel();
    const expected = await wordsOf(model.stream(), [speech]);
    const stream = model.stream();
    stream.write(speech);
    model.close();
    stream.write(speech);
    const words: Word[] = [];
    const loop = (async () => {
      for await (const word of stream) words.push(word);
    })();
    await expect(loop).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(words).toEqual(expected);
  });
});

describe('dispose', () => {
  it('Symbol.dispose closes models and streams', async () => {
    const model = await loadModel();
    const stream = model.stream();
    stream[Symbol.dispose]();
    expect(stream.destroyed).toBe(true);
    model[Symbol.dispose]();
    await expect(model.predict(clip)).rejects.toMatchObject(closed);
  });

  it('Symbol.asyncDispose waits for what has begun', async () => {
    const model = await loadModel();
    const expected = await model.predict(clip);
    let found: unknown = null;
    const prediction = model.predict(spoken()).then((each) => {
      found = each;
    });
    await model[Symbol.asyncDispose]();
    await prediction;
    expect(found).toMatchObject({ label: expected.label });
    await model[Symbol.asyncDispose]();
    await expect(model.predict(clip)).rejects.toMatchObject(closed);
  });

  it('Symbol.asyncDispose of a stream waits until it has closed, without an error', async () => {
    const stream = (await loadModel()).stream();
    let [gone, failed] = [false, false];
    stream.on('close', () => {
      gone = true;
    });
    stream.on('error', () => {
      failed = true;
    });
    stream.write(speech);
    await stream[Symbol.asyncDispose]();
    await stream[Symbol.asyncDispose]();
    expect([gone, failed, stream.destroyed]).toEqual([true, false, true]);
  });

  it('close of a stream keeps its last time', async () => {
    const stream = (await loadModel()).stream();
    stream.write(speech);
    const { time } = stream;
    stream.close();
    expect(stream.time).toBe(time);
    expect(time).toBeGreaterThan(1);
  });
});

it('memory stays flat over models that are made, used and closed', async () => {
  const { settings } = await loadModel();
  const round = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const model = await createModel(settings, { threads: 1, seed: i });
      model.predictSync(spoken());
      model.close();
    }
    return process.memoryUsage.rss() / 2 ** 20;
  };
  const before = await round(50);
  // Models that are kept are 5 MB each.
  expect((await round(150)) - before).toBeLessThan(100);
});
