import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelFile, writeModelFile } from '../lib/files/model-file.js';
import {
  changeSettings,
  createModel,
  evaluate,
  loadModel,
  type Model,
  type ModelSettings,
  presetSettings,
  readAudio,
  train,
} from '../lib/index.js';
import { validateSettings } from '../lib/settings/validate.js';
import { readSavedRun } from '../lib/training/saved-run.js';
import { smallSettings } from './helpers/model.js';
import {
  convolutionSettings,
  DIGITS,
  quickSettings,
  quickTraining,
  SAMPLES,
  stopWithin,
} from './helpers/training.js';

const TAIL = 3;
const FRAMES = 31;
/** From 16 to 31 frames of 20 ms. */
const files = ['0_awb_0', '3_slt_0', '6_kal_0', '7_kal_0', '8_rms_0', '9_rms_0'].map((name) =>
  join(SAMPLES, `${name}.wav`),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-length-'));
});
afterAll(() => rm(folder, { recursive: true }));

const encodings: ModelSettings['encoding'][] = [
  { type: 'direct', stepsPerFrame: 1 },
  { type: 'rate', stepsPerFrame: 3 },
];

/** Frames that a clip has itself: one every hop, with one at each end. */
async function ownFrames(file: string, { sampleRate, frontend }: ModelSettings): Promise<number> {
  const audio = await readAudio(file);
  const length = Math.ceil((audio.samples.length * sampleRate) / audio.sampleRate);
  return 1 + Math.floor(length / frontend.hopLength);
}

describe.each(encodings)('with a tail and the $type encoding', (encoding) => {
  const scaling = { type: 'min-max', over: 'clip', pooled: true } as const;
  const settings = { ...convolutionSettings(), frames: FRAMES, tail: TAIL, encoding, scaling };
  let model: Model;
  beforeAll(async () => {
    model = await createModel(settings, { seed: 4, threads: 3 });
  });

  it('predict, predictSync, predictBatch, observe and evaluate give a clip the same bits', async () => {
    const batch = await model.predictBatch(files);
    for (const [i, file] of files.entries()) {
      const expected = await model.predict(file);
      expect(model.predictSync(readFileSync(file))).toEqual(expected);
      expect(batch[i]).toEqual(expected);
      expect(await model.observe(file)).toMatchObject(expected);
    }
    const { predictions } = await evaluate({ data: SAMPLES, model, split: 'all' });
    for (const { file, predicted, scores } of predictions) {
      expect(await model.predict(file)).toMatchObject({ label: predicted, scores });
    }
  });

  it('a clip has its own frames and the tail, at most so many, and rates of its own steps', async () => {
    const lengths = new Set<number>();
    for (const file of files) {
      const own = await ownFrames(file, settings);
      const frames = Math.min(own + TAIL, FRAMES);
      const steps = frames * encoding.stepsPerFrame;
      const { features, input, layers, firingRates } = await model.observe(file);
      expect(features).toMatchObject({ frames, features: 12 });
      expect(features.data).toHaveLength(frames * 12);
      expect(input).toMatchObject({ steps, channels: 12 });
      expect(input.data).toHaveLength(steps * 12);
      const silent = features.data.subarray(Math.min(own, FRAMES) * 12);
      expect(silent.every((value) => value === 0)).toBe(true);
      for (const [k, { neurons, spikes, potential }] of layers.entries()) {
        expect(spikes).toHaveLength(steps * neurons);
        expect(potential).toHaveLength(steps * neurons);
        const fired = spikes.reduce((sum, s) => sum + (s > 0 ? 1 : 0), 0);
        expect(fired / (steps * neurons)).toBeCloseTo(firingRates[k]!, 9);
      }
      lengths.add(frames);
    }
    expect(lengths.size).toBeGreaterThan(2);
    expect(lengths).toContain(FRAMES);
  });

  it("an evaluation's firing rates are those of all steps of all clips", async () => {
    const { firingRates, predictions } = await evaluate({ data: SAMPLES, model, split: 'all' });
    let steps = 0;
    const spikes = firingRates.map(() => 0);
    for (const { file } of predictions) {
      const { features, firingRates: rates } = await model.observe(file);
      const own = features.frames * encoding.stepsPerFrame;
      steps += own;
      for (const [k, rate] of rates.entries()) spikes[k]! += rate * own;
    }
    for (const [k, rate] of firingRates.entries()) expect(rate).toBeCloseTo(spikes[k]! / steps, 9);
  });
});

