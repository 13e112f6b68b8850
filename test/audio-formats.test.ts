// Containers of plain samples as real programs write them: lengths that are not known, wrong or odd, 24 bits in 32,
// Wave64 and AIFF; channels that cancel or are clipped; and files that are no sound of a format that is read.
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWav } from '../lib/audio/formats/wav.js';
import { mixToMono, StreamMixer } from '../lib/audio/mixing.js';
import { readSound } from '../lib/audio/sound-reader.js';
import { audioFromMemory } from '../lib/audio/source.js';
import { SonospikeError } from '../lib/support/errors.js';
import { joined } from './helpers/speech.js';
import { pcm16, wav } from './helpers/wav.js';

const SAMPLES = [0, 100, -32768, 32766, 5, 77, -9, 12];
const VALUES = SAMPLES.map((sample) => sample / 32768);
const DATA = pcm16(SAMPLES);

/** What comes out of a pipe. */
async function piped(bytes: Uint8Array) {
  const remarks: string[] = [];
  const input = Readable.from([Buffer.from(bytes)], { objectMode: false });
  const onRemark = (text: string) => remarks.push(text);
  const sound = await readSound(input, { name: 'the pipe', sampleRate: 16_000, onRemark });
  const parts: Float32Array[] = [];
  for await (const part of sound.chunks) parts.push(part);
  return { samples: [...joined(parts)], remarks, sound };
}

