import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOldSettings, migrateSettings } from '../lib/files/migrations.js';
import { createModel, loadModel, presetSettings, train } from '../lib/index.js';
import { validateSettings } from '../lib/settings/validate.js';
import { DIGITS, SAMPLES } from './helpers/training.js';

/** Files that version 0.1.0 wrote: settings with fields that their choices ignore, and values refused today. */
const FILES = resolve('test/fixtures/0.1.0');
const NAMES = ['convolution', 'counting'] as const;

interface Expected {
  /** Of samples/7_kal_0.wav, by that version. */
  scores: number[];
  /** Sums of the magnitudes of the parameters. */
  sums: Record<string, number>;
}
const expected: Record<string, Expected> = JSON.parse(readFileSync(join(FILES, 'expected.json'), 'utf8'));
const jsonOf = (name: string) => JSON.parse(readFileSync(join(FILES, `${name}.settings.json`), 'utf8'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-old-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(NAMES)('the %s files of version 0.1.0', (name) => {
  it('the model loads, answers as it did, and is the same when written and read again', async () => {
    const model = await loadModel(join(FILES, `${name}.safetensors`));
    const { scores } = await model.predict(join(SAMPLES, '7_kal_0.wav'));
    const copy = join(folder, `${name}.safetensors`);
    await model.save(copy);
    const again = await loadModel(copy);
    expect(again.settings).toEqual(model.settings);
    expect(again.parameters()).toEqual(model.parameters());
    const values = Object.values(scores);
    for (const [i, score] of expected[name]!.scores.entries()) expect(values[i]).toBeCloseTo(score, 3);
    for (const [parameter, { data }] of model.parameters()) {
      const sum = data.reduce((total, value) => total + Math.abs(value), 0);
      expect(sum).toBeCloseTo(expected[name]!.sums[parameter]!, 3);
    }
  });

  it('the checkpoint goes on to the model that that version trained', async () => {
    const { model, epochs } = await train({
      data: SAMPLES,
      resume: join(FILES, `${name}.checkpoint.safetensors`),
      device: 'cpu',
    });
    expect(epochs).toHaveLength(2);
    for (const [parameter, { data }] of model.parameters()) {
      const sum = data.reduce((total, value) => total + Math.abs(value), 0);
      const was = expected[name]!.sums[parameter]!;
      expect(Math.abs(sum - was)).toBeLessThan(1e-3 * Math.max(1, was));
    }
  });

  it('the settings are known for old ones, and lose what has no effect', () => {
    const json = jsonOf(name);
    expect(isOldSettings(json)).toBe(true);
    const now = migrateSettings(json, 1) as typeof json;
    expect(now.encoding).not.toHaveProperty('threshold');
    expect(now.network.readout.type === 'spike-count').toBe(!('decay' in now.network.readout));
    const read = { ...now, labels: DIGITS };
    expect(() => validateSettings(read, '', undefined, { stored: true })).not.toThrow();
  });
});

it('values that make no sense load from old files, but are refused where they are given', async () => {
  const { settings } = await loadModel(join(FILES, 'convolution.safetensors'));
  expect(settings.network.layers[2]).toMatchObject({ threshold: 0, decay: 1.25 });
  await expect(createModel(settings)).rejects.toThrow(
    'settings.network.layers[2].decay is 1.25; it must be a number from 0 to 1 (default: 0.8; preset original: 0.75).',
  );
});

it('settings of this version are not taken for old ones', () => {
  for (const preset of ['default', 'original'])
    expect(isOldSettings(presetSettings(preset, DIGITS))).toBe(false);
  for (const value of [null, [], 1, {}, { network: { layers: [null] } }])
    expect(isOldSettings(value)).toBe(false);
});
