// Recordings: the WAVs, the samples they are cut from, and where they are put.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeWav } from '../lib/audio/formats/wav.js';
import { Tape } from '../lib/audio/tape.js';
import { encodeWav } from '../lib/audio/wav-writer.js';
import { levelOf } from '../lib/cli/takes.js';
import { namePart, Recordings } from '../lib/datasets/recordings.js';
import { createFileAtomic } from '../lib/files/atomic-file.js';
import { openDataset } from '../lib/index.js';
import { wav as fromSpecification, pcm16 } from './helpers/wav.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonospike-recordings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('encodeWav', () => {
  it('writes the bytes of the specification', () => {
    const samples = [0, 1, -32768, 32767];
    const floats = Float32Array.from(samples, (sample) => sample / 32768);
    expect(Buffer.from(encodeWav(floats, 16_000))).toEqual(
      Buffer.from(fromSpecification(pcm16(samples), { sampleRate: 16_000 })),
    );
  });

  it('gives 16-bit samples back as they were, and the nearest of others', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 1, maxLength: 50 }),
        (values) => {
          const floats = Float32Array.from(values, (value) => value / 32768);
          expect(decodeWav(encodeWav(floats, 8000))).toMatchObject({
            samples: floats,
            sampleRate: 8000,
            channels: 1,
          });
        },
      ),
    );
    const { samples } = decodeWav(encodeWav(Float32Array.of(1, -1, 7, -7, 0.4 / 32768, 0.6 / 32768), 8000));
    expect([...samples].map((value) => value * 32768)).toEqual([32767, -32768, 32767, -32768, 0, 1]);
  });
});

describe('a tape', () => {
  it('gives back any stretch of what it keeps, however it was heard', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 12 });
    const place = fc.integer({ min: -5, max: 130 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), lengths, place, place, (kept, pieces, start, end) => {
        const tape = new Tape(kept);
        let heard = 0;
        for (const length of pieces) {
          tape.add(Float32Array.from({ length }, (_, i) => heard + i));
          heard += length;
        }
        const expected = [];
        for (let i = Math.max(0, heard - kept, start); i < Math.min(heard, end); i++) expected.push(i);
        expect(tape.length).toBe(heard);
        expect([...tape.cut(start, end)]).toEqual(expected);
      }),
    );
  });
});

describe('levelOf', () => {
  it.each<[number[], number, boolean]>([
    [[0, 0.5, -0.5], -6, false],
    [[0.3, 0.31, 0.29], -40, false],
    [[0, 1, 0, -1], 0, false],
    [[1, 1, -1, -1, -1, 1], 0, true],
    [[0, 0], -120, false],
  ])('of %j is %d dB, clipped: %s', (samples, peak, clipped) => {
    const sound = { name: 'test', sampleRate: 16_000, chunks: (async function* () {})() };
    const found = levelOf(Float32Array.from(samples), sound, 0, samples.length);
    expect(found.peak).toBeCloseTo(peak, 0);
    expect(found.clipped).toBe(clipped);
  });
});

