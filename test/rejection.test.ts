import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise, power, SOUND_KINDS, sound } from '../lib/audio/signals.js';
import { measureRejection } from '../lib/evaluation/rejection.js';
import { CONDITIONS, disturb } from '../lib/evaluation/robustness.js';
import { type Augmentation, evaluate, loadModel, type Model, train } from '../lib/index.js';
import { Random } from '../lib/support/random.js';
import { quickTraining, SAMPLES } from './helpers/training.js';
import { pcm16, wav } from './helpers/wav.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-rejection-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('made signals', () => {
  it.each(SOUND_KINDS)(
    '%s is the same for the same seed, of one second, finite and within full scale',
    (kind) => {
      for (let i = 0; i < 10; i++) {
        const { samples, sampleRate } = sound(kind, 8000, new Random(`${i}`));
        expect(sampleRate).toBe(8000);
        expect(samples).toHaveLength(8000);
        expect(samples.every((x) => Math.abs(x) < 4)).toBe(true);
        expect(power(samples)).toBeGreaterThan(0);
        expect(sound(kind, 8000, new Random(`${i}`)).samples).toEqual(samples);
      }
      expect(sound(kind, 8000, new Random('a')).samples).not.toEqual(
        sound(kind, 8000, new Random('b')).samples,
      );
    },
  );

  it('tones are there at the least rate of a model', () => {
    for (let i = 0; i < 200; i++) {
      expect(power(sound('tones', 1000, new Random(`${i}`)).samples)).toBeGreaterThan(0);
    }
  });

  it('noise has a mean square of 1, and the coloured ones less of it at high frequencies', () => {
    // The mean square of the differences grows with the power at high frequencies: 2 for white noise.
    const roughness = (['white', 'pink', 'brown'] as const).map((colour) => {
      const samples = noise(1 << 16, colour, new Random(colour));
      expect(power(samples)).toBeCloseTo(1, 5);
      return power(samples.map((x, i) => (i === 0 ? 0 : x - samples[i - 1]!)));
    });
    expect(roughness[0]).toBeCloseTo(2, 1);
    expect(roughness[1]).toBeLessThan(1);
    expect(roughness[2]).toBeLessThan(0.01);
  });
});

describe('the conditions', () => {
  const clip = {
    // The second half mirrors the first, so that the clip has no mean, which a condition would take away.
    samples: Float32Array.from({ length: 8000 }, (_, i) =>
      i < 4000 ? 0.3 * Math.sin(i / 5) : -0.3 * Math.sin((7999 - i) / 5),
    ),
    sampleRate: 8000,
  };
  const under = (name: string, seed = 1) => {
    const condition = CONDITIONS.find((each) => each.name === name)!;
    return disturb(condition, clip, 'clip', seed);
  };

  it.each([20, 10, 0])('add noise of the ratio that they name: %i dB', (snr) => {
    for (const colour of ['white', 'pink']) {
      const { samples } = under(`${colour} noise at ${snr} dB`);
      const added = samples.map((x, i) => x - clip.samples[i]!);
      expect(10 * Math.log10(power(clip.samples) / power(added))).toBeCloseTo(snr, 2);
    }
  });

  it('depend on seed and clip alone', () => {
    const name = 'pink noise at 10 dB';
    expect(under(name)).toEqual(under(name));
    expect(under(name)).not.toEqual(under(name, 2));
  });

  it('change gain, offset, length and rate', () => {
    expect(under('gain +20 dB').samples[100]).toBeCloseTo(10 * clip.samples[100]!, 5);
    expect(Math.max(...under('gain +20 dB, clipped').samples)).toBe(1);
    expect(under('gain -20 dB').samples[100]).toBeCloseTo(clip.samples[100]! / 10, 6);
    expect(under('offset 0.1').samples[100]).toBeCloseTo(clip.samples[100]! + 0.1, 6);
    const before = under('100 ms silence before').samples;
    expect([before.length, before[799], before[900]]).toEqual([8800, 0, clip.samples[100]]);
    const after = under('100 ms silence after').samples;
    expect([after.length, after[100], after[8500]]).toEqual([8800, clip.samples[100], 0]);
    const resampled = under('at 16 kHz');
    expect([resampled.sampleRate, resampled.samples.length]).toEqual([16_000, 16_000]);
    expect(under('at 8 kHz')).toEqual(clip);
  });
});

describe('measureRejection', () => {
  const known = [
    { confidence: 0.9, rejected: false, right: true },
    { confidence: 0.8, rejected: false, right: false },
    { confidence: 0.4, rejected: true, right: true },
    { confidence: 0.7, rejected: false, right: true },
  ];
  const unknown = [
    { confidence: 0.3, rejected: true, kind: 'noise' },
    { confidence: 0.75, rejected: false, kind: 'tones' },
    { confidence: 0.1, rejected: true, kind: 'tones' },
  ];

  it('is what can be counted by hand', () => {
    const found = measureRejection(0.5, known, unknown);
    expect(found).toMatchObject({
      threshold: 0.5,
      known: { clips: 4, rejected: 0.25, accuracy: 2 / 3 },
      unknown: { clips: 3, accepted: 1 / 3, auroc: 10 / 12 },
      kinds: {
        noise: { clips: 1, accepted: 0, auroc: 1, confidence: 0.3 },
        tones: { clips: 2, accepted: 0.5, auroc: 6 / 8 },
      },
    });
  });

  it('is nothing without other sounds', () => {
    expect(measureRejection(0.5, known, [])).toBeNull();
  });
});