function errorOf(bytes: Uint8Array): SonospikeError {
  try {
    audioFromMemory(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(SonospikeError);
    return error as SonospikeError;
  }
  throw new Error('it was read');
}

describe('the length of a WAV', () => {
  const placeholders = [
    0x7fff0000, 0x7fffffbb, 0x7ffff000, 0x7fffffdb, 0x80000000, 0xffffff9b, 0xffffffdb, 0xffffffff,
  ];
  it.each(placeholders)('%d of a writer that cannot seek: all samples, no remark', async (dataSize) => {
    const bytes = wav(DATA, { dataSize, riffSize: Math.min(0xffffffff, dataSize + 36) });
    const { samples, remarks } = decodeWav(bytes);
    expect([[...samples], remarks]).toEqual([VALUES, []]);
    expect(await piped(bytes)).toMatchObject({ samples: VALUES, remarks: [] });
  });

  it('chunks behind samples of unknown length are no samples', () => {
    const list: [string, Uint8Array] = ['LIST', Buffer.from('INFOISFT\x06\0\0\0Lavf58\0\0', 'latin1')];
    for (const after of [
      [list],
      [['LIST', Buffer.from('INFO')]],
      [['id3 ', Buffer.alloc(7)], list],
    ] as const) {
      for (const dataSize of [0, 0x7fff0000, 0xffffffff]) {
        const bytes = wav(DATA, {
          dataSize,
          riffSize: dataSize,
          after: [...after] as [string, Uint8Array][],
        });
        expect([...decodeWav(bytes).samples]).toEqual(VALUES);
      }
    }
  });

  it('what only looks like a chunk is samples', () => {
    const data = Buffer.concat([DATA, Buffer.from('LIST\x99\0\0\0abcd', 'latin1')]);
    expect(decodeWav(wav(data, { dataSize: 0xffffffff })).samples).toHaveLength(SAMPLES.length + 6);
  });

  it('takes no time over many beginnings of chunks', () => {
    const data = Buffer.from('LIST\0\0\0\0'.repeat(2 ** 17), 'latin1');
    const started = performance.now();
    decodeWav(wav(Buffer.concat([data, Buffer.alloc(3)]), { dataSize: 0xffffffff }));
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('0 in a file whose size is wrong, with samples behind it', () => {
    for (const riffSize of [36, 999, 0xffffffff]) {
      expect([...decodeWav(wav(DATA, { dataSize: 0, riffSize })).samples]).toEqual(VALUES);
    }
  });

  it.each([
    [1, 1],
    [2, 15],
    [16, 16],
  ])('%d bytes too many, with a file size that is right: no remark', async (more) => {
    const bytes = wav(DATA, { dataSize: DATA.length + more, riffSize: DATA.length + 36 });
    const { samples, remarks } = decodeWav(bytes);
    expect([[...samples], remarks]).toEqual([VALUES, []]);
    expect(await piped(bytes)).toMatchObject({ samples: VALUES, remarks: [] });
  });

  it('a file size that is wrong changes nothing', async () => {
    for (const riffSize of [0, 4, 36, 2 ** 30, 0xffffffff]) {
      const bytes = wav(DATA, { riffSize });
      expect(decodeWav(bytes)).toMatchObject({ samples: new Float32Array(VALUES), remarks: [] });
      expect(await piped(bytes)).toMatchObject({ samples: VALUES, remarks: [] });
    }
  });

  it('a file that is cut off is read, with a remark', async () => {
    const bytes = wav(DATA).subarray(0, -6);
    expect(decodeWav(bytes, 'x.wav').remarks).toEqual([
      expect.stringMatching(/^x\.wav is cut off.* 6 too few/),
    ]);
    expect((await piped(bytes)).remarks).toEqual([expect.stringMatching(/cut off 6 bytes/)]);
  });

  it('an odd chunk before the samples, with and without its byte of padding', async () => {
    const list = Buffer.from('LIST\x15\0\0\0INFOISFT\x09\0\0\0Lavf58.7\0', 'latin1');
    const plain = Buffer.from(wav(DATA));
    for (const padding of [[], [0], [0x41]]) {
      const bytes = Buffer.concat([plain.subarray(0, 36), list, Buffer.from(padding), plain.subarray(36)]);
      expect([...decodeWav(bytes).samples]).toEqual(VALUES);
      expect((await piped(bytes)).samples).toEqual(VALUES);
    }
  });

  it('half a frame at the end is left out', () => {
    const stereo = wav(pcm16([1, 3, 5]), { channels: 2 });
    expect([...decodeWav(stereo).samples]).toEqual([2 / 32768]);
  });
});

describe('24 bits in words of 32', () => {
  const values = [0, 1, -1, 4194304, -8388608, 8388607, -77];
  const words = (shift: number, mask = 0xffffffff) => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [i, value] of values.entries()) bytes.writeUInt32LE(((value << shift) & mask) >>> 0, i * 4);
    return wav(bytes, { bits: 24, blockAlign: 4 });
  };
  const expected = values.map((value) => value / 2 ** 23);

  it.each([
    ['right-justified with copies of the sign, as ALSA has them', words(0)],
    ['right-justified with zeros above', words(0, 0x00ffffff)],
    ['left-justified', words(8)],
  ])('%s', (_, bytes) => {
    expect([...decodeWav(bytes).samples]).toEqual(expected);
  });

  it('come from a pipe right-justified', async () => {
    expect((await piped(words(0))).samples).toEqual(expected);
    await expect(piped(words(8))).rejects.toMatchObject({ code: 'ERR_AUDIO_UNSUPPORTED' });
  });

  it('that are neither are refused with the cure', () => {
    const error = errorOf(wav(Buffer.from('1234567890ab'), { bits: 24, blockAlign: 4 }));
    expect(error.code).toBe('ERR_AUDIO_UNSUPPORTED');
    expect(error.message).toMatch(/S24_3LE/);
  });
});

/** A Wave64 from its specification. */
function w64(data: Uint8Array, dataSize = BigInt(data.length + 24), fileSize?: bigint): Buffer {
  const tail = Buffer.from('f3acd3118cd100c04f8edb8a', 'hex');
  const chunk = (id: string, size: bigint, contents: Uint8Array) => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(size);
    return Buffer.concat([
      Buffer.from(id),
      tail,
      head,
      contents,
      Buffer.alloc((8 - (contents.length % 8)) % 8),
    ]);
  };
  const format = Buffer.from(wav(new Uint8Array())).subarray(20, 36);
  const body = Buffer.concat([
    Buffer.from('wave'),
    tail,
    chunk('fmt ', 40n, format),
    chunk('junk', 29n, Buffer.alloc(5)),
    chunk('data', dataSize, data),
  ]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(fileSize ?? BigInt(24 + body.length));
  return Buffer.concat([Buffer.from('726966662e91cf11a5d628db04c10000', 'hex'), size, body]);
}

describe('Wave64', () => {
  it('is read, from a file and from a pipe', async () => {
    expect([...audioFromMemory(w64(DATA)).samples]).toEqual(VALUES);
    expect((await piped(w64(DATA))).samples).toEqual(VALUES);
  });

  it.each([0n, 24n, 2n ** 63n - 1n, 2n ** 64n - 1n])('with a size of %d lasts to its end', (size) => {
    const { samples, remarks } = audioFromMemory(w64(DATA, size));
    expect([[...samples], remarks]).toEqual([VALUES, []]);
  });

  it('that is cut off is read, with a remark', () => {
    const { remarks } = audioFromMemory(w64(DATA).subarray(0, -8));
    expect(remarks).toEqual([expect.stringMatching(/8 too few/)]);
  });

  it('any bytes behind its beginning give audio or a SonospikeError', () => {
    const start = w64(DATA).subarray(0, 40);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          audioFromMemory(Buffer.concat([start, bytes]));
        } catch (error) {
          expect(error).toBeInstanceOf(SonospikeError);
        }
      }),
    );
  });
});

