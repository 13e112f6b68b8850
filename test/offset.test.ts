import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CONDITIONS, disturb } from '../lib/evaluation/robustness.js';
import { type Audio, loadModel, type Model, readAudio } from '../lib/index.js';
import { native } from '../lib/native/load.js';
import { DEFAULT_AUGMENTATION } from '../lib/settings/augmentation.js';

// A constant that a microphone adds to every sample changes nothing: features, labels, augmented clips, disturbances.

const OFFSETS = [0.07, 0.3, -0.3];
let model: Model;
let clips: Audio[];

beforeAll(async () => {
  model = await loadModel();
  const files = readdirSync('samples').filter((name) => name.endsWith('.wav'));
  clips = await Promise.all(files.slice(0, 30).map((name) => readAudio(join('samples', name))));
});

const raised = ({ samples, sampleRate }: Audio, offset: number): Audio => ({
  samples: samples.map((x) => x + offset),
  sampleRate,
});

describe.each(OFFSETS)('an offset of %d', (offset) => {
  it('changes no feature by more than 1e-4, and no label', () => {
    const { frontend } = model.settings;
    for (const clip of clips) {
      const at = (audio: Audio) => native().features(audio.samples, audio.sampleRate, frontend).data;
      const [plain, lifted] = [at(clip), at(raised(clip, offset))];
      const largest = Math.max(...plain.map((x, i) => Math.abs(x - lifted[i]!)));
      expect(largest / frontend.topDb!).toBeLessThan(1e-4);
      expect(model.predictSync(raised(clip, offset)).label).toBe(model.predictSync(clip).label);
    }
  });

  it('leaves augmented clips as they are', async () => {
    // Noise, gain and silence are drawn alike: the losses differ by what rounding does to a few spikes.
    const lossOf = async (audio: Audio[]) => {
      const store = new (native().FeatureStore)(model.native, 2);
      await store.add(
        audio.map(({ samples, sampleRate }, i) => ({ samples, sampleRate, label: i % 10, augmented: true })),
      );
      await store.fit(new Int32Array(), true);
      const numbers = Int32Array.from(audio.keys());
      return (await store.evaluate(numbers, 3, 0, DEFAULT_AUGMENTATION)).loss;
    };
    // At the model's own rate, so that nothing is resampled.
    const own = clips.map(({ samples, sampleRate }) => ({
      samples: native().resample(samples, sampleRate, model.settings.sampleRate),
      sampleRate: model.settings.sampleRate,
    }));
    const plain = await lossOf(own);
    const lifted = await lossOf(own.map((clip) => raised(clip, offset)));
    expect(Math.abs(lifted - plain) / plain).toBeLessThan(0.01);
  });

  it('is no part of what the conditions of robustness set noise and silence against', () => {
    for (const condition of CONDITIONS) {
      const [plain, lifted] = [clips[0]!, raised(clips[0]!, offset)].map((clip) =>
        disturb(condition, clip, 'clip', 1),
      );
      const largest = Math.max(...plain!.samples.map((x, i) => Math.abs(x - lifted!.samples[i]!)));
      expect(largest, condition.name).toBeLessThan(1e-5);
    }
  });
});
