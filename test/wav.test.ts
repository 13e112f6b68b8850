import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { decodeWav } from '../lib/audio/formats/wav.js';
import { SonospikeError } from '../lib/support/errors.js';
import { needs } from './helpers/data.js';
import { encodings, pcm16, wav } from './helpers/wav.js';

const fsdd = needs('data/fsdd/recordings');

function codeOf(bytes: Uint8Array): string {
  try {
    decodeWav(bytes, 'clip.wav');
  } catch (error) {
    expect(error).toBeInstanceOf(SonospikeError);
    expect((error as SonospikeError).file).toBe('clip.wav');
    expect((error as SonospikeError).message).toContain('clip.wav');
    return (error as SonospikeError).code;
  }
  return 'none';
}

describe('encodings', () => {
  it.each(encodings)('%s', (_name, spec, data, expected) => {
    expect([...decodeWav(wav(data, spec)).samples]).toEqual(expected);
  });

  it.each(encodings.filter(([, spec]) => spec.bits !== 12))(
    '%s as WAVE_FORMAT_EXTENSIBLE',
    (_name, spec, data, expected) => {
      const bytes = wav(data, { ...spec, subformat: spec.format ?? 1 });
      expect([...decodeWav(bytes).samples]).toEqual(expected);
    },
  );

  it.each(encodings)('%s in RF64', (_name, spec, data, expected) => {
    expect([...decodeWav(wav(data, { ...spec, container: 'RF64' })).samples]).toEqual(expected);
  });

  it.each(encodings)('%s in big-endian RIFX', (_name, spec, data, expected) => {
    const width = Math.ceil((spec.bits ?? 16) / 8);
    const swapped = Buffer.concat(
      Array.from({ length: data.length / width }, (_, i) =>
        Buffer.from(data.subarray(i * width, (i + 1) * width)).reverse(),
      ),
    );
    expect([...decodeWav(wav(swapped, { ...spec, container: 'RIFX' })).samples]).toEqual(expected);
  });

  it('reads 24 valid bits in a container of 32', () => {
    const data = new Uint8Array([0, 0, 0, 0xc0]);
    expect([...decodeWav(wav(data, { bits: 32, subformat: 1, validBits: 24 })).samples]).toEqual([-0.5]);
  });

  it.each([
    ['A-law', 6, 'fromALaw'],
    ['mu-law', 7, 'fromMuLaw'],
  ] as const)('%s: all 256 codes as wavefile has them', (_name, format, method) => {
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const bytes = wav(codes, { format, bits: 8 });
    const reference = new wavefile.WaveFile(bytes);
    reference[method]();
    const expected = [...reference.getSamples()].map((value) => value / 32768);
    expect([...decodeWav(bytes).samples].map((value) => value + 0)).toEqual(
      expected.map((value) => value + 0),
    );
  });

  it('reads files at any byte offset of their buffer', () => {
    const bytes = wav(pcm16([100, -200, 300]));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeWav(shifted.subarray(1)).samples).toEqual(decodeWav(bytes).samples);
  });

  it('mixes any number of channels by their mean', () => {
    const stereo = decodeWav(wav(pcm16([16384, 0, -16384, -16384]), { channels: 2, sampleRate: 44100 }));
    expect([...stereo.samples]).toEqual([0.25, -0.5]);
    expect(stereo).toMatchObject({ channels: 2, sampleRate: 44100 });
    const many = decodeWav(wav(new Uint8Array(60000).fill(192), { channels: 60000, bits: 8 }));
    expect([...many.samples]).toEqual([0.5]);
  });

  it('reads what wavefile writes', () => {
    const samples = Array.from({ length: 500 }, (_, i) => Math.round(20000 * Math.sin(i / 7)));
    const file = new wavefile.WaveFile();
    file.fromScratch(1, 22050, '16', samples);
    const { samples: read, sampleRate } = decodeWav(file.toBuffer());
    expect(sampleRate).toBe(22050);
    expect([...read]).toEqual(samples.map((value) => value / 32768));
  });
});

describe('chunks', () => {
  it('skips other chunks, padded to even positions', () => {
    const before: [string, Uint8Array][] = [
      ['LIST', new Uint8Array(7)],
      ['cue ', new Uint8Array(4).fill(255)],
    ];
    expect(
      decodeWav(wav(pcm16([1, 2]), { before, after: [['id3 ', new Uint8Array(9)]] })).samples,
    ).toHaveLength(2);
  });

  it.each([0xffffffff, 0x7ffff000, 0x80000000, 0x7fffffff])(
    'takes a streamed data chunk of size %d to the end of the file',
    (dataSize) => {
      expect(decodeWav(wav(pcm16([1, 2, 3]), { dataSize, riffSize: dataSize })).samples).toHaveLength(3);
      expect(
        decodeWav(Buffer.concat([wav(pcm16([1, 2, 3]), { dataSize }), Buffer.from([9])])).samples,
      ).toHaveLength(3);
    },
  );

  it.each([0, 36, 0xffffffff])(
    'takes a data chunk of size 0 to the end if the file was never closed (RIFF size %d)',
    (riffSize) => {
      expect(decodeWav(wav(pcm16([1, 2, 3]), { dataSize: 0, riffSize })).samples).toHaveLength(3);
    },
  );

  it('finds nothing in a closed file with an empty data chunk', () => {
    expect(codeOf(wav(new Uint8Array(0), { after: [['LIST', new Uint8Array(20)]] }))).toBe('ERR_AUDIO_EMPTY');
    expect(codeOf(wav(new Uint8Array(0)))).toBe('ERR_AUDIO_EMPTY');
  });

  it('reads a file that is cut off as far as it goes, with a remark', () => {
    const whole = wav(pcm16([1, 2, 3, 4]));
    const { samples, remarks } = decodeWav(whole.subarray(0, whole.length - 3), 'cut.wav');
    expect(samples).toHaveLength(2);
    expect(remarks).toEqual([
      expect.stringMatching(/^cut\.wav is cut off.*promises 8 bytes.*5 are there, 3 too few/),
    ]);
  });

  it('reads the sizes of RF64', () => {
    for (const longDataSize of [2 ** 40, 0xffffffff, 0x7ffff000]) {
      const { samples, remarks } = decodeWav(wav(pcm16([1, 2]), { container: 'RF64', longDataSize }));
      expect([samples.length, remarks]).toEqual([2, []]);
    }
    expect(
      decodeWav(wav(pcm16([1, 2]), { container: 'RF64', dataSize: 4, longDataSize: 99 })).samples,
    ).toHaveLength(2);
    const riff = Buffer.from(wav(pcm16([1, 2])));
    riff.write('RF64', 0, 'latin1');
    expect(codeOf(riff)).toBe('ERR_AUDIO_INVALID');
  });
});

