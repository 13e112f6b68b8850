// Compressed formats against the formats' own decoders: what those gave lies in test/fixtures/audio, and where the
// programs are installed, they make new files of the sample clips and decode them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, openDataset, readAudio } from '../dist/index.js';
import { unsupported } from '../lib/audio/formats/format.js';
import { FORMATS, formatOf } from '../lib/audio/formats/index.js';
import { decodeFormat, loadDecoder } from '../lib/audio/formats/packages.js';
import { readSound } from '../lib/audio/sound-reader.js';
import { audioFromMemory } from '../lib/audio/source.js';
import { SonospikeError } from '../lib/support/errors.js';

const FIXTURES = resolve('test/fixtures/audio');
const fixture = (name: string) => join(FIXTURES, name);
const bytesOf = (name: string) => readFileSync(fixture(name));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonospike-codecs-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** dB of what is wanted over what differs. */
function snr(samples: Float32Array, expected: Float32Array): number {
  let [signal, error] = [0, 0];
  for (let i = 0; i < samples.length; i++) {
    signal += expected[i]! ** 2;
    error += (samples[i]! - expected[i]!) ** 2;
  }
  return 10 * Math.log10(signal / error);
}

describe('FLAC', () => {
  it.each([
    ['mono.flac', 'mono.wav', '16 bits'],
    ['eight.flac', 'eight.wav', '8 bits'],
    ['more.flac', 'more.wav', '24 bits'],
    ['stereo.flac', 'stereo.wav', 'stereo'],
    ['mono.oga', 'mono.wav', 'in Ogg'],
  ])('%s has the samples of %s to the bit (%s)', async (compressed, plain) => {
    const audio = await readAudio(fixture(compressed));
    expect(audio).toEqual(await readAudio(fixture(plain)));
    expect(audio.samples.length).toBe(3600);
    // Also at once, from memory.
    expect(audioFromMemory(bytesOf(compressed))).toEqual(audio);
  });

  it('behind an ID3 tag', () => {
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x0a', 'latin1'), Buffer.alloc(10)]);
    const { samples } = audioFromMemory(Buffer.concat([tag, bytesOf('mono.flac')]));
    expect(samples).toEqual(audioFromMemory(bytesOf('mono.flac')).samples);
  });

  it('that is cut off is read as far as its last whole frame, with a remark', () => {
    const bytes = bytesOf('stereo.flac');
    // One frame would be the whole clip.
    const [whole, cut] = [audioFromMemory(bytes), () => audioFromMemory(bytes.subarray(0, -1))];
    expect(whole.remarks).toEqual([]);
    expect(cut).toThrow(/is cut off before its first samples/);
  });

  it('that is damaged is refused', () => {
    const bytes = Buffer.from(bytesOf('mono.flac'));
    bytes[9000]! ^= 1;
    expect(() => audioFromMemory(bytes)).toThrow(
      expect.objectContaining({ code: 'ERR_AUDIO_INVALID', message: expect.stringMatching(/FLAC.*damaged/) }),
    );
  });
});

describe('lossy formats, against the samples of their own decoders', () => {
  it.each<[string, string, number]>([
    ['mono.opus', 'opus', 80],
    ['mono.webm', 'webm', 80],
    ['mono.mp3', 'mp3', 100],
    ['untagged.mp3', 'untagged', 100],
  ])('%s', async (name, reference, least) => {
    const audio = await readAudio(fixture(name));
    const expected = await readAudio(fixture(`reference.${reference}.flac`));
    expect(audio.sampleRate).toBe(expected.sampleRate);
    expect(audio.samples.length).toBe(expected.samples.length);
    expect(snr(audio.samples, expected.samples)).toBeGreaterThan(least);
  });

  it('mono.ogg, as long as the clip that it was made of: ffmpeg 5.1 leaves the padding at its end', async () => {
    const audio = await readAudio(fixture('mono.ogg'));
    const expected = await readAudio(fixture('reference.ogg.flac'));
    expect([audio.sampleRate, audio.samples.length]).toEqual([16_000, 3600]);
    expect(snr(audio.samples, expected.samples.subarray(0, 3600))).toBeGreaterThan(100);
  });
});

