// What waits for a model that is in use, what does not, and how an evaluation is stopped.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel, loadModel, type Model, SonospikeError } from '../lib/index.js';
import type { NativeFeatureStore } from '../lib/native/addon.js';
import { fromNative } from '../lib/native/errors.js';
import { native } from '../lib/native/load.js';
import { quickSettings, SAMPLES } from './helpers/training.js';

const clip = join(SAMPLES, '7_kal_0.wav');
const sound = Float32Array.from({ length: 8000 }, (_, i) => Math.sin((i * i) / 5e4));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-in-use-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function storeOf(model: Model): Promise<NativeFeatureStore> {
  const store = new (native().FeatureStore)(model.native, 1);
  await store.add([{ samples: sound, sampleRate: 8000, label: 0 }]);
  return store;
}

/** Starts an evaluation that goes on until it is told to stop, and waits until it has the model. */
async function occupy(model: Model) {
  const store = await storeOf(model);
  const running = store.evaluate(new Int32Array(2_000_000), 0, 0);
  const ended = running.then(
    () => null,
    (error) => fromNative(error) as SonospikeError,
  );
  for (;;) {
    try {
      model.parameters();
    } catch {
      break;
    }
    await new Promise((next) => setImmediate(next));
  }
  return { store, ended };
}

describe('while a model is in use', () => {
  it('others predict, and what was asked of it waits', async () => {
    const [used, other] = [await createModel(quickSettings()), await createModel(quickSettings())];
    const expected = [await used.predict(clip), await used.observe(clip)];
    const { store, ended } = await occupy(used);
    let settled = false;
    const path = join(folder, 'used.safetensors');
    const waiting = Promise.all([used.predict(clip), used.observe(clip), used.save(path)]);
    waiting.finally(() => {
      settled = true;
    });
    for (let i = 0; i < 20; i++) await other.predict(clip);
    expect(settled).toBe(false);
    expect(() => used.parameters()).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }));
    store.abortEvaluation();
    expect(await ended).toBeInstanceOf(SonospikeError);
    const [predicted, observed] = await waiting;
    expect([predicted, observed]).toEqual(expected);
    expect((await loadModel(path)).parameters()).toEqual(used.parameters());
  });

  it('those who wait come in the order in which they asked', async () => {
    const model = await createModel(quickSettings());
    const { store, ended } = await occupy(model);
    const order: number[] = [];
    const waiting = Array.from({ length: 20 }, (_, i) =>
      model.native.predict(sound, 8000, 0).then(() => order.push(i)),
    );
    store.abortEvaluation();
    await Promise.all([ended, ...waiting]);
    expect(order).toEqual([...waiting.keys()]);
    expect(model.predictSync(await readFile(clip)).softmax).toHaveLength(10);
  });
});

describe('abortEvaluation', () => {
  it('ends an evaluation with ERR_ABORTED, and leaves the next one alone', async () => {
    const { store, ended } = await occupy(await createModel(quickSettings()));
    store.abortEvaluation();
    expect(await ended).toMatchObject({ name: 'SonospikeError', code: 'ERR_ABORTED' });
    store.abortEvaluation();
    expect((await store.evaluate(Int32Array.of(0, 0), 0, 0)).predictions).toHaveLength(2);
  });

  it('ends one that has not had its turn', async () => {
    const model = await createModel(quickSettings());
    const first = await occupy(model);
    const second = await storeOf(model);
    const waiting = second.evaluate(Int32Array.of(0), 0, 0);
    second.abortEvaluation();
    first.store.abortEvaluation();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(await first.ended).toMatchObject({ code: 'ERR_ABORTED' });
  });
});

it('clips cannot be added to features that were scaled with the statistics of others', async () => {
  const scaling = { type: 'standard', over: 'training-set', pooled: false } as const;
  const store = await storeOf(await createModel(quickSettings({ scaling })));
  const more = [{ samples: Float32Array.of(1, 0, 1), sampleRate: 8000, label: 0 }];
  await store.add(more);
  await store.fit(Int32Array.of(0), false);
  expect(() => store.add(more)).toThrow(TypeError);
  expect(store.size()).toBe(2);
});
