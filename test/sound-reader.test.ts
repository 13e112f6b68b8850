// Sound from a pipe: WAVs as programs stream them, and raw samples, in pieces of any length.
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWav } from '../lib/audio/formats/wav.js';
import { type ReadSoundOptions, readSound } from '../lib/audio/sound-reader.js';
import { SonospikeError } from '../lib/support/errors.js';
import { joined } from './helpers/speech.js';
import { encodings, pcm16, type WavSpec, wav } from './helpers/wav.js';

const SAMPLES = [0, 100, -32768, 32767, 5];
const VALUES = SAMPLES.map((sample) => sample / 32768);

interface Heard {
  samples: number[];
  sampleRate: number;
  remarks: string[];
}

/** Reads bytes that come in pieces of these lengths; the last piece has the rest. */
async function read(
  bytes: Uint8Array,
  lengths: number[] = [],
  options: Partial<ReadSoundOptions> = {},
): Promise<Heard> {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  pieces.push(Buffer.from(bytes.subarray(at)));
  const remarks: string[] = [];
  const input = Readable.from(
    pieces.filter((piece) => piece.length > 0),
    { objectMode: false },
  );
  const onRemark = (text: string) => remarks.push(text);
  const sound = await readSound(input, { name: 'the pipe', sampleRate: 16_000, onRemark, ...options });
  const parts: Float32Array[] = [];
  for await (const part of sound.chunks) parts.push(part);
  return { samples: [...joined(parts)], sampleRate: sound.sampleRate, remarks };
}

async function failure(bytes: Uint8Array, lengths: number[] = []): Promise<SonospikeError> {
  const error = await read(bytes, lengths).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SonospikeError);
  return error as SonospikeError;
}

/** A WAV with a chunk before its samples that is, it says, of 32 MiB. */
function farAway(): Uint8Array {
  const bytes = wav(pcm16(SAMPLES), { before: [['LIST', Buffer.alloc(4)]] });
  Buffer.from(bytes.buffer, bytes.byteOffset).writeUInt32LE(2 ** 25, 40);
  return bytes;
}

const byteByByte = (bytes: Uint8Array) => Array<number>(bytes.length).fill(1);
describe('raw samples', () => {
  it('are 16-bit little-endian at the rate that is said, however they come', async () => {
    const bytes = pcm16(SAMPLES);
    for (const lengths of [[], byteByByte(bytes), [3, 4]]) {
      expect(await read(bytes, lengths)).toEqual({ samples: VALUES, sampleRate: 16_000, remarks: [] });
    }
    expect(await read(bytes, [], { sampleRate: 8000 })).toMatchObject({ sampleRate: 8000 });
    expect((await read(pcm16([7]))).samples).toEqual([7 / 32768]);
  });

  it('with an odd byte at the end are read, with a remark', async () => {
    const { samples, remarks } = await read(Buffer.concat([pcm16(SAMPLES), Buffer.of(1)]));
    expect(samples).toEqual(VALUES);
    expect(remarks).toEqual([expect.stringMatching(/^What came on the pipe ended within a sample/)]);
  });

  it('of a single byte are none', async () => {
    expect(await failure(Buffer.of(1))).toMatchObject({ code: 'ERR_AUDIO_EMPTY' });
  });
});

