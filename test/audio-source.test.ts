import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AudioInMemory, type AudioInput, audioFromMemory, readAudio } from '../lib/audio/source.js';
import { SonospikeError } from '../lib/support/errors.js';
import { pcm16, wav } from './helpers/wav.js';

let folder: string;
let clip: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonospike-audio-'));
  clip = join(folder, 'clip.wav');
  writeFileSync(clip, wav(pcm16([0, 16384, -16384])));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a wrong value meets that comes from JavaScript, where no compiler stops it. */
async function failure(input: unknown): Promise<SonospikeError> {
  const error = await readAudio(input as AudioInput).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SonospikeError);
  return error as SonospikeError;
}

describe('readAudio', () => {
  const expected = {
    samples: new Float32Array([0, 0.5, -0.5]),
    sampleRate: 8000,
    clipped: false,
    remarks: [],
  };

  it('takes a path, a file: URL, bytes and samples alike', async () => {
    expect(await readAudio(clip)).toEqual(expected);
    expect(await readAudio(pathToFileURL(clip))).toEqual(expected);
    expect(await readAudio(wav(pcm16([0, 16384, -16384])))).toEqual(expected);
    expect(await readAudio({ samples: new Float32Array([0, 0.5, -0.5]), sampleRate: 8000 })).toEqual(
      expected,
    );
    expect(await readAudio({ samples: new Int16Array([0, 16384, -16384]), sampleRate: 8000 })).toEqual(
      expected,
    );
  });

  it('shares no memory with its input', () => {
    const samples = new Float32Array([0, 0.5]);
    const audio = audioFromMemory({ samples, sampleRate: 8000 });
    samples.fill(9);
    expect([...audio.samples]).toEqual([0, 0.5]);
  });

  it('takes shared memory', () => {
    const bytes = wav(pcm16([0, 16384, -16384]));
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    expect(audioFromMemory(shared)).toEqual(expected);
    const samples = new Float32Array(new SharedArrayBuffer(12));
    samples.set(expected.samples);
    const audio = audioFromMemory({ samples, sampleRate: 8000 });
    expect(audio).toEqual(expected);
    expect(audio.samples.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('takes 10 minutes', () => {
    const samples = new Int16Array(600 * 8000).map((_, i) => i);
    expect(audioFromMemory({ samples, sampleRate: 8000 }).samples).toHaveLength(4_800_000);
  });

  it('names the file that is missing, a directory, empty, not a WAV or too large', async () => {
    const empty = join(folder, 'empty.wav');
    const text = join(folder, 'text.wav');
    const huge = join(folder, 'huge.wav');
    writeFileSync(empty, '');
    writeFileSync(text, 'hello');
    writeFileSync(huge, '');
    truncateSync(huge, 2 ** 32); // sparse: no disk is used
    for (const [file, code] of [
      [join(folder, 'none.wav'), 'ERR_FILE_NOT_FOUND'],
      [folder, 'ERR_FILE_UNREADABLE'],
      [`${clip}\0`, 'ERR_FILE_UNREADABLE'],
      [empty, 'ERR_AUDIO_EMPTY'],
      [text, 'ERR_AUDIO_INVALID'],
      [huge, 'ERR_AUDIO_TOO_LONG'],
    ] as const) {
      const error = await failure(file);
      expect([error.code, error.file]).toEqual([code, file]);
    }
    expect((await failure(folder)).message).toContain('is a directory');
  });

  it('names the file that is silent', async () => {
    const silent = join(folder, 'silent.wav');
    writeFileSync(silent, wav(pcm16([7, 7, 7])));
    expect(await failure(silent)).toMatchObject({ code: 'ERR_AUDIO_SILENT', file: silent });
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['an empty path', ''],
    ['an http: URL', new URL('http://127.0.0.1/clip.wav')],
    ['an array', [0, 0.5]],
    ['a bare Float32Array', new Float32Array([0, 0.5])],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['plain numbers as samples', { samples: [0, 0.5], sampleRate: 8000 }],
    ['Float64Array samples', { samples: new Float64Array(2), sampleRate: 8000 }],
    ['no rate', { samples: new Float32Array(2) }],
    ['a rate of 0', { samples: new Float32Array(2), sampleRate: 0 }],
    ['a rate of NaN', { samples: new Float32Array(2), sampleRate: Number.NaN }],
    ['a fractional rate', { samples: new Float32Array(2), sampleRate: 8000.5 }],
    ['a rate of 1 MHz', { samples: new Float32Array(2), sampleRate: 1e6 }],
    ['a rate as text', { samples: new Float32Array(2), sampleRate: '8000' }],
    ['a rate as a symbol', { samples: new Float32Array(2), sampleRate: Symbol('rate') }],
  ])('rejects %s', async (_name, input) => {
    expect((await failure(input)).code).toBe('ERR_INVALID_OPTION');
  });

  it.each<[string, unknown, string]>([
    ['no samples', { samples: new Float32Array(0), sampleRate: 8000 }, 'ERR_AUDIO_EMPTY'],
    ['no bytes', new Uint8Array(0), 'ERR_AUDIO_EMPTY'],
    ['NaN', { samples: new Float32Array([0, Number.NaN]), sampleRate: 8000 }, 'ERR_AUDIO_NOT_FINITE'],
    ['infinity', { samples: new Float32Array([0, 1 / 0]), sampleRate: 8000 }, 'ERR_AUDIO_NOT_FINITE'],
    ['silence', { samples: new Float32Array(9), sampleRate: 8000 }, 'ERR_AUDIO_SILENT'],
    ['a constant', { samples: new Int16Array(9).fill(3), sampleRate: 8000 }, 'ERR_AUDIO_SILENT'],
    ['one sample', { samples: new Float32Array([0.3]), sampleRate: 8000 }, 'ERR_AUDIO_SILENT'],
    ['31 minutes', { samples: new Int16Array(31 * 60 * 100), sampleRate: 100 }, 'ERR_AUDIO_TOO_LONG'],
  ])('rejects %s', async (_name, input, code) => {
    expect((await failure(input)).code).toBe(code);
  });

  it('explains memory that was transferred away', async () => {
    const samples = new Float32Array([0, 0.5]);
    const bytes = new Uint8Array(wav(pcm16([1, 2])));
    structuredClone(null, { transfer: [samples.buffer, bytes.buffer] });
    for (const input of [{ samples, sampleRate: 8000 }, bytes]) {
      const error = await failure(input);
      expect(error.code).toBe('ERR_AUDIO_EMPTY');
      expect(error.message).toContain('transferred');
    }
  });

  it('any value gives audio or a SonospikeError', () => {
    const samples = fc.oneof(
      fc.float32Array({ maxLength: 5 }),
      fc.int16Array({ maxLength: 5 }),
      fc.anything(),
    );
    const rate = fc.oneof(fc.integer(), fc.double(), fc.anything());
    const input = fc.oneof(fc.anything(), fc.record({ samples, sampleRate: rate }), fc.uint8Array());
    fc.assert(
      fc.property(input, (value) => {
        try {
          const audio = audioFromMemory(value as AudioInMemory);
          expect(audio.samples.length).toBeGreaterThan(1);
          expect(audio.samples.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(SonospikeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
