import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSafetensors } from '../lib/files/safetensors.js';
import { parseOriginalCheckpoint } from '../lib/files/torch/original-program.js';
import { parseTorchFile, TorchTensor } from '../lib/files/torch/torch-pickle.js';
import { unpickle } from '../lib/files/torch/unpickle.js';
import { presetSettings } from '../lib/settings/presets.js';
import { parameterShapes } from '../lib/settings/shapes.js';
import { SonospikeError } from '../lib/support/errors.js';
import { needs } from './helpers/data.js';
import { mutations } from './helpers/mutations.js';
import { op, pickle, storedZip, tensorOps, torchFile } from './helpers/torch-file.js';

const sixFloats = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
const bare = { file: undefined, globals: new Map(), persistentLoad: () => null };

function tensor(options: Partial<Parameters<typeof tensorOps>[0]>) {
  return tensorOps({ elements: 6, shape: [6], strides: [1], ...options });
}

function parse(...operations: (readonly number[])[]) {
  return parseTorchFile(torchFile(pickle(...operations), { 0: sixFloats }), 'a.pt');
}

function invalid(fault: string) {
  return expect.objectContaining({
    code: 'ERR_MODEL_INVALID',
    file: 'a.pt',
    message: expect.stringContaining(fault),
  });
}

describe('values', () => {
  test('dicts, numbers, strings, None and booleans', () => {
    const root = parse(
      op.dict({ n: op.int(-5), x: op.float(0.1), s: op.text('ü'), none: op.none, no: op.false }),
    );
    expect(root).toEqual(
      new Map<string, unknown>(Object.entries({ n: -5, x: 0.1, s: 'ü', none: null, no: false })),
    );
  });

  test('whole numbers beyond 2^53 as bigint', () => {
    expect(parse([0x8a, 1, 0xff])).toBe(-1);
    expect(parse([0x8a, 0])).toBe(0);
    expect(parse([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x40])).toBe(2n ** 62n);
  });

  test('operations of protocol 4: frames, short strings, memoize', () => {
    const bytes = Uint8Array.of(
      0x80,
      4,
      0x95,
      9,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0x8c,
      1,
      0x61,
      0x94,
      0x68,
      0,
      0x86,
      0x2e,
    );
    expect(unpickle(bytes, bare)).toEqual(['a', 'a']);
  });

  test('attributes of an OrderedDict, such as the _metadata of a state_dict, are passed over', () => {
    const dict = [...op.global('collections', 'OrderedDict'), ...op.emptyTuple, ...op.reduce];
    expect(parse(dict, op.dict({ _metadata: op.none }), op.build)).toEqual(new Map());
  });
});

describe('tensors', () => {
  test.each<[string, Partial<Parameters<typeof tensorOps>[0]>, number[], number[]]>([
    ['contiguous', { shape: [2, 3], strides: [3, 1] }, [2, 3], [0, 1, 2, 3, 4, 5]],
    ['transposed', { shape: [3, 2], strides: [1, 3] }, [3, 2], [0, 3, 1, 4, 2, 5]],
    ['a part of its storage', { shape: [2], strides: [1], offset: 4 }, [2], [4, 5]],
    ['every second', { shape: [3], strides: [2] }, [3], [0, 2, 4]],
    ['expanded', { shape: [2, 2], strides: [0, 1] }, [2, 2], [0, 1, 0, 1]],
    ['a scalar', { shape: [], strides: [], offset: 5 }, [], [5]],
    ['empty', { shape: [0, 3], strides: [3, 1] }, [0, 3], []],
  ])('%s', (_, options, shape, values) => {
    const read = parse(tensor(options));
    expect(read).toEqual(new TorchTensor('F32', shape, Float32Array.from(values)));
  });

  test('of whole numbers', () => {
    const content = torchFile(pickle(tensor({ type: 'LongStorage', elements: 2, shape: [2] })), {
      0: new Uint8Array(BigInt64Array.of(-1n, 2n ** 60n).buffer),
    });
    expect(parseTorchFile(content)).toEqual(new TorchTensor('I64', [2], BigInt64Array.of(-1n, 2n ** 60n)));
  });

  test.each<[string, Partial<Parameters<typeof tensorOps>[0]>, string]>([
    ['shape beyond the storage', { shape: [7] }, 'outside of its storage'],
    ['offset beyond the storage', { shape: [1], offset: 6 }, 'outside of its storage'],
    ['strides beyond the storage', { shape: [2], strides: [6] }, 'outside of its storage'],
    ['negative stride', { strides: [-1] }, 'no valid strides'],
    ['negative offset', { offset: -1, shape: [1] }, 'no valid size'],
    ['one stride too few', { shape: [2, 3] }, 'no valid strides'],
    ['huge by stride 0', { shape: [2 ** 30, 2 ** 20], strides: [0, 0] }, 'more memory than the file'],
    ['overflowing shape', { shape: [2 ** 30, 2 ** 30, 2 ** 30], strides: [0, 0, 0] }, 'no valid size'],
    ['17 dimensions', { shape: Array(17).fill(1), strides: Array(17).fill(1) }, 'no valid strides'],
    ['storage of another size', { elements: 5 }, '6 elements instead of 5'],
    ['missing storage', { key: '1' }, 'storage 1 is missing'],
    ['storage outside of the folder', { key: '../data.pkl' }, 'is missing'],
    ['half precision', { type: 'HalfStorage' }, 'HalfStorage'],
  ])('refused: %s', (_, options, fault) => {
    const code = options.type === undefined ? 'ERR_MODEL_INVALID' : 'ERR_PICKLE_FORBIDDEN';
    expect(() => parse(tensor(options))).toThrow(
      expect.objectContaining({ code, file: 'a.pt', message: expect.stringContaining(fault) }),
    );
  });

  test('refused: one storage as two types', () => {
    const both = [op.mark, tensor({}), tensor({ type: 'IntStorage' }), op.tuple];
    expect(() => parse(...both)).toThrow(invalid('two element types'));
  });
});