describe('a clip that is longer than `frames`', () => {
  const settings = { ...convolutionSettings(), frames: 20, tail: 2 };
  settings.scaling = { type: 'peak', over: 'clip', pooled: true };
  settings.frontend = { ...settings.frontend, topDb: 60 };
  const seven = async () => (await readAudio(join(SAMPLES, '7_kal_0.wav'))).samples.slice(0, 18 * 160);

  it('is heard where it is loudest, however much silence is before and after', async () => {
    const model = await createModel(settings, { seed: 2 });
    const word = await seven();
    // Whole hops, so that the frames fall on the same samples; as many as the word has not filled are silence.
    const within = (before: number, after: number) => {
      const samples = new Float32Array(before * 160 + word.length + after * 160);
      samples.set(word, before * 160);
      return { samples, sampleRate: 8000 };
    };
    const loudest = async (before: number, after: number) =>
      (await model.observe(within(before, after))).features;
    const last = await loudest(60, 40);
    expect(last.frames).toBe(20);
    expect(await loudest(200, 40)).toEqual({ ...last, first: last.first + 140 });
    expect(await loudest(60, 1000)).toEqual(last); // All of the word, which fills most of what the model hears.
    expect(last.first).toBeGreaterThanOrEqual(58);
    expect(last.first).toBeLessThan(64);
    // A hop is 20 ms; frame i is that around sample 160 i.
    const { heard, ...found } = await model.predict(within(60, 40));
    expect(heard!.start).toBeCloseTo(0.02 * (last.first - 0.5), 9);
    expect(heard!.end).toBeGreaterThan(0.02 * (last.first + 14));
    expect(heard!.end).toBeLessThan(0.02 * (last.first + 20));
    expect(heard!.of).toBe(within(60, 40).samples.length / 8000);
    const { heard: later, ...same } = await model.predict(within(3000, 400));
    expect(same).toEqual(found);
    expect(later!.start).toBeCloseTo(heard!.start + 0.02 * 2940, 9);
    expect(model.predictSync(within(60, 40))).toEqual({ ...found, heard });
    expect((await model.predictBatch([within(60, 40)]))[0]).toEqual({ ...found, heard });
    expect((await model.observe(within(60, 40))).heard).toEqual(heard);
  });

  it('is heard whole up to as many frames as the model hears', async () => {
    const model = await createModel(settings, { seed: 2 });
    const heard = async (length: number) => {
      const samples = Float32Array.from({ length }, (_, i) => Math.sin(i / 3));
      return (await model.predict({ samples, sampleRate: 8000 })).heard;
    };
    for (const length of [2, 18 * 160, 20 * 160 - 1]) {
      expect(await heard(length)).toEqual({ start: 0, end: length / 8000, of: length / 8000, more: false });
    }
    // One frame more: it is that around the last sample.
    expect((await heard(20 * 160))!.end).toBeLessThan(0.4);
  });

  it('is cut at its end without a tail', async () => {
    const fixed = await createModel({ ...settings, tail: null }, { seed: 2 });
    const long = new Float32Array(100 * 160);
    long.set(await seven(), 60 * 160);
    const { features } = await fixed.observe({ samples: long, sampleRate: 8000 });
    expect(features).toMatchObject({ first: 0, frames: 20 });
    expect(features.data.every((value) => value === 0)).toBe(true);
    const { heard } = await fixed.predict({ samples: long, sampleRate: 8000 });
    expect(heard).toEqual({ start: 0, end: expect.closeTo(0.02 * 19.5, 9), of: 2, more: true });
  });

  it('is told of by a training set that scales the features, too', async () => {
    const scaling = { type: 'standard', over: 'training-set', pooled: true } as const;
    const model = await createModel({ ...settings, scaling }, { seed: 2 });
    const samples = new Float32Array(100 * 160);
    samples.set(await seven(), 60 * 160);
    const expected = await model.predict({ samples, sampleRate: 8000 });
    expect(expected.heard!.start).toBeGreaterThan(0.9);
    expect(await model.predictBatch([{ samples, sampleRate: 8000 }])).toEqual([expected]);
  });
});