/** An AIFF, or with a compression an AIFF-C, from its specification. */
function aiff(
  data: Uint8Array,
  { bits = 16, compression = '', channels = 1, frames = -1, size = data.length },
) {
  const number = (value: number, width: number) => {
    const bytes = Buffer.alloc(width);
    bytes.writeUIntBE(value, 0, width);
    return bytes;
  };
  const chunk = (id: string, contents: Buffer, claimed = contents.length) =>
    Buffer.concat([Buffer.from(id), number(claimed, 4), contents, Buffer.alloc(contents.length % 2)]);
  const count = frames < 0 ? data.length / channels / Math.ceil(bits / 8) : frames;
  // 8000 Hz: the mantissa's first bit is 2^12.
  const rate = Buffer.concat([number(0x3fff + 12, 2), number(8000 * 2 ** 19, 4), number(0, 4)]);
  const common = [number(channels, 2), number(count, 4), number(bits, 2), rate];
  if (compression) common.push(Buffer.from(`${compression}\0\0`, 'latin1'));
  const body = Buffer.concat([
    Buffer.from(compression ? 'AIFC' : 'AIFF'),
    chunk('COMM', Buffer.concat(common)),
    chunk('NAME', Buffer.from('odd')),
    chunk('SSND', Buffer.concat([Buffer.alloc(8), data]), 8 + size),
  ]);
  return Buffer.concat([Buffer.from('FORM'), number(body.length, 4), body]);
}

describe('AIFF', () => {
  const big = Buffer.from(DATA).swap16();
  it.each<[string, Buffer, number[]]>([
    ['of 16 bits', aiff(big, {}), VALUES],
    ['of 8 bits, signed', aiff(Buffer.of(0, 64, 128, 255), { bits: 8 }), [0, 0.5, -1, -1 / 128]],
    ['of 24 bits', aiff(Buffer.of(0x40, 0, 0, 0xff, 0xff, 0xff), { bits: 24 }), [0.5, -(2 ** -23)]],
    ['of 12 bits in 16', aiff(Buffer.of(0x40, 0, 0x80, 0), { bits: 12 }), [0.5, -1]],
    ['of stereo', aiff(Buffer.of(0x40, 0, 0x20, 0, 0, 0, 0, 0), { channels: 2 }), [0.375, 0]],
    ['AIFF-C, plain', aiff(big, { compression: 'NONE' }), VALUES],
    ['AIFF-C, little-endian', aiff(Buffer.from(DATA), { compression: 'sowt' }), VALUES],
    [
      'AIFF-C, float',
      aiff(Buffer.of(0x3f, 0, 0, 0, 0, 0, 0, 0), { bits: 32, compression: 'fl32' }),
      [0.5, 0],
    ],
    [
      'AIFF-C, mu-law',
      aiff(Buffer.of(0x00, 0x80), { bits: 8, compression: 'ulaw' }),
      [-32124, 32124].map((v) => v / 32768),
    ],
    ['of unknown length', aiff(big, { frames: 0, size: 0xffffffff - 8 }), VALUES],
  ])('%s is read', async (_, bytes, values) => {
    const audio = audioFromMemory(bytes);
    expect([...audio.samples]).toEqual(values);
    expect(audio).toMatchObject({ sampleRate: 8000, remarks: [] });
    expect((await piped(bytes)).samples).toEqual(values);
  });

  it('that is cut off is read, with a remark', () => {
    const { samples, remarks } = audioFromMemory(aiff(big, {}).subarray(0, -4));
    expect([...samples]).toEqual(VALUES.slice(0, -2));
    expect(remarks).toEqual([expect.stringMatching(/4 too few/)]);
  });

  it('that is compressed is named', () => {
    expect(errorOf(aiff(big, { compression: 'ima4' }))).toMatchObject({
      code: 'ERR_AUDIO_UNSUPPORTED',
      message: expect.stringMatching(/ima4.*ffmpeg/),
    });
  });
});

