import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawTensor } from '../lib/files/dtypes.js';
import {
  decodeModel,
  encodeModel,
  type ModelFile,
  readModelFile,
  writeModelFile,
} from '../lib/files/model-file.js';
import { encodeSafetensors, parseSafetensors, type Safetensors } from '../lib/files/safetensors.js';
import { presetSettings } from '../lib/settings/presets.js';
import { SonospikeError } from '../lib/support/errors.js';
import { needs } from './helpers/data.js';
import { concat, filledModel, smallSettings } from './helpers/model.js';
import { mutations } from './helpers/mutations.js';
import { op, pickle, torchFile } from './helpers/torch-file.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonospike-model-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const moment = { shape: [2], data: Float32Array.of(1, 2) };
const checkpoint: ModelFile = {
  ...filledModel(),
  state: { json: { epoch: 3, rng: [1, 2] }, tensors: new Map([['exp_avg.layers.0.bias', moment]]) },
};

const CONFIDENCE = {
  bias: -0.25,
  logOdds: 1.5,
  margin: 0,
  entropy: -0.5,
  threshold: 0.4,
  rejectRate: 0.02,
  clips: 100,
  right: 97,
};

describe('written and read again', () => {
  test.each<[string, ModelFile]>([
    ['a model', filledModel()],
    ['a checkpoint', checkpoint],
    ['a model of unknown origin', { ...filledModel(), training: null }],
    ['a model with a confidence', { ...filledModel(), confidence: CONFIDENCE }],
    ['the default preset', filledModel(presetSettings('default', ['yes', 'no']))],
    ['the original preset', filledModel(presetSettings('original', ['a', 'b', 'c']))],
  ])('%s is the same', async (_, model) => {
    const path = join(folder, 'model.safetensors');
    await writeModelFile(path, model);
    expect(await readModelFile(path)).toEqual(model);
  });

  test('shares no memory with the bytes', () => {
    const bytes = concat(encodeModel(filledModel()));
    const model = decodeModel(bytes);
    bytes.fill(0xff);
    expect(model.parameters).toEqual(filledModel().parameters);
  });

  test('the same model gives the same bytes', () => {
    expect(concat(encodeModel(checkpoint))).toEqual(concat(encodeModel(checkpoint)));
  });
});

/** As a file of before layers had a `connection`. */
function withoutConnections(model: ModelFile): ModelFile {
  const layers = model.settings.network.layers.map(({ connection, ...layer }) => layer);
  return { ...model, settings: { ...model.settings, network: { ...model.settings.network, layers } } };
}

test('delta weights of a file of before are brought into the order of the channels', () => {
  const name = 'layers.0.weight';
  const state = { json: {}, tensors: new Map([[`m.${name}`, filledModel().parameters.get(name)!]]) };
  const model = { ...filledModel(), state };
  const was = model.parameters.get(name)!.data;
  const read = decodeModel(concat(encodeModel(withoutConnections(model))));
  const now = read.parameters.get(name)!.data;
  // Of 4 features: 0 to 3 were the up channels, 4 to 7 the down channels.
  expect([...now.subarray(8, 16)]).toEqual([0, 4, 1, 5, 2, 6, 3, 7].map((i) => was[8 + i]));
  expect(read.state!.tensors.get(`m.${name}`)!.data).toEqual(now);
  expect(read.parameters.get('layers.1.weight')).toEqual(model.parameters.get('layers.1.weight'));
  expect(decodeModel(concat(encodeModel(read)))).toEqual(read);
  const direct = { type: 'direct', stepsPerFrame: 2 } as const;
  const other = filledModel({ ...smallSettings(), encoding: direct });
  expect(decodeModel(concat(encodeModel(withoutConnections(other)))).parameters).toEqual(other.parameters);
});

describe('a confidence that no training gives is refused', () => {
  test.each<[string, unknown]>([
    ['logOdds', -1],
    ['entropy', 0.5],
    ['threshold', 1.5],
    ['right', 101],
    ['bias', null],
    ['more', 1],
  ])('%s', (key, value) => {
    const wrong = { ...CONFIDENCE, [key]: value };
    const bytes = concat(encodeModel({ ...filledModel(), confidence: wrong }));
    const refusal = expect.objectContaining({
      code: 'ERR_MODEL_INVALID',
      message: expect.stringContaining(key),
    });
    expect(() => decodeModel(bytes, 'file')).toThrow(refusal);
  });
});