describe('the setting', () => {
  const settings = smallSettings();

  it.each([
    ['a negative number', -1],
    ['a fraction', 1.5],
    ['too many frames', 200_001],
    ['a string', '8'],
    ['true', true],
    ['NaN', Number.NaN],
  ])('is refused by its path where it is %s', (_, tail) => {
    const wrong = () => validateSettings({ ...settings, tail }, 'settings');
    expect(wrong).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
    expect(wrong).toThrow('settings.tail');
  });

  it('is left out where it is null, and kept where it is 0', () => {
    expect(validateSettings({ ...settings, tail: null }, '')).toEqual(settings);
    expect(validateSettings({ ...settings, tail: 0 }, '')).toEqual({ ...settings, tail: 0 });
  });

  it('is saved and loaded', async () => {
    const model = await createModel(quickSettings({ frames: FRAMES, tail: 5 }), { seed: 1 });
    const path = join(folder, 'tail.safetensors');
    await model.save(path);
    const loaded = await loadModel(path);
    expect(loaded.settings.tail).toBe(5);
    expect(await loaded.predictBatch(files)).toEqual(await model.predictBatch(files));
  });

  it('covers the same time at another frame rate', () => {
    const base = presetSettings('default', DIGITS);
    const { frames, tail, frontend } = changeSettings(base, { framesPerSecond: 125 });
    expect(frontend.hopLength).toBe(base.frontend.hopLength / 2);
    expect([frames, tail]).toEqual([2 * base.frames, 2 * base.tail!]);
    expect(changeSettings(quickSettings(), { framesPerSecond: 100 })).not.toHaveProperty('tail');
  });
});

describe('a training', () => {
  const settings = quickSettings({ frames: FRAMES, tail: TAIL });

  it('with a tail gives the same bits on any number of threads, and its firing rates are shares', async () => {
    const options = quickTraining({ settings, seed: 6, threads: 1 });
    const one = await train(options);
    const five = await train({ ...options, threads: 5 });
    expect(five.model.parameters()).toEqual(one.model.parameters());
    expect(five.test).toEqual(one.test);
    expect(five.epochs.map(({ firingRates }) => firingRates)).toEqual(
      one.epochs.map(({ firingRates }) => firingRates),
    );
    for (const { firingRates } of one.epochs) {
      for (const rate of firingRates) expect(rate > 0 && rate < 1).toBe(true);
    }
    const fixed = await train({ ...options, settings: { ...settings, tail: null } });
    expect(fixed.model.parameters()).not.toEqual(one.model.parameters());
  });

  it('goes on from a checkpoint of before there were steps, to the same bits and firing rates', async () => {
    const options = quickTraining({ settings: quickSettings(), schedule: 'constant', epochs: 3, seed: 6 });
    const whole = await train(options);
    const checkpoint = join(folder, 'old.checkpoint');
    await stopWithin(2, { ...options, checkpoint });
    const { state: before } = await readSavedRun(checkpoint);
    expect(before.position.steps).toBe(before.position.clips * 30);
    const file = await readModelFile(checkpoint);
    const json = structuredClone(file.state!.json) as { position: { steps?: number }; pending: unknown };
    delete json.position.steps;
    await writeModelFile(checkpoint, { ...file, state: { ...file.state!, json } });
    expect((await readSavedRun(checkpoint)).state).toEqual(before);
    const resumed = await train({ ...options, resume: checkpoint });
    expect(resumed.model.parameters()).toEqual(whole.model.parameters());
    const rates = ({ epochs }: typeof whole) => epochs.map(({ firingRates }) => firingRates);
    expect(rates(resumed)).toEqual(rates(whole));
  });
});