describe('other Python objects are forbidden by name', () => {
  const command = [...op.mark, ...op.text('touch pwned'), ...op.tuple];
  test.each<[string, number[], string]>([
    ['os.system', [...op.global('os', 'system'), ...command, ...op.reduce], 'os.system'],
    ['named only', op.global('builtins', 'eval'), 'builtins.eval'],
    ['by STACK_GLOBAL', [...op.text('posix'), ...op.text('system'), 0x93], 'posix.system'],
    ['by INST', [...op.mark, 0x69, ...Buffer.from('os\nsystem\n')], 'os.system'],
    ['by an extension code', [0x82, 7], 'extension code 7'],
    ['a method of a prototype', op.global('__proto__', 'constructor'), '__proto__.constructor'],
    ['another function of torch', op.global('torch', 'load'), 'torch.load'],
  ])('%s', (_, operations, name) => {
    const attempt = () => parse(operations);
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_PICKLE_FORBIDDEN', file: 'a.pt' }));
    expect(attempt).toThrow(name);
  });
});

describe('a broken pickle is refused', () => {
  test.each<[string, readonly number[], string]>([
    ['cut off', [0x58, 9, 0, 0, 0, 65], 'cut off'],
    ['string of 4 GB', [0x58, 255, 255, 255, 255], 'cut off'],
    ['string of 2^63 bytes', [0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80], 'cut off'],
    ['empty stack', [], 'stack is empty'],
    ['pops below a mark', [...op.none, ...op.mark, 0x30], 'stack is empty'],
    ['tuple without mark', op.tuple, 'mark is missing'],
    ['nothing in the memo', [0x68, 3], 'remembered as 3'],
    ['key without value', [...op.emptyDict, ...op.mark, ...op.none, ...op.setItems], 'no value'],
    ['a list as key', [...op.emptyDict, ...op.mark, 0x5d, ...op.none, ...op.setItems], 'a key is not'],
    ['item of a number', [...op.int(1), ...op.mark, ...op.setItems], 'not a dict'],
    ['append to a dict', [...op.emptyDict, ...op.none, 0x61], 'not a list'],
    ['call of a number', [...op.int(1), ...op.emptyTuple, ...op.reduce], 'not a function'],
    [
      'call of a storage type',
      [...op.global('torch', 'FloatStorage'), ...op.emptyTuple, ...op.reduce],
      'wrongly',
    ],
    [
      'rebuild without arguments',
      [...op.global('torch._utils', '_rebuild_tensor_v2'), 0x29, 0x52],
      'no storage',
    ],
    ['storage id of a string', [...op.text('x'), ...op.persistentId], 'no valid id'],
    ['attributes of a number', [...op.int(1), ...op.none, ...op.build], 'has none'],
    ['string not UTF-8', [0x58, 1, 0, 0, 0, 0xff], 'not UTF-8'],
    ['unknown operation', [0xff], '0xff'],
    ['protocol 5', [0x80, 5], 'protocol 5'],
  ])('%s', (_, operations, fault) => {
    expect(() => parse(operations)).toThrow(invalid(fault));
  });

  test('a pickle of many objects', () => {
    const content = torchFile(new Uint8Array(5 * 2 ** 20).fill(0x7d));
    expect(() => parseTorchFile(content, 'a.pt')).toThrow(invalid('too many'));
  });
});