describe('other formats are named, never heard as samples', () => {
  const adts = Buffer.alloc(64);
  for (const at of [0, 32]) adts.set([0xff, 0xf1, 0x50, 0x40, 0x04, 0x00], at);
  it.each<[string, RegExp]>([
    ['\0\0\0\x1cftypM4A \0\0\0\0', /M4A/],
    ['#!AMR\n\x3c\x08\0\0\0\0', /AMR/],
    ['caff\0\x01\0\0desc', /CAF/],
    ['.snd\0\0\0\x18\0\0\0\0', /AU/],
    ['\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa', /Windows Media/],
    ['NIST_1A\n   1024\n', /SPHERE/],
    ['wvpk\0\0\0\0\0\0\0\0', /WavPack/],
    [adts.toString('latin1'), /AAC/],
  ])('%j', async (start, name) => {
    const bytes = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(100)]);
    const error = errorOf(bytes);
    expect(error.code).toBe('ERR_AUDIO_UNSUPPORTED');
    expect(error.message).toMatch(name);
    expect(error.message).toMatch(/ffmpeg/);
    await expect(piped(bytes)).rejects.toMatchObject({ code: 'ERR_AUDIO_UNSUPPORTED' });
  });

  it('samples that begin as a frame of AAC are samples', async () => {
    const samples = [-15, 80, 3, 4, 5, 6, 7];
    expect((await piped(pcm16(samples))).samples).toEqual(samples.map((sample) => sample / 32768));
  });
});

/** A sound with the channels that `of` makes of it. */
function channelsOf(
  of: (sample: number, i: number) => number[],
  length = 4000,
): { wav: Uint8Array; mono: number[] } {
  const mono = Array.from({ length }, (_, i) => Math.round(9000 * Math.sin(i / 9) * Math.sin(i / 700)));
  const interleaved = mono.flatMap(of);
  return { wav: wav(pcm16(interleaved), { channels: interleaved.length / length }), mono };
}