describe('a trained model', () => {
  let model: Model;
  let out: string;
  beforeAll(async () => {
    out = join(folder, 'model.safetensors');
    const options = quickTraining({ out, epochs: 6, learningRate: 0.02, validation: 0.4, rejectRate: 0.1 });
    ({ model } = await train(options));
  });

  it('has a confidence that its file keeps', async () => {
    expect(model.confidence).toMatchObject({ rejectRate: 0.1 });
    const loaded = await loadModel(out);
    expect(loaded.confidence).toEqual(model.confidence);
    await loaded.save(join(folder, 'copy.safetensors'));
    expect((await loadModel(join(folder, 'copy.safetensors'))).confidence).toEqual(model.confidence);
  });

  it('says the same of a clip whichever way it is asked', async () => {
    const found = await evaluate({ data: SAMPLES, model });
    const files = found.predictions.map(({ file }) => file);
    const batch = await model.predictBatch(files);
    for (const [i, { file, confidence, rejected }] of found.predictions.entries()) {
      expect(await model.predict(file)).toMatchObject({ confidence, rejected });
      expect(batch[i]).toMatchObject({ confidence, rejected });
      expect(rejected).toBe(confidence < model.confidence!.threshold);
    }
    const part = await evaluate({ data: SAMPLES, model, part: 'validation' });
    const right = part.predictions.filter(({ label, predicted }) => label === predicted);
    expect(right.filter(({ rejected }) => rejected)).toHaveLength(Math.floor(0.1 * right.length));
  });

  it('is measured against made sounds, a folder of sounds, and unknown clips of its dataset', async () => {
    const sounds = join(folder, 'sounds');
    await mkdir(join(sounds, 'dogs'), { recursive: true });
    const bark = sound('noise', 8000, new Random('bark')).samples.map((x) => 32767 * x);
    await writeFile(join(sounds, 'dogs', 'bark.wav'), wav(pcm16(bark)));
    await writeFile(join(sounds, 'dogs', 'broken.wav'), 'no sound');
    const words = join(folder, 'words');
    for (const name of (await readdir(SAMPLES)).filter((each) => /_(kal|slt)_0\.wav$/.test(each))) {
      const label = '89'.includes(name[0]!) ? '_unknown_' : name[0]!;
      await mkdir(join(words, label), { recursive: true });
      await copyFile(join(SAMPLES, name), join(words, label, name));
    }
    const found = await evaluate({ data: words, model, unknown: sounds });
    expect(found.clips).toBe(16);
    expect(found.unknown.map(({ label }) => label)).toEqual([
      '_unknown_',
      '_unknown_',
      '_unknown_',
      '_unknown_',
    ]);
    const counts = Object.entries(found.rejection!.kinds).map(([kind, { clips }]) => [kind, clips]);
    expect(Object.fromEntries(counts)).toEqual({
      dogs: 1,
      noise: 50,
      'other words': 4,
      silence: 50,
      tones: 50,
    });
    expect(found.rejection!.unknown.clips).toBe(155);
    expect(found.skipped.map(({ file }) => file)).toContain(join(sounds, 'dogs', 'broken.wav'));
    expect((await evaluate({ data: words, model })).rejection!.unknown.clips).toBe(4);
    expect((await evaluate({ data: words, model, unknown: sounds })).rejection).toEqual(found.rejection);
    const nowhere = evaluate({ data: words, model, unknown: join(folder, 'nowhere') });
    await expect(nowhere).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    // Digital silence is rejected, as predict does; a folder of nothing else too.
    await mkdir(join(folder, 'zeros'));
    await writeFile(join(folder, 'zeros', 'zero.wav'), wav(pcm16(new Float32Array(8000))));
    const quiet = await evaluate({ data: words, model, unknown: join(folder, 'zeros'), strict: true });
    expect(quiet.rejection!.kinds.zeros).toMatchObject({ clips: 1, accepted: 0, confidence: 0 });
    expect(quiet.skipped).toEqual([]);
  });

  it('is tested under every condition, the unchanged one giving the clean accuracy', async () => {
    const found = await evaluate({ data: SAMPLES, model, split: 'random:0.3', robustness: true });
    expect(found.robustness!.map(({ condition }) => condition)).toEqual(CONDITIONS.map(({ name }) => name));
    for (const { accuracy, difference, clips } of found.robustness!) {
      expect(clips).toBe(found.clips);
      expect(difference).toBeCloseTo(accuracy - found.accuracy, 12);
    }
    const again = await evaluate({ data: SAMPLES, model, split: 'random:0.3', robustness: true, threads: 1 });
    expect(again).toEqual(found);
  });
});

it('a few validation clips calibrate nothing, however often they are changed', async () => {
  const augmentation = { gain: [-6, 6] } satisfies Augmentation;
  const few = await train(quickTraining({ validation: 0.12, epochs: 1, augmentation }));
  expect(few.split).toMatch(/\b(8|9) validation|validation (8|9)\b/);
  expect(few.model.confidence).toBeNull();
});

it('a model whose file has no confidence gives the softmax of the label and rejects nothing', async () => {
  const { model } = await train(quickTraining({ validation: 0, epochs: 1 }));
  expect(model.confidence).toBeNull();
  const { confidence, rejected, softmax } = await model.predict(join(SAMPLES, '1_kal_0.wav'));
  expect([confidence, rejected]).toEqual([Math.max(...softmax), false]);
});
