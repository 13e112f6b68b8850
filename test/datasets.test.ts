import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenOptions, openDataset } from '../lib/datasets/index.js';
import { clipKey } from '../lib/datasets/keys.js';
import { compareCodePoints, sortedNames } from '../lib/datasets/names.js';
import { SonospikeError } from '../lib/support/errors.js';
import { needs } from './helpers/data.js';

const fsdd = needs('data/fsdd/recordings');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sonospike-dataset-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Makes files (never read, so empty) from paths below the root. */
function make(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
}

function makeAudioMnist(prefix = 'data/'): void {
  make(`${prefix}audioMNIST_meta.txt`, `${prefix}36/notes.txt`);
  for (const speaker of ['01', '02', '36']) {
    for (const digit of [0, 7]) {
      for (const index of [0, 10, 2]) make(`${prefix}${speaker}/${digit}_${speaker}_${index}.wav`);
    }
  }
}

async function codeOf(directory: string, options?: OpenOptions): Promise<string> {
  try {
    await openDataset(directory, options);
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(SonospikeError);
    return (error as SonospikeError).code;
  }
}

/** What was skipped, as [path below the root, reason]. */
async function skippedIn(directory: string): Promise<[string, string][]> {
  const { skipped } = await openDataset(directory);
  return skipped.map(({ file, reason }) => [relative(root, file), reason]);
}

describe('AudioMNIST', () => {
  it.each([
    ['from its root', ''],
    ['from data', 'data'],
  ])('is recognised %s', async (_name, inner) => {
    makeAudioMnist();
    make('README.md');
    const dataset = await openDataset(join(root, inner), { strict: true });
    expect(dataset).toMatchObject({ layout: 'audiomnist', labels: ['0', '7'], speakers: ['01', '02', '36'] });
    expect(dataset.clips).toHaveLength(18);
    expect(dataset.clips[0]).toEqual({
      file: join(root, 'data/01/0_01_0.wav'),
      label: '0',
      speaker: '01',
      index: 0,
    });
    const skipped = dataset.skipped.map(({ file }) => basename(file));
    expect(skipped).toEqual(expect.arrayContaining(['audioMNIST_meta.txt', 'notes.txt']));
  });

  it('takes own recordings of other words', async () => {
    make('me/seven_me_3.wav', 'me/eight_me_0.wav', 'me/next_one_me_1.wav', 'my_friend/seven_my_friend_0.WAV');
    const dataset = await openDataset(root);
    expect(dataset).toMatchObject({
      layout: 'audiomnist',
      labels: ['eight', 'next_one', 'seven'],
      speakers: ['me', 'my_friend'],
    });
  });

  it('leaves out a clip that belongs to another folder', async () => {
    makeAudioMnist('');
    make('01/7_02_5.wav', '01/take.wav');
    expect(await skippedIn(root)).toEqual(
      expect.arrayContaining([
        ['01/7_02_5.wav', 'its name is not label_01_index.wav'],
        ['01/take.wav', 'its name is not label_01_index.wav'],
      ]),
    );
    expect(await codeOf(root, { strict: true })).toBe('ERR_DATASET_BAD_CLIP');
  });
});

describe('FSDD', () => {
  it.each([
    ['from its root', ''],
    ['from recordings', 'recordings'],
  ])('is recognised %s', async (_name, inner) => {
    make('recordings/7_jackson_10.wav', 'recordings/7_jackson_9.wav', 'recordings/0_lucas_0.wav');
    make('README.md', 'utils/trimmer.py', 'recordings/.DS_Store');
    const dataset = await openDataset(join(root, inner), { strict: true });
    expect(dataset).toMatchObject({ layout: 'fsdd', labels: ['0', '7'], speakers: ['jackson', 'lucas'] });
    expect(dataset.clips.map((clip) => clip.index)).toEqual([0, 10, 9]);
  });

  it('leaves out names of another form', async () => {
    make('7_bob_1.wav', '8_bob_1.wav', 'sample.wav');
    expect(await skippedIn(root)).toEqual([['sample.wav', 'its name is not label_speaker_index.wav']]);
  });

  it.skipIf(fsdd.missing)('is all there', async () => {
    const dataset = await openDataset(fsdd.path, { strict: true });
    expect(dataset.clips).toHaveLength(3000);
    expect(dataset.labels).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(dataset.speakers).toEqual(['george', 'jackson', 'lucas', 'nicolas', 'theo', 'yweweler']);
    expect(dataset.skipped).toEqual([]);
    expect(await openDataset(dirname(fsdd.path))).toEqual({ ...dataset, directory: dirname(fsdd.path) });
  });
});