describe('channels', () => {
  it.each<[string, (x: number, i: number) => number[]]>([
    ['that are equal', (x) => [x, x]],
    ['one of them silent', (x) => [x, 0]],
    ['that have nothing in common', (x, i) => [x, Math.round(3000 * Math.cos(i / 5))]],
    ['one of them at an offset', (x) => [x + 9000, x - 9000]],
    ['of which one is the other, inverted at a third', (x) => [x, Math.round(-x / 3)]],
    ['of which there are three', (x, i) => [x, i % 100, Math.round(x / 2)]],
  ])('%s: their mean, to the bit', async (_, of) => {
    const { wav: bytes } = channelsOf(of);
    const interleaved = new Int16Array(new Uint8Array(bytes).slice(44).buffer);
    const count = interleaved.length / 4000;
    const mean = Array.from({ length: 4000 }, (_, frame) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += interleaved[frame * count + i]! / 32768;
      return Math.fround(sum / count);
    });
    expect([...decodeWav(bytes).samples]).toEqual(mean);
    expect((await piped(bytes)).samples).toEqual(mean);
  });

  it.each<[string, (x: number) => number[], number]>([
    ['that cancel', (x) => [x, -x], 1],
    ['that nearly cancel', (x) => [Math.round(-0.8 * x), x], 1],
    ['that cancel beside silent ones', (x) => [0, x, -x, 0], 1],
  ])('%s: the first of the loudest', async (_, of, factor) => {
    const { wav: bytes, mono } = channelsOf(of);
    const expected = mono.map((x) => (factor * x) / 32768);
    expect([...decodeWav(bytes).samples]).toEqual(expected);
    expect((await piped(bytes)).samples).toEqual(expected);
  });

  it('that begin to cancel within a stream: the loudest from then on, without a step', () => {
    const sampleRate = 16_000;
    const length = 2 * sampleRate;
    const interleaved = new Float32Array(2 * length);
    for (let i = 0; i < length; i++) {
      const x = 0.3 * Math.sin(i / 20);
      interleaved.set([x, i < sampleRate ? x : -x], 2 * i);
    }
    const mixer = new StreamMixer(2, sampleRate);
    const parts: Float32Array[] = [];
    for (let at = 0; at < interleaved.length; at += 222)
      parts.push(mixer.add(interleaved.subarray(at, at + 222)));
    parts.push(mixer.end());
    const mono = joined(parts);
    expect(mono).toHaveLength(length);
    const energy = (from: number) => mono.subarray(from, from + 1600).reduce((sum, x) => sum + x * x, 0);
    expect(energy(length - 1600) / energy(0)).toBeCloseTo(1, 1);
    let step = 0;
    for (let i = sampleRate + 160; i < length; i++) step = Math.max(step, Math.abs(mono[i]! - mono[i - 1]!));
    expect(step).toBeLessThan(0.03);
  });

  it('of a stream are mixed alike, in any pieces', () => {
    const interleaved = Float32Array.from({ length: 6000 }, (_, i) => Math.sin(i * i));
    const whole = new StreamMixer(2, 8000);
    const expected = joined([whole.add(interleaved), whole.end()]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 20 }), (lengths) => {
        const mixer = new StreamMixer(2, 8000);
        const parts: Float32Array[] = [];
        let at = 0;
        for (const length of [...lengths, 3000]) {
          parts.push(mixer.add(interleaved.subarray(2 * at, 2 * (at + length))));
          at += length;
        }
        parts.push(mixer.end());
        expect(joined(parts)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('all silent are silence', () => {
    expect([...mixToMono(new Float32Array([0.3, -0.1, 0.3, -0.1]), 2)]).toEqual(
      [0.1, 0.1].map((x) => expect.closeTo(x, 6)),
    );
  });
});

describe('clipping', () => {
  const clipped = (x: number) => Math.max(-32767, Math.min(32767, 9 * x));
  it.each<[string, Uint8Array, boolean]>([
    ['of a single channel', channelsOf((x) => [clipped(x)]).wav, true],
    ['behind a silent channel', channelsOf((x) => [0, clipped(x)]).wav, true],
    ['behind its inverse', channelsOf((x) => [clipped(x), -clipped(x)]).wav, true],
    ['not at all', channelsOf((x) => [x, 0]).wav, false],
    ['of two samples', wav(pcm16([0, 32767, 32767, 0])), false],
    ['of three samples', wav(pcm16([0, 32767, 32767, 32767])), true],
    [
      'of three samples in two channels',
      wav(pcm16([32767, 0, 32767, 9, 0, 32767, 5, 0]), { channels: 2 }),
      false,
    ],
    ['of 8 bits', wav(Buffer.of(128, 255, 255, 255, 128), { bits: 8 }), true],
    ['of A-law', wav(Buffer.of(0x55, 0xaa, 0xaa, 0xaa), { format: 6, bits: 8 }), true],
    ['of A-law, downwards', wav(Buffer.of(0x55, 0x2a, 0x2a, 0x2a), { format: 6, bits: 8 }), true],
    ['of A-law, not at all', wav(Buffer.of(0x55, 0xab, 0xab, 0xab), { format: 6, bits: 8 }), false],
    ['of mu-law', wav(Buffer.of(0xff, 0x80, 0x80, 0x80), { format: 7, bits: 8 }), true],
    ['of mu-law, not at all', wav(Buffer.of(0xff, 0x81, 0x81, 0x81), { format: 7, bits: 8 }), false],
  ])('%s', async (_, bytes, expected) => {
    expect(audioFromMemory(bytes).clipped).toBe(expected);
    const { sound, samples } = await piped(bytes);
    expect(sound.clipped!(0, samples.length)).toBe(expected);
  });

  it('is told where it is in a stream', async () => {
    const quiet = Array<number>(500).fill(7);
    const { sound } = await piped(wav(pcm16([...quiet, 32767, 32767, 32767, ...quiet])));
    expect([sound.clipped!(0, 500), sound.clipped!(400, 501), sound.clipped!(503, 999)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('of samples in memory', () => {
    expect(
      audioFromMemory({ samples: new Int16Array([0, -32768, -32768, -32768]), sampleRate: 8000 }).clipped,
    ).toBe(true);
    expect(audioFromMemory({ samples: new Float32Array([0, 1, 1, 1]), sampleRate: 8000 }).clipped).toBe(true);
    expect(audioFromMemory({ samples: new Float32Array([0, 0.9, 0.9, 0.9]), sampleRate: 8000 }).clipped).toBe(
      false,
    );
  });
});
