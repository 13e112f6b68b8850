import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWav } from '../lib/audio/formats/wav.js';
import { SonospikeError } from '../lib/support/errors.js';
import { encodings, pcm16, wav } from './helpers/wav.js';

/** Decodes, and holds the outcome against what every outcome must be. */
function decodeSafely(bytes: Uint8Array): boolean {
  let result: ReturnType<typeof decodeWav>;
  try {
    result = decodeWav(bytes);
  } catch (error) {
    if (error instanceof SonospikeError) return false;
    throw error;
  }
  expect(result.samples.length).toBeGreaterThan(0);
  expect(result.samples.length).toBeLessThanOrEqual(bytes.length);
  expect(result.samples.every(Number.isFinite)).toBe(true);
  return true;
}

describe('whatever the bytes', () => {
  const valid = encodings.flatMap(([, spec, data]) =>
    (['RIFF', 'RIFX', 'RF64'] as const).flatMap((container) => [
      wav(data, { ...spec, container }),
      wav(data, {
        ...spec,
        container,
        subformat: spec.format ?? 1,
        before: [
          ['cue ', new Uint8Array(28)],
          ['LIST', new Uint8Array(30)],
        ],
      }),
    ]),
  );
  // Numbers that break loops and sums are drawn often.
  const word = fc.oneof(
    fc.nat(64),
    fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff),
    fc.nat(0xffffffff),
  );

  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeSafely(bytes)),
      { numRuns: 2000 },
    );
  });

  it('random chunks behind a good beginning', () => {
    const chunk = fc.tuple(
      fc.constantFrom('fmt ', 'data', 'ds64', 'LIST', 'cue ', 'smpl', 'bext'),
      word,
      fc.uint8Array({ maxLength: 60 }),
    );
    const file = fc.tuple(fc.constantFrom('RIFF', 'RIFX', 'RF64', 'BW64'), fc.array(chunk, { maxLength: 8 }));
    fc.assert(
      fc.property(file, ([container, chunks]) => {
        const parts = chunks.flatMap(([id, size, contents]) => {
          const head = Buffer.alloc(8);
          head.write(id, 'latin1');
          head.writeUInt32LE(size, 4);
          return [head, contents];
        });
        decodeSafely(Buffer.concat([Buffer.from(`${container}\0\0\0\0WAVE`), ...parts]));
      }),
      { numRuns: 3000 },
    );
  });

  it('mutated files: words overwritten, cut, doubled', () => {
    const change = fc.tuple(fc.nat(120), word, fc.constantFrom(1, 2, 4));
    const scenario = fc.tuple(
      fc.constantFrom(...valid),
      fc.array(change, { maxLength: 4 }),
      fc.nat(160),
      fc.nat(3),
    );
    let [good, bad] = [0, 0];
    fc.assert(
      fc.property(scenario, ([original, changes, cut, kind]) => {
        let bytes = Buffer.from(original);
        for (const [at, value, size] of changes) {
          const position = Math.min(at, bytes.length - size);
          bytes.writeUIntLE(value % 256 ** size, position, size);
        }
        if (kind === 1) bytes = bytes.subarray(0, cut);
        if (kind === 2) bytes = Buffer.concat([bytes, bytes]);
        if (decodeSafely(bytes)) good++;
        else bad++;
      }),
      { numRuns: 5000 },
    );
    // The mutations would test nothing if all files stayed whole or all were rejected at the first look.
    expect(Math.min(good, bad)).toBeGreaterThan(200);
  });

  it('takes no time over counts and sizes of billions', () => {
    const cue = new Uint8Array(4).fill(255);
    const started = performance.now();
    for (let i = 0; i < 200; i++) {
      decodeWav(
        wav(pcm16([1, 2]), {
          before: [
            ['cue ', cue],
            ['smpl', new Uint8Array(36).fill(255)],
          ],
        }),
      );
      decodeSafely(
        wav(pcm16([1, 2]), { before: Array.from({ length: 50 }, () => ['junk', new Uint8Array(0)]) }),
      );
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