describe('a folder for each word', () => {
  it('takes any alphabet, NFC-normalised, and speakers where names tell them', async () => {
    make(
      'sieben/a.wav',
      'семь/b.wav',
      '七/anna_3.wav',
      'cafe\u0301/cafe\u0301_anna_4.wav',
      'yes/0a7c2a8d_nohash_1.wav',
    );
    make('yes/yes_2.wav', 'readme.txt', '_background_noise_/hum.wav');
    const { layout, labels, speakers, clips } = await openDataset(root, { strict: true });
    expect(layout).toBe('folders');
    expect(labels).toEqual(['caf\u00e9', 'sieben', 'yes', 'семь', '七']);
    expect(speakers).toEqual(['0a7c2a8d', 'anna']);
    expect(clips.map(({ label, speaker, index }) => [label, speaker, index])).toEqual([
      ['caf\u00e9', 'anna', 4],
      ['sieben', null, null],
      ['yes', '0a7c2a8d', 1],
      ['yes', null, 2],
      ['семь', null, null],
      ['七', 'anna', 3],
    ]);
  });

  it('may have words called data and recordings', async () => {
    make('data/a.wav', 'data/old/b.wav', 'recordings/c.wav', 'seven/d.wav');
    expect((await openDataset(root)).labels).toEqual(['data', 'recordings', 'seven']);
  });

  it('says what it skips and why, once', async () => {
    make('one/a.wav', 'two/a.wav', 'two/._a.wav', 'two/a.m4a', 'stray.wav', '.git/x.wav', 'none/notes.txt');
    make('one/deep/a.wav', 'data/b.wav');
    symlinkSync('nowhere.wav', join(root, 'two/lost.wav'));
    expect((await skippedIn(root)).sort()).toEqual([
      ['.git', 'hidden'],
      ['none', 'a folder without sound files'],
      ['none/notes.txt', 'not a sound file'],
      ['stray.wav', 'not in the folder of a word or speaker'],
      ['two/._a.wav', 'written by macOS, not a clip'],
      ['two/a.m4a', 'MP4 or M4A (AAC), which is not read'],
      ['two/lost.wav', 'a link that leads nowhere (ENOENT)'],
    ]);
  });

  it('names every file that it leaves out', async () => {
    const texts = Array.from({ length: 1100 }, (_, i) => `one/${i}.txt`);
    make('one/a.wav', 'two/a.wav', ...texts);
    expect((await skippedIn(root)).map(([file]) => file).sort()).toEqual(texts.sort());
  });
});

describe('links and duplicates', () => {
  it('does not follow links in circles', async () => {
    make('one/a.wav', 'two/a.wav');
    symlinkSync('..', join(root, 'one/up'));
    symlinkSync(root, join(root, 'self'));
    symlinkSync('loop', join(root, 'loop'));
    const { clips, skipped } = await openDataset(root, { strict: true });
    expect(clips).toHaveLength(2);
    expect(skipped.map(({ file }) => relative(root, file)).sort()).toEqual(['loop', 'one/up', 'self']);
  });

  it('takes links to files elsewhere', async () => {
    make('store/x.wav', 'store/y.wav', 'words/one/z.wav', 'words/two/z.wav');
    symlinkSync('../../store/x.wav', join(root, 'words/one/x.wav'));
    symlinkSync('../store', join(root, 'words/three'));
    const { clips, labels } = await openDataset(join(root, 'words'));
    expect(labels).toEqual(['one', 'three', 'two']);
    expect(clips).toHaveLength(4); // store/x.wav counts once
  });

  it.each<[string, () => void]>([
    ['a second link to a file', () => symlinkSync('a.wav', join(root, 'two/b.wav'))],
    ['a second link to a folder', () => symlinkSync('two', join(root, 'zwei'))],
    ['the same take twice', () => make('two/x_1.wav', 'two/x_01.wav')],
  ])('leaves out %s', async (_name, change) => {
    make('one/a.wav', 'two/a.wav');
    change();
    const reasons = (await skippedIn(root)).map(([, reason]) => reason);
    expect(reasons).toEqual([expect.stringMatching(/^the same (file|folder|label, speaker and index) as /)]);
    expect(await codeOf(root, { strict: true })).toBe('ERR_DATASET_DUPLICATE');
  });
});