describe('a model that could not be read again is not written', () => {
  test.each<[string, (model: ModelFile) => void, string]>([
    ['NaN', (model) => model.parameters.get('layers.1.bias')!.data.fill(Number.NaN), 'layers.1.bias'],
    ['missing tensor', (model) => model.parameters.delete('readout.bias'), 'readout.bias'],
    ['unknown tensor', (model) => model.parameters.set('extra', moment), 'extra'],
    [
      'too few values',
      (model) => (model.parameters.get('readout.bias')!.data = new Float32Array(1)),
      'readout.bias',
    ],
  ])('%s', async (_, spoil, name) => {
    const path = join(folder, 'kept.safetensors');
    await writeModelFile(path, filledModel());
    const model = filledModel();
    spoil(model);
    const attempt = writeModelFile(path, model);
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'ERR_MODEL_INVALID' }));
    await expect(attempt).rejects.toThrow(name);
    expect(await readModelFile(path)).toEqual(filledModel());
  });
});

/** The bytes of a checkpoint of which something was changed. */
function altered(change: (file: Safetensors) => void): Uint8Array {
  const file = parseSafetensors(concat(encodeModel(checkpoint)));
  change(file);
  return concat(encodeSafetensors(file.metadata, file.tensors));
}

function alteredSettings(change: (settings: ReturnType<typeof smallSettings>) => void): Uint8Array {
  return altered(({ metadata }) => {
    const settings = smallSettings();
    change(settings);
    metadata.settings = JSON.stringify(settings);
  });
}

const wrongTensor: RawTensor = { dtype: 'F32', shape: [1], data: Float32Array.of(1) };
const wholeNumbers: RawTensor = { dtype: 'I32', shape: [2], data: Int32Array.of(0, 1) };

describe('refused with the name of the file and the fault', () => {
  test.each<[string, Uint8Array, string]>([
    [
      'another kind of safetensors',
      altered(({ metadata }) => delete metadata.format),
      'not one of sonospike',
    ],
    ['no version', altered(({ metadata }) => delete metadata.version), 'no format version'],
    ['no settings', altered(({ metadata }) => delete metadata.settings), 'settings is null'],
    [
      'settings not JSON',
      altered(({ metadata }) => (metadata.settings = '{')),
      'settings are not valid JSON',
    ],
    ['settings of an array', altered(({ metadata }) => (metadata.settings = '[]')), 'not a JSON object'],
    ['training of a number', altered(({ metadata }) => (metadata.training = '1')), 'not a JSON object'],
    [
      'a setting out of range',
      alteredSettings((s) => (s.network.layers[1]!.neurons = -1)),
      'layers[1].neurons is -1',
    ],
    [
      'settings for other weights',
      alteredSettings((s) => (s.network.layers[1]!.neurons = 5)),
      'layers.1.weight',
    ],
    ['tensor missing', altered(({ tensors }) => tensors.delete('scaling.scale')), 'scaling.scale is missing'],
    ['tensor unknown', altered(({ tensors }) => tensors.set('extra', wrongTensor)), 'extra'],
    ['wrong shape', altered(({ tensors }) => tensors.set('readout.decay', wrongTensor)), 'readout.decay'],
    ['wrong type', altered(({ tensors }) => tensors.set('readout.decay', wholeNumbers)), 'not of type F32'],
    [
      'NaN',
      altered(({ tensors }) => tensors.get('layers.0.decay')!.data.fill(Number.NaN as never)),
      'layers.0.decay',
    ],
    [
      'infinite state',
      altered(({ tensors }) =>
        tensors.get('state.exp_avg.layers.0.bias')!.data.fill(Number.POSITIVE_INFINITY as never),
      ),
      'exp_avg.layers.0.bias',
    ],
    ['state tensors without state', altered(({ metadata }) => delete metadata.state), 'no training state'],
    ['text', Buffer.from('This is not a model, but it is a file.'), 'header'],
    ['one byte', Buffer.of(1), 'only 1 bytes'],
    ['a zip of something else', Buffer.from('PK\u0003\u0004 and so on and so on'), 'no zip directory'],
    ['a .pt of something else', torchFile(pickle(op.dict({ epoch: op.int(1) }))), 'l1.threshold'],
    ['a .pt of a number', torchFile(pickle(op.int(1))), 'does not hold a dict'],
  ])('%s', async (_, content, fault) => {
    const path = join(folder, 'bad.safetensors');
    writeFileSync(path, content);
    const attempt = readModelFile(path);
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'ERR_MODEL_INVALID', file: path }));
    await expect(attempt).rejects.toThrow(path);
    await expect(attempt).rejects.toThrow(fault);
  });

  test.each([
    ['3', 'newer'],
    ['999', 'newer'],
    ['0', 'too old'],
  ])('format version %s', (version, advice) => {
    const bytes = altered(({ metadata }) => (metadata.version = version));
    const attempt = () => decodeModel(bytes, 'v.safetensors');
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_MODEL_VERSION', file: 'v.safetensors' }));
    expect(attempt).toThrow(advice);
  });

  test('a .pt that asks for os.system', async () => {
    const path = join(folder, 'evil.pt');
    writeFileSync(
      path,
      torchFile(pickle(op.global('os', 'system'), [...op.mark, ...op.text('true')], op.tuple, op.reduce)),
    );
    const attempt = readModelFile(path);
    await expect(attempt).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_PICKLE_FORBIDDEN', file: path }),
    );
    await expect(attempt).rejects.toThrow('os.system');
  });

  test('no file, an empty one, a folder', async () => {
    const code = (code: string) => expect.objectContaining({ code });
    await expect(readModelFile(join(folder, 'none'))).rejects.toThrow(code('ERR_FILE_NOT_FOUND'));
    writeFileSync(join(folder, 'empty'), '');
    await expect(readModelFile(join(folder, 'empty'))).rejects.toThrow(/empty is damaged .* it is empty/);
    mkdirSync(join(folder, 'folder'));
    await expect(readModelFile(join(folder, 'folder'))).rejects.toThrow(code('ERR_FILE_UNREADABLE'));
  });

  test.skipIf(process.platform === 'win32')('a device is not read from', async () => {
    const attempt = readModelFile('/dev/zero');
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'ERR_FILE_UNREADABLE' }));
  });
});