describe('the zip around it', () => {
  const good = torchFile(pickle(tensor({})), { 0: sixFloats });
  const change = (at: number, value: number) => good.slice().fill(value, at, at + 1);
  const central = Buffer.from(good).indexOf('PK\u0001\u0002');

  test.each<[string, Uint8Array, string]>([
    ['cut off', good.subarray(0, -1), 'no zip directory'],
    ['no zip', new Uint8Array(100), 'no zip directory'],
    ['data changed', change(50, 255), 'checksum'],
    ['compressed', change(central + 10, 8), 'compressed'],
    ['encrypted', change(central + 8, 1), 'encrypted'],
    ['local header elsewhere', change(central + 42, 1), 'not where'],
    ['size past the end', change(central + 22, 1).fill(1, central + 26, central + 27), 'overlap'],
    ['another kind of zip', storedZip({ 'a.txt': sixFloats }), 'not one written by torch.save'],
    [
      'two pickles',
      storedZip({ 'a/data.pkl': pickle(op.none), 'b/data.pkl': pickle(op.none) }),
      'torch.save',
    ],
    [
      'big-endian',
      storedZip({ 'a/data.pkl': pickle(op.none), 'a/byteorder': Buffer.from('big') }),
      'big-endian',
    ],
  ])('refused: %s', (_, content, fault) => {
    expect(() => parseTorchFile(content, 'a.pt')).toThrow(invalid(fault));
  });

  test('a comment at the end is passed over', () => {
    const commented = new Uint8Array([...good, 0x50, 0x4b]);
    commented[good.length - 2] = 2;
    expect(parseTorchFile(commented)).toBeInstanceOf(TorchTensor);
  });
});

describe('damage anywhere gives a value or a typed error', () => {
  const operations = pickle(op.dict({ a: tensor({ shape: [3, 2], strides: [1, 3] }), b: tensor({}) }));

  test('in the file', () => {
    const good = torchFile(operations, { 0: sixFloats });
    fc.assert(
      fc.property(mutations(good), (content) => onlyTypedErrors(() => parseTorchFile(content, 'a.pt'))),
      { numRuns: 2000 },
    );
  });

  test('in the pickle, below the checksums', () => {
    fc.assert(
      fc.property(mutations(operations), (damaged) =>
        onlyTypedErrors(() => parseTorchFile(torchFile(damaged, { 0: sixFloats }), 'a.pt')),
      ),
      { numRuns: 5000 },
    );
  });

  test('and so do random operations', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => onlyTypedErrors(() => unpickle(bytes, bare))),
      { numRuns: 5000 },
    );
  });
});

/** Other exceptions fail the property. */
function onlyTypedErrors(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof SonospikeError)) throw error;
    expect(['ERR_MODEL_INVALID', 'ERR_PICKLE_FORBIDDEN']).toContain(error.code);
  }
}

test('an original checkpoint is read whatever its optimizer state is', () => {
  const weights: Record<string, readonly number[]> = {};
  const storages: Record<string, Uint8Array> = {};
  const parts = { threshold: 'threshold', decay: 'decay', weight: 'fc.weight', bias: 'fc.bias' };
  for (const [name, shape] of parameterShapes(presetSettings('original', [...'0123456789']))) {
    const [, layer, part] = name.split('.');
    const elements = shape.reduce((product, size) => product * size, 1);
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
    storages[name] = new Uint8Array(new Float32Array(elements).fill(0.5).buffer);
    const theirs = `l${Number(layer) + 1}.${parts[part as keyof typeof parts]}`;
    weights[theirs] = tensorOps({ key: name, elements, shape, strides });
  }
  const group = op.dict({ lr: op.none });
  const optimizers = [
    op.none,
    op.int(7),
    op.dict({ state: op.none, param_groups: [...op.mark, ...group, ...group, ...op.tuple] }),
  ];
  for (const optimizer of optimizers) {
    const root = { epoch: op.int(3), model_state_dict: op.dict(weights), optimizer_state_dict: optimizer };
    const { epoch, parameters } = parseOriginalCheckpoint(torchFile(pickle(op.dict(root)), storages), 'a.pt');
    expect([epoch, parameters.size]).toEqual([3, 16]);
    expect(parameters.get('layers.3.bias')!.data).toEqual(new Float32Array(10).fill(0.5));
  }
});

const seed = needs('seed/parameters.pt');
describe.skipIf(seed.missing)("the original program's checkpoint", () => {
  test('has its weights and epoch', () => {
    const { settings, parameters, epoch } = parseOriginalCheckpoint(readFileSync(seed.path), 'parameters.pt');
    expect(settings.labels.join('')).toBe('0123456789');
    expect(epoch).toBe(2);
    expect(parameters.size).toBe(16);
    expect(parameters.get('layers.0.weight')!.shape).toEqual([32, 20]);
    expect(parameters.get('layers.3.threshold')!.shape).toEqual([10]);
  });

  test('has the numbers that PyTorch reads from it', () => {
    const { parameters } = parseOriginalCheckpoint(readFileSync(seed.path));
    const reference = parseSafetensors(readFileSync('test/golden/original_network_f32.safetensors')).tensors;
    const parts = { threshold: 'threshold', decay: 'decay', weight: 'fc.weight', bias: 'fc.bias' };
    for (const [name, { shape, data }] of parameters) {
      const [, layer, part] = name.split('.');
      const theirs = reference.get(`param.l${Number(layer) + 1}.${parts[part as keyof typeof parts]}`);
      expect(theirs, name).toEqual({ dtype: 'F32', shape, data });
    }
  });

  test('damaged anywhere, gives a value or a typed error', () => {
    fc.assert(
      fc.property(mutations(new Uint8Array(readFileSync(seed.path))), (content) =>
        onlyTypedErrors(() => parseOriginalCheckpoint(content, 'a.pt')),
      ),
      { numRuns: 300 },
    );
  });
});