/** Formats, the programs that make a file of a WAV and decode it, and dB that ours is near. */
const PROGRAMS: [string, string[][], number][] = [
  ['flac -0', [['flac', '-s', '-f', '-0', '-o', 'x.flac', 'in.wav']], Infinity],
  ['flac -8', [['flac', '-s', '-f', '-8', '-o', 'x.flac', 'in.wav']], Infinity],
  ['ffmpeg flac', [['ffmpeg', '-v', 'error', '-y', '-i', 'in.wav', 'x.flac']], Infinity],
  [
    'opusenc',
    [
      ['opusenc', '--quiet', 'in.wav', 'x.opus'],
      ['opusdec', '--quiet', '--rate', '48000', '--float', 'x.opus', 'out.wav'],
    ],
    80,
  ],
  [
    'lame, variable rate',
    [
      ['lame', '--quiet', '-V', '3', 'in.wav', 'x.mp3'],
      ['ffmpeg', '-v', 'error', '-y', '-i', 'x.mp3', '-c:a', 'pcm_f32le', 'out.wav'],
    ],
    100,
  ],
  [
    'ffmpeg mp3, 44.1 kHz',
    [
      ['ffmpeg', '-v', 'error', '-y', '-i', 'in.wav', '-ar', '44100', 'x.mp3'],
      ['ffmpeg', '-v', 'error', '-y', '-i', 'x.mp3', '-c:a', 'pcm_f32le', 'out.wav'],
    ],
    100,
  ],
];

describe('files of the programs that are installed', () => {
  for (const [title, commands, least] of PROGRAMS) {
    const missing = commands
      .map(([program]) => program!)
      .filter((program) => spawnSync(program, ['--version']).error);
    it.skipIf(missing.length > 0)(
      `${title}${missing.length > 0 ? ` (skipped: no ${missing.join(', ')})` : ''}`,
      async () => {
        const cwd = mkdtempSync(join(folder, 'x-'));
        for (const name of ['3_slt_0', '7_kal_0', '9_rms_0']) {
          writeFileSync(join(cwd, 'in.wav'), readFileSync(`samples/${name}.wav`));
          for (const [program, ...args] of commands) execFileSync(program!, args, { cwd, stdio: 'ignore' });
          const made = commands[0]!.findLast((part) => part.startsWith('x.'))!;
          const audio = await readAudio(join(cwd, made));
          const expected = await readAudio(join(cwd, commands.length > 1 ? 'out.wav' : 'in.wav'));
          expect(audio.samples.length).toBe(expected.samples.length);
          if (least === Infinity) expect(audio.samples).toEqual(expected.samples);
          else expect(snr(audio.samples, expected.samples)).toBeGreaterThan(least);
        }
      },
    );
  }
});

const NAMES = ['mono.flac', 'mono.mp3', 'untagged.mp3', 'mono.opus', 'mono.ogg', 'mono.webm'];