describe('damage anywhere gives a usable model or a typed error', () => {
  function check(bytes: Uint8Array): void {
    let model: ModelFile;
    try {
      model = decodeModel(bytes, 'damaged');
    } catch (error) {
      if (!(error instanceof SonospikeError)) throw error;
      expect(['ERR_MODEL_INVALID', 'ERR_MODEL_VERSION', 'ERR_PICKLE_FORBIDDEN']).toContain(error.code);
      return;
    }
    // Whatever is accepted is good enough to be written and read.
    expect(decodeModel(concat(encodeModel(model)))).toEqual(model);
  }

  test('in a checkpoint', () => {
    const good = concat(encodeModel(checkpoint));
    fc.assert(fc.property(mutations(good), check), { numRuns: 2000 });
  });

  test('in the JSON of its metadata', () => {
    const { metadata, tensors } = parseSafetensors(concat(encodeModel(checkpoint)));
    const settings = new TextEncoder().encode(metadata.settings);
    fc.assert(
      fc.property(mutations(settings), (damaged) => {
        const text = new TextDecoder().decode(damaged);
        check(concat(encodeSafetensors({ ...metadata, settings: text }, tensors)));
      }),
      { numRuns: 2000 },
    );
  });

  test('or by nothing of a model at all', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 1000 });
  });
});

const seed = needs('seed/parameters.pt');
describe.skipIf(seed.missing)("the original program's checkpoint", () => {
  test('loads as a model of the original preset and can be saved as one', async () => {
    const model = await readModelFile(seed.path);
    expect(model.settings).toEqual(presetSettings('original', [...'0123456789']));
    expect(model.training).toEqual({ preset: 'original', epoch: 2 });
    expect(decodeModel(concat(encodeModel(model)))).toEqual(model);
  });

  test('is told by its first bytes, not its name', async () => {
    const path = join(folder, 'renamed.safetensors');
    writeFileSync(path, readFileSync(seed.path));
    expect((await readModelFile(path)).settings.labels).toHaveLength(10);
  });
});