describe('recordings of a speaker', () => {
  const write = async (directory: string, speaker: string, labels: string[]) => {
    const recordings = await Recordings.open(directory, speaker, labels);
    for (const label of labels) {
      expect(await createFileAtomic(recordings.next(label), [encodeWav(Float32Array.of(0, 1), 16_000)])).toBe(
        true,
      );
    }
    return readdirSync(recordings.folder).sort();
  };

  it('are numbered on, and are a dataset', async () => {
    const directory = join(folder, 'numbered');
    expect(await write(directory, 'me', ['yes', 'no'])).toEqual(['no_me_0.wav', 'yes_me_0.wav']);
    await writeFile(join(directory, 'me', 'yes_me_17.WAV'), '');
    await writeFile(join(directory, 'me', 'yes_you_99.wav'), '');
    expect(await write(directory, 'me', ['yes', 'YES'])).toEqual(
      [
        'yes_me_18.wav',
        'YES_me_19.wav',
        'no_me_0.wav',
        'yes_me_0.wav',
        'yes_me_17.WAV',
        'yes_you_99.wav',
      ].sort(),
    );
    const { layout, labels, speakers } = await openDataset(directory);
    expect({ layout, labels, speakers }).toEqual({
      layout: 'audiomnist',
      labels: ['YES', 'no', 'yes'],
      speakers: ['me'],
    });
  });

  it.each([
    ['eins zwei', 'Jürgen_2'],
    ['左', '田中'],
    ['a_b', '07'],
    ['_unknown_', 'me'],
  ])('of %j by %j are found again', async (label, speaker) => {
    const directory = join(folder, `names ${label}`);
    await write(directory, namePart(speaker, ''), [namePart(label, ''), 'other', 'more']);
    const { clips } = await openDataset(directory);
    expect(clips).toContainEqual(
      expect.objectContaining({ label, speaker: speaker.normalize('NFC'), index: 0 }),
    );
  });

  it('go into the folder data of a dataset that has one', async () => {
    const directory = join(folder, 'audiomnist');
    await mkdir(join(directory, 'data', '01'), { recursive: true });
    expect((await Recordings.open(directory, '01', ['7'])).next('7')).toBe(
      join(directory, 'data', '01', '7_01_0.wav'),
    );
  });

  it.each(['', '  ', 'a/b', 'a\\b', '..', '.hidden', 'end.', 'a\0b', 'a\nb', 'what?', 'a:b'])(
    'cannot be of %j',
    (name) => {
      expect(() => namePart(name, 'The word')).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
      );
    },
  );

  it.each(['con', 'NUL', 'aux.2', 'com1'])('are of no speaker %j, a device on Windows', (name) => {
    expect(() => namePart(name, 'The speaker', true)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
    );
    // As a word it only begins the name: con_me_0.wav.
    if (!name.includes('.')) expect(namePart(name, 'The word')).toBe(name);
    else expect(() => namePart(name, 'The word')).toThrow('a device on Windows');
  });

  it.each([
    ['fsdd', ['recordings/7_jackson_3.wav', 'recordings/8_jackson_3.wav']],
    ['fsdd', ['7_jackson_3.wav', '8_jackson_3.wav']],
    ['folders', ['yes/a_0.wav', 'no/a_0.wav']],
    ['one folder', ['yes/a_0.wav']],
  ])('do not go among clips of another layout: %s %j', async (name, files) => {
    const directory = join(folder, `other ${name} ${files.length} ${dirname(files[0]!)}`);
    for (const file of files) await createFileAtomic(join(directory, file), []);
    await expect(Recordings.open(directory, 'me', ['7'])).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining('laid out in another way'),
    });
  });

  it('cannot have names that no file system takes', async () => {
    const opening = Recordings.open(folder, 'me', ['x'.repeat(300)]);
    await expect(opening).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });
});

describe('createFileAtomic', () => {
  it('writes a file that is not there, and leaves one that is alone', async () => {
    const file = join(folder, 'new', 'a.wav');
    expect(await createFileAtomic(file, [Buffer.from('first')])).toBe(true);
    expect(await createFileAtomic(file, [Buffer.from('second')])).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('first');
    expect(readdirSync(join(folder, 'new'))).toEqual([basename(file)]);
  });

  it('lets only one of many have the name', async () => {
    const file = join(folder, 'raced.wav');
    const won = await Promise.all(
      Array.from({ length: 20 }, (_, i) => createFileAtomic(file, [Buffer.of(i)])),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(readFileSync(file)[0]).toBe(won.indexOf(true));
  });

  it('tells what keeps it from writing, and leaves nothing', async () => {
    await writeFile(join(folder, 'file'), '');
    const file = join(folder, 'file', 'a.wav');
    await expect(createFileAtomic(file, [])).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
    expect(existsSync(file)).toBe(false);
  });
});
