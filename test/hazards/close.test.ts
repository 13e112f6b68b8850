// What was made is given up: by `close`, and by the collector in a loop that leaves Node no time for finalizers.
import { describe, expect, it } from 'vitest';
import type { NativeModel } from '../../lib/native/addon.js';
import { native } from '../../lib/native/load.js';
import { CLEAN, runChild } from '../helpers/child.js';
import { smallSettings } from '../helpers/model.js';

const RATE = 8000;
const samples = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i / 3) * 0.5);
const CLOSED = expect.objectContaining({ code: 'ERR_CLOSED' });

function makeModel(): NativeModel {
  const model = new (native().Model)(smallSettings(), 1);
  model.initialise(1);
  return model;
}

/** A store of three clips and a trainer on them. */
async function makeTrainer(model: NativeModel) {
  const store = new (native().FeatureStore)(model, 1);
  await store.add([0, 1, 0].map((label) => ({ samples, sampleRate: RATE, label })));
  await store.fit(new Int32Array(), false);
  const options = {
    epochs: 2,
    batchSize: 2,
    seed: 1,
    labelSmoothing: 0,
    spikeCost: 0,
    augmentation: null,
    optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
    schedule: { type: 'constant', rate: 1e-3, warmupShare: 0.3 },
  } as const;
  return { store, trainer: new (native().Trainer)(model, store, options, Int32Array.of(0, 1, 2)) };
}

const streamOptions = { sampleRate: RATE, endSilence: 0.25, seed: 1, keepSamples: false };

describe('close', () => {
  it('makes every later call of a model throw ERR_CLOSED, and can be called again', () => {
    const model = makeModel();
    model.close();
    model.close();
    const calls = [
      () => model.initialise(1),
      () => model.readParameters(),
      () => model.readScaling(),
      () => model.predictSync(samples, RATE, 0),
      () => model.predict(samples, RATE, 0),
      () => model.observe(samples, RATE, 0),
      () => model.snapshot(),
      () => new (native().FeatureStore)(model, 1),
      () => new (native().Stream)(model, streamOptions),
      () => new (native().NetworkTools)(model),
    ];
    for (const call of calls) expect(call).toThrow(CLOSED);
  });

  it('lets what was asked for before finish with the right answer', async () => {
    const model = makeModel();
    const expected = model.predictSync(samples, RATE, 0).scores;
    const asked = [1, 2, 3].map(() => model.predict(samples, RATE, 0));
    const snapshot = model.snapshot();
    model.close();
    for (const { scores } of await Promise.all(asked)) expect(scores).toEqual(expected);
    expect(Object.keys((await snapshot).parameters)).not.toHaveLength(0);
  });

  it('of a model closes what was made from it', async () => {
    const model = makeModel();
    const { store, trainer } = await makeTrainer(model);
    const stream = new (native().Stream)(model, streamOptions);
    const tools = new (native().NetworkTools)(model);
    stream.write(samples);
    const time = stream.time();
    const running = trainer.runEpoch();
    model.close();
    expect(await running).toMatchObject({ complete: true, sums: { clips: 3 } });
    expect(() => store.size()).toThrow(CLOSED);
    expect(() => trainer.runEpoch()).toThrow(CLOSED);
    expect(() => trainer.readState()).toThrow(CLOSED);
    expect(() => stream.write(samples)).toThrow(CLOSED);
    expect(() => tools.forward(new Float32Array(), 1, 1)).toThrow(CLOSED);
    expect(stream.time()).toBe(time);
  });

  it('of a store closes its trainers, and leaves the model open', async () => {
    const model = makeModel();
    const { store, trainer } = await makeTrainer(model);
    store.close();
    expect(() => trainer.progress()).toThrow(CLOSED);
    expect(model.predictSync(samples, RATE, 0).scores).toHaveLength(smallSettings().labels.length);
  });

  it('within a call, by a getter, does no harm', () => {
    const model = makeModel();
    const store = new (native().FeatureStore)(model, 1);
    const clip = {
      samples,
      label: 0,
      get sampleRate() {
        model.close();
        return RATE;
      },
    };
    return expect(store.add([clip])).resolves.toBeUndefined();
  });
});

it.each(['close', 'drop'])('models in a loop stay flat: %s', { timeout: 60_000 }, async (how) => {
  const child = await runChild('models-in-a-loop.mjs', [how], ['--expose-gc']);
  expect(child).toMatchObject(CLEAN);
  // 120 models hold 600 MB, one 5.
  expect(Number(child.stdout)).toBeLessThan(how === 'close' ? 40 : 200);
});
