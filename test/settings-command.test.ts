import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presetSettings, settingsSchema } from '../lib/index.js';
import { assign, mergeSettings, placeOf, readAssignment } from '../lib/settings/paths.js';
import { validateSettings } from '../lib/settings/validate.js';
import { resolveRunOptions } from '../lib/training/recipe.js';
import { run, runJson } from './helpers/cli.js';
import { DIGITS } from './helpers/training.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-settings-'));
});
afterAll(() => rm(folder, { recursive: true }));

const settings = (...args: string[]) => run(['settings', ...args], { cwd: folder });

describe('names of --set', () => {
  it.each([
    ['surrogate', 'network.layers.*.spike.surrogate'],
    ['layers.*.threshold', 'network.layers.*.threshold'],
    ['network.layers.2.threshold', 'network.layers.2.threshold'],
    ['readout.decay', 'network.readout.decay'],
    ['encoding', 'encoding.type'],
    ['frames', 'frames'],
  ])('%s is %s', (name, path) => expect(placeOf(name).path).toBe(path));

  it.each([
    ['surrogat=atan', 'There is no setting surrogat. Did you mean surrogate?'],
    ['threshold=4', 'threshold names 2 fields: encoding.threshold, network.layers.*.threshold.'],
    ['surrogate=atn', 'surrogate is "atn"; it must be \'fast-sigmoid\' or'],
    ['surrogate=atn', "Did you mean 'atan'?"],
    ['frames=many', 'frames is "many"; it must be an integer from 1 to 200000'],
    ['constrain=1', 'constrain is "1"; it must be true or false'],
    ['surrogate', 'sets nothing; write NAME=VALUE'],
    ['labels=a', 'There is no setting labels.'],
  ])('%s is refused', (text, message) => {
    expect(() => readAssignment(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
    expect(() => readAssignment(text)).toThrow(message);
  });
});

describe('fields that are set', () => {
  const set = (preset: string, ...texts: string[]) =>
    validateSettings(assign(presetSettings(preset, DIGITS), texts.map(readAssignment)), '');

  it('change all layers, or one', () => {
    const changed = set('default', 'layers.*.threshold=4', 'layers.1.decay=0.5', 'surrogate=atan');
    const layers = changed.network.layers as { threshold: number; decay: number; spike: object }[];
    expect(layers.map(({ threshold }) => threshold)).toEqual([4, 4, 4, 4]);
    expect(layers.map(({ decay }) => decay)).toEqual([0.8, 0.5, 0.8, 0.8]);
    expect(layers[3]!.spike).toEqual({ type: 'hard', surrogate: 'atan', slope: 1 });
  });

  it('leave the layers alone that do not use them, and remove what a choice does not use', () => {
    const changed = set('default', 'layers.3.neuron=relu', 'layers.*.threshold=4');
    expect(changed.network.layers[3]).not.toHaveProperty('threshold');
    expect(changed.network.layers[3]).not.toHaveProperty('adaptation');
    expect(changed.network.layers[0]).toMatchObject({ threshold: 4 });
    expect(set('default', 'scaling=none').scaling).toEqual({ type: 'none' });
  });

  it('are refused where nothing uses them, or there is no such layer', () => {
    expect(() => set('original', 'surrogate=atan')).toThrow("only type 'hard' uses it");
    expect(() => set('default', 'layers.7.decay=0.5')).toThrow('There is no layer 7');
    expect(() => set('default', 'layers.*.decaySpread=0.3')).toThrow(
      'decay ± decaySpread stays within 0 and 1',
    );
  });
});

describe('settings of which some are given', () => {
  const over = (given: object) =>
    validateSettings(mergeSettings(presetSettings('default', DIGITS), given), '');

  it('are completed by the preset', () => {
    const usual = presetSettings('default', DIGITS);
    expect(over({})).toEqual(usual);
    expect(over({ frontend: { melBands: 32 }, scaling: { type: 'none' } })).toMatchObject({
      frontend: { ...usual.frontend, melBands: 32 },
      scaling: { type: 'none' },
    });
  });

  it('may not have fields that their choices do not use', () => {
    expect(() => over({ encoding: { threshold: 0.1 } })).toThrow(
      "encoding.threshold is 0.1; it must be left out, as only type 'latency' or 'delta' uses it",
    );
  });
});

describe('sonospike settings', () => {
  it.each(['default', 'original'])('prints those of the preset %s', async (preset) => {
    const { labels, ...own } = presetSettings(preset, DIGITS);
    const { status, stdout } = await settings('--preset', preset);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(own);
    const { document } = await runJson(['settings', '--preset', preset], { cwd: folder });
    expect(document).toEqual(own);
  });

  it('takes files of version 0.1.0 with fields that have no effect', async () => {
    const file = resolve('test/fixtures/0.1.0/counting.settings.json');
    const { document } = await runJson(['settings', '--settings', file], { cwd: folder });
    expect(document.encoding).toEqual({ type: 'rate', stepsPerFrame: 2 });
    expect(document.network.readout).toEqual({ type: 'spike-count' });
  });

  it('names the file and the field of a value that makes no sense', async () => {
    const file = join(folder, 'wrong.json');
    await writeFile(file, JSON.stringify({ network: { readout: { decay: 1.5 } } }));
    const { stderr } = await settings('--settings', file);
    expect(stderr).toContain(
      'wrong.json: network.readout.decay is 1.5; it must be a number from 0 to 1 (default: 0.9)',
    );
  });

  it('takes a file as Windows writes it: with a byte order mark, in UTF-8 or UTF-16', async () => {
    const text = Buffer.from('\ufeff{ "frames": 33 }', 'utf16le');
    const files = {
      'utf8.json': Buffer.from('\ufeff{ "frames": 33 }'),
      'utf16le.json': text,
      'utf16be.json': Buffer.from(text).swap16(),
    };
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(join(folder, name), bytes);
      const { document } = await runJson(['settings', '--settings', name], { cwd: folder });
      expect(document.frames).toBe(33);
    }
  });

  it('says so where there is no such key, and which was meant', async () => {
    await writeFile(join(folder, 'key.json'), '{ "fraems": 33 }');
    const { status, stderr } = await settings('--settings', 'key.json');
    expect([status, stderr]).toEqual([
      2,
      'sonospike: key.json: There is no key "fraems" in the settings; the keys are sampleRate, frontend, scaling, ' +
        'frames, tail, encoding, network, labels. Did you mean frames?\n',
    ]);
  });

  it('lists every setting in its help, and gives a schema', async () => {
    const { stdout } = await settings('--help');
    for (const path of ['sampleRate', 'encoding.threshold', 'network.layers.*.spike.surrogate'])
      expect(stdout).toContain(`  ${path}`);
    expect(JSON.parse((await settings('--schema')).stdout)).toEqual(settingsSchema());
    const { properties, required } = settingsSchema() as {
      properties: Record<string, object>;
      required: string[];
    };
    expect(properties.sampleRate).toMatchObject({ type: 'integer', minimum: 1000, maximum: 192_000 });
    expect(required).toEqual(['sampleRate', 'frontend', 'scaling', 'frames', 'encoding', 'network']);
  });
});

describe('the share of the warm-up', () => {
  it('is that of one-cycle, and refused with another schedule', () => {
    expect(resolveRunOptions({}, 'official')).toMatchObject({ schedule: 'one-cycle', warmupShare: 0.3 });
    expect(resolveRunOptions({ schedule: 'cosine' }, 'official')).not.toHaveProperty('warmupShare');
    expect(resolveRunOptions({ preset: 'original', schedule: 'one-cycle' }, 'official').warmupShare).toBe(
      0.3,
    );
    expect(() => resolveRunOptions({ schedule: 'cosine', warmupShare: 0.1 }, 'official')).toThrow(
      "warmupShare is 0.1; it must be left out, as only schedule 'one-cycle' uses it",
    );
    expect(() => resolveRunOptions({ epochs: 0 }, 'official')).toThrow(
      'epochs is 0; it must be an integer from 1 to 100000 (default: 24; preset original: 12).',
    );
  });
});

describe('a file with all settings', () => {
  it.each(['default', 'original'])(
    'of the preset %s comes back as it is, whatever --preset says',
    async (preset) => {
      const { stdout } = await settings('--preset', preset);
      await writeFile(join(folder, `${preset}.json`), stdout);
      for (const over of ['default', 'original']) {
        const again = await settings('--preset', over, '--settings', `${preset}.json`);
        expect(JSON.parse(again.stdout)).toEqual(JSON.parse(stdout));
      }
    },
  );
});
