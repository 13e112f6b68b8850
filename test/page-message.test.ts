import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageError, pack, unpack } from '../lib/page/message.js';

describe('binary messages', () => {
  it('come back as they were sent', () => {
    const floats = Float32Array.of(0.5, -1, Number.NaN, 1e-40);
    const bytes = Uint8Array.of(1, 2, 255);
    const spikes = Uint8Array.of(1, 0, 0, 1, 1, 0, 1, 0, 0, 1);
    const message = pack({ type: 'x', word: 'чтырi ✓' }, { floats, bytes, spikes }, ['spikes']);
    const { header, arrays } = unpack(message);
    expect(header).toMatchObject({ type: 'x', word: 'чтырi ✓' });
    expect(arrays).toEqual({ floats, bytes, spikes });
  });

  it('are read from where they lie, at any place in memory', () => {
    const message = pack({ type: 'x' }, { floats: Float32Array.of(1, 2, 3) });
    for (let offset = 0; offset < 4; offset++) {
      const memory = new Uint8Array(message.length + 8);
      memory.set(message, offset);
      const buffer = Buffer.from(memory.buffer, offset, message.length);
      expect(unpack(buffer).arrays.floats).toEqual(Float32Array.of(1, 2, 3));
      expect(unpack(memory.subarray(offset, offset + message.length)).arrays.floats).toEqual(
        Float32Array.of(1, 2, 3),
      );
    }
  });

  it('pack bits eight to the byte', () => {
    const spikes = new Uint8Array(8000).fill(1);
    expect(pack({}, { spikes }, ['spikes']).length).toBeLessThan(1100);
    expect(unpack(pack({}, { spikes }, ['spikes'])).arrays.spikes).toEqual(spikes);
  });

  it('of kinds that are not taken are refused', () => {
    const message = pack({}, { spikes: Uint8Array.of(1, 0) }, ['spikes']);
    expect(() => unpack(message, ['f32', 'u8'])).toThrow(MessageError);
  });

  it('that are damaged are refused, whatever they are', () => {
    const message = pack({ type: 'audio' }, { samples: Float32Array.of(1, 2), bytes: Uint8Array.of(7) });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(message.length),
        (changes, length) => {
          const damaged = message.slice(0, length);
          for (const [at, value] of changes) if (at < length) damaged[at] = value;
          try {
            for (const array of Object.values(unpack(damaged).arrays)) expect(array.length).toBeLessThan(100);
          } catch (error) {
            expect(error).toBeInstanceOf(MessageError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('of nothing but noise are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => unpack(bytes)).toThrow(MessageError);
      }),
    );
  });

  it('that name too much are refused before memory is taken', () => {
    const entry = (length: number) => JSON.stringify({ arrays: [{ name: 'x', kind: 'f32', length }] });
    for (const length of [2 ** 52, -1, 1.5, 1e300]) {
      const json = new TextEncoder().encode(entry(length).padEnd(64));
      const message = new Uint8Array(4 + json.length);
      new DataView(message.buffer).setUint32(0, json.length, true);
      message.set(json, 4);
      expect(() => unpack(message)).toThrow(MessageError);
    }
  });
});
