import { beforeAll, describe, expect, it } from 'vitest';
import { train } from '../../lib/index.js';
import type { NativeFeatureStore, NativeModel, NativeTrainer } from '../../lib/native/addon.js';
import { native } from '../../lib/native/load.js';
import { resolveRunOptions, toNative } from '../../lib/training/recipe.js';
import { quickSettings, quickTraining } from '../helpers/training.js';

const CLIPS = 40;

function sound(seed: number): Float32Array {
  return Float32Array.from({ length: 8000 }, (_, i) => 0.5 * Math.sin((i * i) / (5e4 + 999 * seed)));
}

const clip = (i: number) => ({ samples: sound(i), sampleRate: 8000, label: i % 10 });

describe('two at once', () => {
  it('two trainings in one process give what each gives alone', async () => {
    const options = [quickTraining({ seed: 1 }), quickTraining({ seed: 2 })];
    const alone = [];
    for (const each of options) alone.push((await train(each)).model.parameters());
    const together = await Promise.all(options.map((each) => train(each)));
    expect(together.map(({ model }) => model.parameters())).toEqual(alone);
  });

  describe('on one model', () => {
    let model: NativeModel;
    let store: NativeFeatureStore;
    let trainer: NativeTrainer;
    const samples = sound(3);

    beforeAll(async () => {
      const settings = quickSettings();
      const layer = { ...settings.network.layers[0]!, neurons: 200 };
      const slow = { ...settings, network: { ...settings.network, layers: [layer, layer] } };
      model = new (native().Model)(slow, 2);
      model.initialise(1);
      store = new (native().FeatureStore)(model, 2);
      await store.add(Array.from({ length: CLIPS }, (_, i) => clip(i)));
      await store.fit(new Int32Array(), false);
      const options = toNative(
        resolveRunOptions({ batchSize: 4, epochs: 9, augmentation: null, negatives: 0 }, 'all'),
      );
      trainer = new (native().Trainer)(
        model,
        store,
        options,
        Int32Array.from({ length: CLIPS }, (_, i) => i),
      );
    });

    /** Once the other thread has begun, it holds the network until the epoch is over. */
    async function underWay(): Promise<void> {
      while (trainer.progress() % CLIPS === 0) await new Promise((next) => setImmediate(next));
    }

    const busy = expect.objectContaining({ code: 'ERR_BUSY' });

    it('everything that would touch a network in training is refused or waits', async () => {
      const running = trainer.runEpoch();
      expect(() => trainer.runEpoch()).toThrow(busy);
      expect(() => store.add([clip(1)])).toThrow(busy);
      expect(() => store.fit(new Int32Array(), true)).toThrow(busy);
      expect(() => store.evaluate(Int32Array.of(0), 0, 0)).toThrow(busy);
      expect(() => store.size()).toThrow(busy);
      const waiting = model.predict(samples, 8000, 0);
      await underWay();
      expect(() => model.predictSync(samples, 8000, 0)).toThrow(busy);
      expect(() => model.readParameters()).toThrow(busy);
      expect(() => model.readScaling()).toThrow(busy);
      expect(() => model.initialise(1)).toThrow(busy);
      expect(() => trainer.readState()).toThrow(busy);
      expect((await running).complete).toBe(true);
      expect((await waiting).scores).toHaveLength(10);
    });

    it('a prediction that waited gives the bits of the network as it is afterwards', async () => {
      const running = trainer.runEpoch();
      await underWay();
      const waiting = model.predict(samples, 8000, 0);
      await running;
      expect(await waiting).toEqual(model.predictSync(samples, 8000, 0));
    });

    it('a trainer is not made from features that are being changed', async () => {
      const adding = store.add([clip(5)]);
      const options = toNative(resolveRunOptions({}, 'all'));
      expect(() => new (native().Trainer)(model, store, options, Int32Array.of(0))).toThrow(busy);
      await adding;
      expect(store.size()).toBe(CLIPS + 1);
    });
  });
});
