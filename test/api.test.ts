import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../lib/audio/wav-writer.js';
import {
  createModel,
  loadModel,
  type Model,
  type ModelSettings,
  type Prediction,
  readAudio,
} from '../lib/index.js';
import { namedPrediction } from '../lib/model/prediction.js';
import { needs } from './helpers/data.js';
import { DIGITS, quickSettings, SAMPLES } from './helpers/training.js';

const seed = needs('seed/parameters.pt');
const seven = join(SAMPLES, '7_kal_0.wav');
const clips = ['0_awb_0', '3_slt_0', '7_kal_0', '9_rms_0'].map((name) => join(SAMPLES, `${name}.wav`));

let folder: string;
let model: Model;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-api-'));
  model = await loadModel();
});
afterAll(() => rm(folder, { recursive: true }));

function argmax(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** The clip's samples before any scaling; every shipped sample is mono 16-bit PCM. */
function int16Of(file: string): Int16Array {
  const bytes = readFileSync(file);
  const at = bytes.indexOf('data') + 8;
  const length = bytes.readUInt32LE(at - 4);
  return new Int16Array(new Uint8Array(bytes.subarray(at, at + length)).buffer);
}

describe('the same audio in another form gives the same bits', () => {
  let expected: Prediction;
  beforeAll(async () => {
    expected = await model.predict(seven);
  });

  it('as a URL', async () => {
    expect(await model.predict(pathToFileURL(seven))).toEqual(expected);
  });

  it('as a relative path', async () => {
    expect(await model.predict(seven.slice(resolve('.').length + 1))).toEqual(expected);
  });

  it('as a Buffer and as a Uint8Array in the middle of a larger one', async () => {
    const bytes = readFileSync(seven);
    const padded = new Uint8Array(bytes.length + 7);
    padded.set(bytes, 3);
    expect(await model.predict(bytes)).toEqual(expected);
    expect(await model.predict(padded.subarray(3, 3 + bytes.length))).toEqual(expected);
  });

  it('as Float32Array and Int16Array samples', async () => {
    const { samples, sampleRate } = await readAudio(seven);
    const integers = int16Of(seven);
    expect(integers).toHaveLength(samples.length);
    expect(await model.predict({ samples, sampleRate })).toEqual(expected);
    expect(await model.predict({ samples: integers, sampleRate })).toEqual(expected);
  });
});

describe('the ways to predict agree bit for bit', () => {
  it('predict, predictSync, predictBatch and observe', async () => {
    const batch = await model.predictBatch(clips);
    for (const [i, file] of clips.entries()) {
      const expected = await model.predict(file);
      expect(model.predictSync(readFileSync(file))).toEqual(expected);
      expect(batch[i]).toEqual(expected);
      expect(await model.observe(file)).toMatchObject(expected);
    }
  });

  it('in a batch on any number of threads, and in whatever company', async () => {
    const one = await loadModel(undefined, { threads: 1 });
    const five = await loadModel(undefined, { threads: 5 });
    const expected = await model.predictBatch(clips);
    expect(await one.predictBatch(clips)).toEqual(expected);
    expect(await five.predictBatch([...clips].reverse())).toEqual([...expected].reverse());
    expect(await model.predictBatch([])).toEqual([]);
  });

  it('when many are asked for at once', async () => {
    const expected = await model.predictBatch(clips);
    const asked = Array.from({ length: 40 }, (_, i) => model.predict(clips[i % clips.length]!));
    for (const [i, found] of (await Promise.all(asked)).entries()) {
      expect(found).toEqual(expected[i % clips.length]);
    }
  });
});

describe('a prediction', () => {
  it('has softmax values that sum to 1 and the label of the greatest', async () => {
    for (const { label, softmax, scores } of await model.predictBatch(clips)) {
      expect(softmax).toHaveLength(model.labels.length);
      expect(softmax.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
      expect(label).toBe(model.labels[argmax(softmax)]);
      expect(argmax(scores)).toBe(argmax(softmax));
    }
  });

  it('is right for most of the samples by the shipped model', async () => {
    const found = await model.predictBatch(clips);
    expect(found.map(({ label }) => label)).toEqual(['0', '3', '7', '9']);
  });
});

it('samples so large that their power would overflow are refused; the largest allowed give numbers', async () => {
  const loud = (peak: number) => ({
    samples: Float32Array.from({ length: 8000 }, (_, i) => peak * Math.sin(i / 3)),
    sampleRate: 8000,
  });
  await expect(model.predict(loud(1e30))).rejects.toMatchObject({ code: 'ERR_AUDIO_NOT_FINITE' });
  const { softmax } = await model.predict(loud(0.99e12));
  expect(softmax.every((p) => p >= 0 && p <= 1)).toBe(true);
});

it.each<[string, () => Model | Promise<Model>]>([
  ['the shipped model', () => model],
  ['clips that are all as long', async () => createModel({ ...model.settings, tail: null }, { seed: 1 })],
])('observe gives the sizes of the settings and the spikes of the firing rates: %s', async (_, make) => {
  const observed = await make();
  const { settings } = observed;
  const { features, input, layers, firingRates } = await observed.observe(seven);
  const { samples, sampleRate } = await readAudio(seven);
  const length = Math.ceil((samples.length * settings.sampleRate) / sampleRate);
  const own = 1 + Math.floor(length / settings.frontend.hopLength);
  const { tail } = settings;
  const frames = typeof tail === 'number' ? Math.min(own + tail, settings.frames) : settings.frames;
  const steps = frames * settings.encoding.stepsPerFrame;
  expect(features.frames).toBe(frames);
  expect(features.data).toHaveLength(features.frames * features.features);
  expect(input.steps).toBe(steps);
  expect(input.data).toHaveLength(steps * input.channels);
  expect(layers.map(({ neurons }) => neurons)).toEqual(settings.network.layers.map(({ neurons }) => neurons));
  for (const [k, { neurons, spikes, potential }] of layers.entries()) {
    expect(potential).toHaveLength(steps * neurons);
    expect(spikes).toHaveLength(steps * neurons);
    expect(spikes.reduce((sum, s) => sum + s, 0) / spikes.length).toBeCloseTo(firingRates[k]!, 6);
  }
});

describe('observe shows the potential of the readout', () => {
  const SMALL = { neurons: 10, connection: { type: 'dense', taps: 1, dilation: 1 } } as const;
  const withReadout = (type: ModelSettings['network']['readout']['type']) => {
    const { settings } = model;
    const layers = settings.network.layers.slice(0, 1).map((layer) => ({ ...layer, ...SMALL }));
    const readout = type === 'spike-count' ? { type } : { type, decay: 0.9, learnDecay: true };
    const network = { layers, readout };
    return createModel({ ...settings, network }, { seed: 3 });
  };
  const meanOf = (rows: number[][]) =>
    rows[0]!.map((_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / rows.length);
  const softmax = (row: number[]) => {
    const powers = row.map((o) => Math.exp(o - Math.max(...row)));
    return powers.map((power) => power / powers.reduce((sum, x) => sum + x, 0));
  };

  it.each([
    ['leaky-integrator', softmax],
    ['mean-potential', (row: number[]) => row],
  ] as const)('%s: its mean over time gives the scores', async (type, termOf) => {
    const { readout, scores, input } = await (await withReadout(type)).observe(seven);
    expect(readout?.classes).toBe(10);
    const rows = Array.from({ length: input.steps }, (_, t) =>
      Array.from(readout!.potential.subarray(10 * t, 10 * t + 10)),
    );
    expect(readout!.potential).toHaveLength(10 * input.steps);
    for (const [c, mean] of meanOf(rows.map(termOf)).entries()) expect(mean).toBeCloseTo(scores[c]!, 5);
  });

  it('spike-count: there is none', async () => {
    expect((await (await withReadout('spike-count')).observe(seven)).readout).toBeNull();
  });
});

it('save and load keep the bits and what the file says of the training', async () => {
  const path = join(folder, 'copy.safetensors');
  await model.save(path);
  const copy = await loadModel(path);
  expect(copy.settings).toEqual(model.settings);
  expect(copy.training).toEqual(model.training);
  expect(copy.parameters()).toEqual(model.parameters());
  expect(await copy.predictBatch(clips)).toEqual(await model.predictBatch(clips));
});

it('parameters are copies: writing to them changes nothing', async () => {
  const expected = await model.predict(seven);
  for (const { data } of model.parameters().values()) data.fill(0);
  expect(await model.predict(seven)).toEqual(expected);
});

describe('digital silence', () => {
  const quiet = { samples: new Float32Array(4000), sampleRate: 8000 };
  const constant = { samples: new Int16Array(4000).fill(-7), sampleRate: 8000 };
  const silent = () => {
    const softmax = Array(10).fill(0.1);
    return {
      label: '_silence_',
      confidence: 0,
      rejected: true,
      silent: true,
      softmax,
      ranked: DIGITS.map((label) => ({ label, softmax: 0.1 })),
      scores: Array(10).fill(0),
      firingRates: model.settings.network.layers.map(() => 0),
      heard: null,
    };
  };

  it('is rejected by predict and predictSync, as samples, as bytes and as a file', async () => {
    const file = join(folder, 'silence.wav');
    const bytes = encodeWav(quiet.samples, 8000);
    writeFileSync(file, bytes);
    for (const input of [quiet, constant, bytes, file]) expect(await model.predict(input)).toEqual(silent());
    for (const input of [quiet, constant, bytes]) expect(model.predictSync(input)).toEqual(silent());
  });

  it('keeps its place among the clips of predictBatch', async () => {
    const found = await model.predictBatch([quiet, clips[0]!, constant, clips[1]!, quiet]);
    const [first, second] = [await model.predict(clips[0]!), await model.predict(clips[1]!)];
    expect(found).toEqual([silent(), first, silent(), second, silent()]);
    expect(await model.predictBatch([quiet, quiet])).toEqual([silent(), silent()]);
  });

  it('is an error of observe, which has nothing to show, and of a clip that is no audio at all', async () => {
    await expect(model.observe(quiet)).rejects.toMatchObject({ code: 'ERR_AUDIO_SILENT' });
    const wrong = { samples: new Float32Array(4000).fill(Number.NaN), sampleRate: 8000 };
    await expect(model.predictBatch([quiet, wrong])).rejects.toMatchObject({ code: 'ERR_AUDIO_NOT_FINITE' });
  });
});

it('the first clip with more sound than the model hears gives a warning, which says what was left out', async () => {
  const warnings: (Error & { code?: string })[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on('warning', listen);
  const samples = Float32Array.from({ length: 24_000 }, (_, i) => 0.3 * Math.sin(i * i));
  const { heard } = await model.predict({ samples, sampleRate: 8000 });
  await model.predictBatch([{ samples, sampleRate: 8000 }]);
  await new Promise(setImmediate);
  process.off('warning', listen);
  const { start, end } = heard!;
  expect(end - start).toBeGreaterThan(0.8);
  expect(end - start).toBeLessThan(1.03);
  expect(heard!.more).toBe(true);
  expect(warnings.map(({ name, code }) => [name, code])).toEqual([
    ['SonospikeWarning', 'SONOSPIKE_CLIP_LONGER'],
  ]);
  expect(warnings[0]!.message).toContain(
    `A clip of 3.00 s is longer than the model hears: it heard ${start.toFixed(2)} to ${end.toFixed(2)} s`,
  );
});

it('ranked has every label with its softmax, the predicted one first', async () => {
  for (const { label, softmax, ranked } of await model.predictBatch(clips)) {
    expect(ranked[0]!.label).toBe(label);
    expect(ranked.map((of) => of.softmax)).toEqual([...softmax].sort((a, b) => b - a));
    for (const of of ranked) expect(of.softmax).toBe(softmax[model.labels.indexOf(of.label)]);
  }
  const equal = namedPrediction(
    { labels: ['a', 'b', 'c'], settings: model.settings },
    {
      best: 1,
      confidence: 0.4,
      rejected: false,
      probabilities: Float32Array.of(0.4, 0.4, 0.2),
      scores: new Float32Array(3),
      firingRates: [],
      firstFrame: 0,
      heardFrames: 9,
      ownFrames: 9,
      moreToHear: false,
    },
    0.5,
  );
  expect(equal.ranked.map(({ label }) => label)).toEqual(['b', 'a', 'c']);
});

describe('createModel', () => {
  it('draws its weights from the seed', async () => {
    const weights = async (seed: number) => (await createModel(quickSettings(), { seed })).parameters();
    const first = await weights(1);
    expect(await weights(1)).toEqual(first);
    expect(await weights(2)).not.toEqual(first);
  });

  it('predicts, saves and loads with the scaling of a training set that it has not seen yet', async () => {
    const scaling = { type: 'standard', over: 'training-set', pooled: false } as const;
    const fresh = await createModel(quickSettings({ scaling }));
    const path = join(folder, 'fresh.safetensors');
    await fresh.save(path);
    const found = await fresh.predict(seven);
    expect(DIGITS).toContain(found.label);
    expect(found.softmax.every(Number.isFinite)).toBe(true);
    expect(await (await loadModel(path)).predict(seven)).toEqual(found);
  });

  it.each([
    ['settings', () => createModel({ ...quickSettings(), frames: 0 })],
    ['seed', () => createModel(quickSettings(), { seed: -1 })],
    ['threads', () => createModel(quickSettings(), { threads: 0 })],
  ])('refuses wrong %s', async (_, call) => {
    await expect(call()).rejects.toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
  });
});

describe.skipIf(seed.missing)('the draws of the rate encoding', () => {
  it('are the same for the same seed and others for another', async () => {
    const original = await loadModel(seed.path);
    const input = async (number: number) => (await original.observe(seven, { seed: number })).input.data;
    expect(await input(5)).toEqual(await input(5));
    expect(await input(5)).not.toEqual(await input(6));
    const first = await original.predict(seven, { seed: 5 });
    expect(await original.predict(seven, { seed: 5 })).toEqual(first);
    expect(original.predictSync(readFileSync(seven), { seed: 5 })).toEqual(first);
    expect((await original.predictBatch([seven], { seed: 5 }))[0]).toEqual(first);
    expect(await original.predict(seven, { seed: 6 })).not.toEqual(first);
  });
});