describe('bad files', () => {
  const noise = pcm16([1, -2, 3, -4]);
  it.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), 'ERR_AUDIO_EMPTY'],
    ['text', Buffer.from('this is not a WAV file, not at all'), 'ERR_AUDIO_INVALID'],
    ['AVI', Buffer.concat([Buffer.from('RIFF\0\0\0\0AVI '), noise]), 'ERR_AUDIO_INVALID'],
    ['only the head', wav(noise).subarray(0, 12), 'ERR_AUDIO_INVALID'],
    ['no data chunk', wav(noise).subarray(0, 36), 'ERR_AUDIO_INVALID'],
    ['a cut fmt chunk', wav(noise).subarray(0, 30), 'ERR_AUDIO_INVALID'],
    ['no channels', wav(noise, { channels: 0, blockAlign: 2 }), 'ERR_AUDIO_INVALID'],
    ['no sample rate', wav(noise, { sampleRate: 0 }), 'ERR_AUDIO_INVALID'],
    ['a sample rate of 4 GHz', wav(noise, { sampleRate: 4e9 }), 'ERR_AUDIO_INVALID'],
    ['a wrong block align', wav(noise, { blockAlign: 4 }), 'ERR_AUDIO_INVALID'],
    ['half a frame', wav(noise.subarray(0, 2), { channels: 2 }), 'ERR_AUDIO_EMPTY'],
    ['0 bits', wav(noise, { bits: 0 }), 'ERR_AUDIO_INVALID'],
    ['more valid bits than bits', wav(noise, { subformat: 1, validBits: 20 }), 'ERR_AUDIO_INVALID'],
    ['EXTENSIBLE without an extension', wav(noise, { format: 0xfffe }), 'ERR_AUDIO_INVALID'],
    ['another GUID', wav(noise, { subformat: 1, guidTail: new Array(12).fill(7) }), 'ERR_AUDIO_UNSUPPORTED'],
    ['64-bit PCM', wav(noise, { bits: 64 }), 'ERR_AUDIO_UNSUPPORTED'],
    ['16-bit float', wav(noise, { format: 3 }), 'ERR_AUDIO_UNSUPPORTED'],
    ['ADPCM', wav(noise, { format: 2, bits: 4, blockAlign: 256 }), 'ERR_AUDIO_UNSUPPORTED'],
    ['MP3', wav(noise, { format: 85 }), 'ERR_AUDIO_UNSUPPORTED'],
    ['an MP3 sub-format', wav(noise, { subformat: 85 }), 'ERR_AUDIO_UNSUPPORTED'],
    [
      'NaN',
      wav(Buffer.from(new Float32Array([0, Number.NaN]).buffer), { format: 3, bits: 32 }),
      'ERR_AUDIO_NOT_FINITE',
    ],
    [
      'infinity',
      wav(Buffer.from(new Float64Array([-1 / 0]).buffer), { format: 3, bits: 64 }),
      'ERR_AUDIO_NOT_FINITE',
    ],
    [
      'beyond float32',
      wav(Buffer.from(new Float64Array([1e300]).buffer), { format: 3, bits: 64 }),
      'ERR_AUDIO_NOT_FINITE',
    ],
  ])('%s', (_name, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });
});

describe.skipIf(fsdd.missing)('FSDD', () => {
  it('decodes all 3,000 clips in seconds', () => {
    const files = readdirSync(fsdd.path).filter((file) => file.endsWith('.wav'));
    const started = performance.now();
    let seconds = 0;
    for (const file of files) {
      const clip = decodeWav(readFileSync(join(fsdd.path, file)), file);
      expect(clip.sampleRate).toBe(8000);
      seconds += clip.samples.length / clip.sampleRate;
    }
    expect(files).toHaveLength(3000);
    expect(seconds).toBeGreaterThan(1000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('agrees with wavefile', () => {
    const bytes = readFileSync(join(fsdd.path, '7_jackson_3.wav'));
    const expected = [...new wavefile.WaveFile(bytes).getSamples()].map((value) => value / 32768);
    expect([...decodeWav(bytes).samples]).toEqual(expected);
  });
});