it.each<[string, unknown]>([
  ['null', null],
  ['an array', []],
  ['text', 'strict'],
  ['a strict of another type', { strict: 'yes' }],
  ['a signal of another type', { signal: { aborted: false } }],
])('refuses %s as the options', async (_name, options) => {
  make('one/a.wav', 'two/a.wav');
  expect(await codeOf(root, options as OpenOptions)).toBe('ERR_INVALID_OPTION');
});

it('names the option that was meant', async () => {
  await expect(openDataset(root, { stirct: true } as OpenOptions)).rejects.toThrow(
    'There is no key "stirct" in options; the keys are strict, layout, words, signal. Did you mean strict?',
  );
});

it('a clip has the same key however its name is composed', () => {
  const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
  for (const layout of ['audiomnist', 'fsdd', 'folders'] as const) {
    const keys = [composed, decomposed].map((word) =>
      clipKey(layout, { file: `/d/${word}/${word}_a_0.wav` }),
    );
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).toContain(composed);
  }
});

describe('bad directories', () => {
  it('explains an empty one', async () => {
    make('seven/notes.txt', 'notes.txt');
    await expect(openDataset(root)).rejects.toThrow(
      /no sound.*Looked for.*recordings\/7_jackson_3\.wav.*data\/01\/7_01_3\.wav.*seven\/any-name\.wav/s,
    );
    expect(await codeOf(root)).toBe('ERR_DATASET_EMPTY');
  });

  it.each<[string, string[], string]>([
    ['names that say nothing', ['a.wav', 'b.wav'], 'ERR_DATASET_LAYOUT'],
    ['one word', ['seven/a.wav', 'seven/b.wav'], 'ERR_DATASET_ONE_CLASS'],
  ])('%s', async (_name, paths, code) => {
    make(...paths);
    expect(await codeOf(root)).toBe(code);
  });

  it('a missing one, a file, a wrong type, an abort', async () => {
    make('one/a.wav', 'two/a.wav');
    expect(await codeOf(join(root, 'three'))).toBe('ERR_FILE_NOT_FOUND');
    expect(await codeOf(join(root, 'one/a.wav'))).toBe('ERR_FILE_UNREADABLE');
    expect(await codeOf('')).toBe('ERR_INVALID_OPTION');
    expect(await codeOf(undefined as unknown as string)).toBe('ERR_INVALID_OPTION');
    expect(await codeOf(root, { signal: AbortSignal.abort() })).toBe('ERR_ABORTED');
  });

  // The superuser may read every folder.
  it.skipIf(process.getuid?.() === 0)('an unreadable subfolder', async () => {
    make('one/a.wav', 'two/a.wav', 'three/a.wav');
    chmodSync(join(root, 'three'), 0);
    expect(await skippedIn(root)).toEqual([['three', 'the folder cannot be read (EACCES)']]);
    expect(await codeOf(root, { strict: true })).toBe('ERR_FILE_UNREADABLE');
    chmodSync(join(root, 'three'), 0o700);
  });
});

describe('order', () => {
  it('is by value for numbers', () => {
    expect(sortedNames(['10', '9', '0', '9'])).toEqual(['0', '9', '10']);
    expect(sortedNames(['10', '9', 'x'])).toEqual(['10', '9', 'x']);
  });

  it('is that of code points otherwise', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const reference = Buffer.compare(Buffer.from(a), Buffer.from(b)); // UTF-8 keeps their order
        expect(Math.sign(compareCodePoints(a, b))).toBe(reference);
      }),
    );
  });
});