describe('a WAV', () => {
  it.each(encodings)('of %s is read as from a file', async (_, spec, data, values) => {
    const bytes = wav(data, spec);
    for (const lengths of [[], byteByByte(bytes)]) {
      expect(await read(bytes, lengths)).toEqual({ samples: values, sampleRate: 8000, remarks: [] });
    }
  });

  it('is read as decodeWav reads it, in any pieces', async () => {
    const spec = fc.record({
      channels: fc.integer({ min: 1, max: 3 }),
      sampleRate: fc.integer({ min: 1000, max: 96_000 }),
      container: fc.constantFrom('RIFF' as const, 'RIFX' as const, 'RF64' as const),
      before: fc.array(fc.tuple(fc.constantFrom('LIST', 'junk', 'id3 '), fc.uint8Array({ maxLength: 40 })), {
        maxLength: 3,
      }),
      after: fc.array(fc.tuple(fc.constant('LIST'), fc.uint8Array({ maxLength: 20 })), { maxLength: 1 }),
    });
    const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(spec, fc.integer({ min: 1, max: 40 }), lengths, async (given, frames, pieces) => {
        const data = Buffer.from({ length: frames * given.channels * 2 }).fill(0);
        for (let i = 0; i < data.length; i++) data[i] = (i * 151) % 256;
        const bytes = wav(data, given);
        const whole = decodeWav(bytes);
        const heard = await read(bytes, pieces);
        expect(heard.samples).toEqual([...whole.samples]);
        expect(heard.sampleRate).toBe(whole.sampleRate);
        expect(heard.remarks).toEqual([]);
      }),
    );
  });

  const streamed: [string, WavSpec][] = [
    ['most programs', { riffSize: 0xffffffff, dataSize: 0xffffffff }],
    ['arecord', { riffSize: 0x80000024, dataSize: 0x80000000 }],
    ['sox and espeak-ng', { riffSize: 0x7ffff024, dataSize: 0x7ffff000 }],
    ['GStreamer', { riffSize: 0, dataSize: 0 }],
    ['RF64 writers', { container: 'RF64', riffSize: 0xffffffff, longDataSize: 0xffffffff }],
  ];
  it.each(streamed)('of unknown length, as %s write it, lasts to the end', async (_, spec) => {
    const bytes = wav(pcm16(SAMPLES), spec);
    expect(await read(bytes, [50])).toMatchObject({ samples: VALUES, remarks: [] });
  });

  it('that ends before its header says is read as far as it goes, with a remark', async () => {
    const bytes = wav(pcm16(SAMPLES)).subarray(0, -3);
    const { samples, remarks } = await read(bytes);
    expect(samples).toEqual(VALUES.slice(0, 3));
    expect(remarks).toEqual([expect.stringMatching(/cut off 4 bytes before the end/)]);
  });

  it.each<[string, Uint8Array, string]>([
    ['cut off in its header', wav(pcm16(SAMPLES)).subarray(0, 30), 'ERR_AUDIO_INVALID'],
    ['that is another RIFF', Buffer.from('RIFF\x10\0\0\0WEBPVP8 and so on'), 'ERR_AUDIO_INVALID'],
    [
      'with garbage behind its beginning',
      Buffer.from(`RIFF\x10\0\0\0WAVE${'garbage!'.repeat(9)}`),
      'ERR_AUDIO_INVALID',
    ],
    [
      'whose data comes first',
      wav(pcm16([]), { before: [['data', pcm16([1])]] }).fill(0x66, 12, 16),
      'ERR_AUDIO_INVALID',
    ],
    ['without samples', wav(pcm16([])), 'ERR_AUDIO_EMPTY'],
    ['in ADPCM', wav(pcm16(SAMPLES), { format: 2, bits: 4 }), 'ERR_AUDIO_UNSUPPORTED'],
    ['without channels', wav(pcm16(SAMPLES), { channels: 0 }), 'ERR_AUDIO_INVALID'],
    ['at 0 Hz', wav(pcm16(SAMPLES), { sampleRate: 0 }), 'ERR_AUDIO_INVALID'],
    ['whose samples begin beyond reason', farAway(), 'ERR_AUDIO_INVALID'],
  ])('%s is refused', async (_, bytes, code) => {
    const error = await failure(bytes);
    expect(error).toMatchObject({ code });
    expect(error.message).toContain('the pipe');
  });

  it('with a sample that is not finite says where it is', async () => {
    const data = Buffer.alloc(400);
    data.writeFloatLE(Number.NaN, 4 * 77);
    const bytes = wav(data, { format: 3, bits: 32 });
    for (const lengths of [[], byteByByte(bytes)]) {
      const error = await failure(bytes, lengths);
      expect(error).toMatchObject({ code: 'ERR_AUDIO_NOT_FINITE' });
      expect(error.message).toMatch(
        /the pipe has a sample that is not a finite number \(NaN, at position 77\)/,
      );
    }
  });
});

describe('what is no sound', () => {
  it.each(['OggS', 'FORM', 'caff', '.snd', '\0\0\0\x1cftypM4A '])('%j is refused', async (start) => {
    const error = await failure(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(100)]));
    expect(error).toMatchObject({ code: 'ERR_AUDIO_UNSUPPORTED' });
    expect(error.message).toContain('ffmpeg');
  });

  it('nothing at all is refused', async () => {
    expect(await failure(Buffer.alloc(0))).toMatchObject({ code: 'ERR_AUDIO_EMPTY' });
  });

  it('an input that breaks is told', async () => {
    const input = new PassThrough();
    const reading = readSound(input, { name: 'the pipe', sampleRate: 8000 });
    input.destroy(new Error('EIO'));
    await expect(reading).rejects.toMatchObject({
      code: 'ERR_FILE_UNREADABLE',
      message: 'Cannot read the pipe (EIO).',
    });
  });
});

describe('told to stop, the sound ends', () => {
  it('while it comes', async () => {
    const controller = new AbortController();
    const input = new PassThrough();
    input.write(pcm16(SAMPLES.concat(SAMPLES)));
    const options = { name: 'the pipe', sampleRate: 8000, signal: controller.signal };
    const { chunks } = await readSound(input, options);
    const parts: number[] = [];
    for await (const part of chunks) {
      parts.push(...part);
      controller.abort();
    }
    expect(parts).toEqual([...VALUES, ...VALUES]);
    expect(input.destroyed).toBe(true);
  });

  it('before it has come', async () => {
    const controller = new AbortController();
    const input = new PassThrough();
    const reading = readSound(input, { name: 'the pipe', sampleRate: 8000, signal: controller.signal });
    controller.abort();
    for await (const part of (await reading).chunks) expect.unreachable(`${part.length} samples`);
    expect(input.destroyed).toBe(true);
  });
});

it('closes the input of a reader that has heard enough', async () => {
  const input = new PassThrough();
  input.write(pcm16(SAMPLES.concat(SAMPLES)));
  const { chunks } = await readSound(input, { name: 'the pipe', sampleRate: 8000 });
  for await (const _ of chunks) break;
  expect(input.destroyed).toBe(true);
});