describe('every compressed format', () => {
  it.each(NAMES)('%s comes through a pipe', async (name) => {
    for (const size of [7, 100_000]) {
      const bytes = bytesOf(name);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const input = Readable.from(pieces, { objectMode: false });
      const sound = await readSound(input, { name: 'the pipe', sampleRate: 8000 });
      const parts: Float32Array[] = [];
      for await (const part of sound.chunks) parts.push(part);
      const expected = await readAudio(fixture(name));
      expect(sound.sampleRate).toBe(expected.sampleRate);
      expect(parts).toEqual([expected.samples]);
    }
  });

  it.each(NAMES)('%s: whatever happens to its bytes, audio or a SonospikeError', async (name) => {
    const original = bytesOf(name);
    const format = formatOf(original, undefined);
    let refused = 0;
    const change = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 6 }),
        fc.nat(original.length),
        fc.boolean(),
        async (changes, cut, whole) => {
          const bytes = Buffer.from(whole ? original : original.subarray(0, cut));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          try {
            const { samples } = await decodeFormat(format, bytes, 'x');
            expect(samples.every(Number.isFinite)).toBe(true);
          } catch (error) {
            refused++;
            if (!(error instanceof SonospikeError)) throw error;
          }
        },
      ),
      { numRuns: 60 },
    );
    if (name.endsWith('.flac')) expect(refused).toBeGreaterThan(10);
  });

  it('is recognised by a model, from a path and from bytes, one or many', async () => {
    const model = await loadModel();
    const files = NAMES.map(fixture);
    const batch = await model.predictBatch([...files, ...files.map((file) => readFileSync(file))]);
    for (const [i, file] of files.entries()) {
      const one = await model.predict(file);
      expect(batch[i]!.scores).toEqual(one.scores);
      expect(batch[i + files.length]!.scores).toEqual(one.scores);
    }
  });

  it('predictSync decodes FLAC, and says of others what to do', async () => {
    const model = await loadModel();
    expect(model.predictSync(bytesOf('mono.flac')).scores).toEqual(
      model.predictSync(bytesOf('mono.wav')).scores,
    );
    expect(() => model.predictSync(bytesOf('mono.mp3'))).toThrow(/MP3.*use predict instead of predictSync/);
  });

  it('is a clip of a data set, also under the name of another', async () => {
    const root = mkdtempSync(join(folder, 'data-'));
    for (const word of ['yes', 'no']) {
      execFileSync('mkdir', [join(root, word)]);
      for (const [i, name] of NAMES.entries()) {
        const ending = i % 2 === 0 ? '.wav' : name.slice(name.indexOf('.'));
        writeFileSync(join(root, word, `${i < 3 ? 'anna' : 'bert'}_${i}${ending}`), bytesOf(name));
      }
    }
    const { clips, skipped } = await openDataset(root);
    expect(skipped).toEqual([]);
    expect(clips.map(({ index, speaker }) => [index, speaker])).toEqual(
      expect.arrayContaining([
        [0, 'anna'],
        [5, 'bert'],
      ]),
    );
    for (const { file } of clips) expect((await readAudio(file)).samples.length).toBeGreaterThan(3000);
  });

  it('is decoded by threads that hold no process open', () => {
    const program = `
      const { readAudio } = await import(${JSON.stringify(resolve('dist/index.js'))});
      await readAudio(${JSON.stringify(fixture('mono.flac'))});
      await Promise.all(Array.from({ length: 40 }, () => readAudio(${JSON.stringify(fixture('mono.ogg'))})));
      console.log('done');`;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect([stdout, status]).toEqual(['done\n', 0]);
  });
});

describe('what is not read', () => {
  it('M4A is named, with the cure', async () => {
    await expect(readAudio(fixture('mono.m4a'))).rejects.toMatchObject({
      code: 'ERR_AUDIO_UNSUPPORTED',
      file: fixture('mono.m4a'),
      message: expect.stringMatching(/M4A.*ffmpeg -i/),
    });
  });

  it('a package that is not installed is named, with what to install', async () => {
    await expect(loadDecoder('no-such-decoder', 'MP3', 'x.mp3')).rejects.toMatchObject({
      code: 'ERR_AUDIO_UNSUPPORTED',
      message: expect.stringMatching(/^x\.mp3 is MP3, .*not installed: npm install no-such-decoder/),
    });
  });

  it('an error comes from the other thread as it is', async () => {
    const file = join(folder, 'cut.mp3');
    writeFileSync(file, Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1'), Buffer.alloc(500)]));
    await expect(readAudio(file)).rejects.toMatchObject({ code: 'ERR_AUDIO_INVALID', file });
  });
});

it('the registry has names and endings once, and a decoder for each', () => {
  const endings = FORMATS.flatMap(({ extensions }) => extensions);
  expect(new Set(endings).size).toBe(endings.length);
  expect(new Set(FORMATS.map(({ name }) => name)).size).toBe(FORMATS.length);
  for (const { decode: now, decodeLater, needs } of FORMATS) {
    expect(now !== undefined || (decodeLater !== undefined && needs !== undefined)).toBe(true);
  }
  expect(unsupported('x', 'y')).toBeInstanceOf(SonospikeError);
});
