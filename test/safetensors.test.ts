import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RawTensor } from '../lib/files/dtypes.js';
import { encodeSafetensors, parseSafetensors } from '../lib/files/safetensors.js';
import { concat } from './helpers/model.js';

/** A file with this header text and data. */
function file(header: string | object, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concat([length, json, data]);
}

function f32(shape: number[], begin: number, end: number, dtype = 'F32') {
  return { dtype, shape, data_offsets: [begin, end] };
}

const bytes = (length: number) => new Uint8Array(length);
const tensors = new Map<string, RawTensor>([
  ['small', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['weights', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1.5, -2, 3e-40, 4) }],
  ['count', { dtype: 'I64', shape: [], data: BigInt64Array.of(-(2n ** 60n)) }],
  ['double', { dtype: 'F64', shape: [1, 1], data: Float64Array.of(Math.PI) }],
  ['none', { dtype: 'I32', shape: [4, 0], data: new Int32Array(0) }],
  ['__proto__', { dtype: 'F32', shape: [1], data: Float32Array.of(7) }],
]);

describe('writing and reading', () => {
  test('gives the same tensors and metadata, at any alignment of the bytes', () => {
    const written = concat(encodeSafetensors({ a: 'ü\n"', ['__proto__' as string]: 'kept' }, tensors));
    for (const shift of [0, 1, 4]) {
      const shifted = concat([bytes(shift), written]).subarray(shift);
      const read = parseSafetensors(shifted);
      expect(Object.fromEntries(read.tensors)).toEqual(Object.fromEntries(tensors));
      expect(read.metadata.a).toBe('ü\n"');
    }
  });

  test('aligns every tensor and does not copy what is aligned', () => {
    const written = concat(encodeSafetensors({}, tensors));
    for (const { data } of parseSafetensors(written).tensors.values())
      expect(data.buffer).toBe(written.buffer);
  });

  test('keys of the metadata cannot reach a prototype', () => {
    const { metadata } = parseSafetensors(file('{"__metadata__":{"__proto__":"x"}}'));
    expect(Object.getPrototypeOf(metadata)).toBeNull();
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']]);
    expect(parseSafetensors(file('{}')).metadata.toString).toBeUndefined();
  });
});

describe('refused with the name of the file and the fault', () => {
  test.each<[string, Uint8Array, string]>([
    ['too short', bytes(7), 'only 7 bytes'],
    ['header longer than the file', file('{}').subarray(0, 9), 'ends after 9'],
    ['huge header', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255), 'more than the'],
    ['not an object', file('[]'), 'begin with "{"'],
    ['space before the header', file(' {}'), 'begin with "{"'],
    ['broken JSON', file('{"a":}'), 'not valid JSON'],
    ['not UTF-8', file('{"\u0000"}').fill(0xff, 10, 11), 'not valid JSON'],
    ['name given twice', file('{"__metadata__":{},"\\u0061":1,"a" :2}'), 'given twice'],
    ['metadata key given twice', file('{"__metadata__":{"k":"1","k":"2"}}'), 'given twice'],
    ['deep nesting', file(`{"a":${'['.repeat(100)}${']'.repeat(100)}}`), 'nested deeper'],
    ['metadata not an object', file({ __metadata__: [] }), '__metadata__'],
    ['metadata not a string', file({ __metadata__: { a: 1 } }), 'not a string'],
    ['entry not an object', file({ a: null }), 'tensor a'],
    ['unknown field', file({ a: { ...f32([0], 0, 0), extra: 1 } }), 'extra'],
    ['unknown type', file({ a: f32([1], 0, 2, 'F16') }, bytes(2)), 'F16'],
    ['type named like a method', file({ a: f32([1], 0, 4, 'toString') }, bytes(4)), 'toString'],
    ['negative size', file({ a: f32([-1], 0, 0) }), 'no valid shape'],
    ['fractional size', file({ a: f32([0.5], 0, 2) }, bytes(2)), 'no valid shape'],
    ['overflowing shape', file({ a: f32([2 ** 40, 2 ** 40], 0, 0) }), 'no valid shape'],
    ['shape unlike the size', file({ a: f32([2], 0, 4) }, bytes(4)), 'takes 8'],
    ['offsets backwards', file({ a: f32([1], 4, 0) }, bytes(4)), 'bytes 4 to 0'],
    ['offsets past the end', file({ a: f32([2], 0, 8) }, bytes(4)), 'bytes 0 to 8'],
    ['one offset', file({ a: { dtype: 'F32', shape: [0], data_offsets: [0] } }), 'data_offsets'],
    ['overlap', file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, bytes(8)), 'overlaps'],
    ['gap', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, bytes(12)), 'gap'],
    ['bytes after the last', file({ a: f32([1], 0, 4) }, bytes(5)), 'holds 5'],
  ])('%s', (_, content, fault) => {
    const attempt = () => parseSafetensors(content, 'bad.safetensors');
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_MODEL_INVALID', file: 'bad.safetensors' }));
    expect(attempt).toThrow('bad.safetensors');
    expect(attempt).toThrow(fault);
  });

  test('the message is one line, whatever the file says', () => {
    const attempt = () => parseSafetensors(file({ [`\n\u001b[31m${'x'.repeat(1000)}`]: 0 }), 'f');
    expect(attempt).toThrow(/^\P{Cc}{1,400}$/u);
  });
});

test('any tensors survive the way through a file', () => {
  const tensor = fc
    .array(fc.float(), { maxLength: 20 })
    .map((values): RawTensor => ({ dtype: 'F32', shape: [values.length], data: Float32Array.from(values) }));
  const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');
  fc.assert(
    fc.property(fc.array(fc.tuple(names, tensor)), fc.dictionary(names, fc.string()), (entries, metadata) => {
      const given = new Map(entries);
      const read = parseSafetensors(concat(encodeSafetensors(metadata, given)));
      expect(read.tensors).toEqual(given);
      expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata));
    }),
    { numRuns: 200 },
  );
});

const GOLDEN = 'test/golden';
describe('reference files', () => {
  test('are all read', () => {
    const names = readdirSync(GOLDEN).filter((name) => name.endsWith('.safetensors'));
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const content = readFileSync(join(GOLDEN, name));
      const { metadata, tensors } = parseSafetensors(content, name);
      expect(metadata.source ?? metadata.neuron, name).toBeTypeOf('string');
      expect(tensors.size, name).toBeGreaterThan(5);
    }
  });

  test('hold the numbers that were written', () => {
    const content = readFileSync(join(GOLDEN, 'original_network_f64.safetensors'));
    const { tensors } = parseSafetensors(content);
    expect(tensors.get('labels')).toEqual({
      dtype: 'I64',
      shape: [4],
      data: BigInt64Array.of(7n, 0n, 9n, 3n),
    });
    expect(tensors.get('spikes')).toMatchObject({ dtype: 'U8', shape: [800, 4, 20] });
    const rows = Array.from({ length: 4 }, (_, row) =>
      tensors.get('logits')!.data.subarray(row * 10, row * 10 + 10),
    );
    expect(crossEntropy(rows as Float64Array[], [7, 0, 9, 3])).toBeCloseTo(
      tensors.get('loss')!.data[0] as number,
      9,
    );
  });
});

function crossEntropy(rows: Float64Array[], labels: number[]): number {
  const losses = rows.map((row, index) => {
    const top = Math.max(...row);
    return top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0)) - row[labels[index]!]!;
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / rows.length;
}
