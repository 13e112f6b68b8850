// What is the word, who speaks: how openDataset reads folders of different layouts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clip } from '../lib/datasets/clip.js';
import { describeSplit, type LayoutName, layoutNames, splitDataset } from '../lib/datasets/public.js';
import { openDataset } from '../lib/index.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sonospike-layouts-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Makes files (never read, so empty) from paths below the root. */
function make(paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
}

/** All files that a pattern gives with each of the words, speakers and takes. */
function tree(
  words: string[],
  speakers: string[],
  path: (word: string, speaker: string, take: number) => string,
) {
  return words.flatMap((word) =>
    speakers.flatMap((speaker) => [0, 1, 2].map((take) => path(word, speaker, take))),
  );
}

const words = ['yes', 'no'];
const people = ['anna', 'ben'];

interface Expected {
  layout: LayoutName;
  labels: string[];
  speakers: string[];
}

const EN = { labels: ['no', 'yes'], speakers: ['anna', 'ben'] };
const NOBODY = { labels: ['no', 'yes'], speakers: [] };

describe('the word is recognised', () => {
  it.each<[string, string[], Expected]>([
    ['yes/anna_0.wav', tree(words, people, (w, s, i) => `${w}/${s}_${i}.wav`), { layout: 'folders', ...EN }],
    [
      'yes/anna_yes_0.wav',
      tree(words, people, (w, s, i) => `${w}/${s}_${w}_${i}.wav`),
      { layout: 'folders', ...EN },
    ],
    [
      'yes/yes_anna_0.wav',
      tree(words, people, (w, s, i) => `${w}/${w}_${s}_${i}.wav`),
      { layout: 'folders', ...EN },
    ],
    [
      'yes/2024-05-01_yes_0.wav',
      tree(words, ['2024-05-01', '2024-05-02'], (w, s, i) => `${w}/${s}_${w}_${i}.wav`),
      { layout: 'folders', labels: ['no', 'yes'], speakers: ['2024-05-01', '2024-05-02'] },
    ],
    [
      'yes/rec_yes_0.wav',
      tree(words, ['rec'], (w, s, i) => `${w}/${s}_${w}_${i}.wav`),
      { layout: 'folders', ...NOBODY },
    ],
    [
      'licht/rec_licht_0.wav',
      tree(['licht', 'musik'], ['rec'], (w, s, i) => `${w}/${s}_${w}_${i}.wav`),
      { layout: 'folders', labels: ['licht', 'musik'], speakers: [] },
    ],
    [
      'anna/licht_anna_0.wav of one speaker',
      tree(['licht', 'musik'], ['anna'], (w, s, i) => `${s}/${w}_${s}_${i}.wav`),
      { layout: 'audiomnist', labels: ['licht', 'musik'], speakers: ['anna'] },
    ],
    [
      '01/licht_01_0.wav',
      tree(['licht', 'musik'], ['01', '02'], (w, s, i) => `${s}/${w}_${s}_${i}.wav`),
      { layout: 'audiomnist', labels: ['licht', 'musik'], speakers: ['01', '02'] },
    ],
    [
      'anna/yes_anna_0.wav',
      tree(words, people, (w, s, i) => `${s}/${w}_${s}_${i}.wav`),
      { layout: 'audiomnist', ...EN },
    ],
    ['yes_anna_0.wav', tree(words, people, (w, s, i) => `${w}_${s}_${i}.wav`), { layout: 'fsdd', ...EN }],
    ['yes_0.wav', tree(words, [''], (w, _, i) => `${w}_${i}.wav`), { layout: 'flat', ...NOBODY }],
    [
      'licht/0.wav',
      tree(['licht', 'musik'], [''], (w, _, i) => `${w}/${i}.wav`),
      { layout: 'folders', labels: ['licht', 'musik'], speakers: [] },
    ],
    [
      'yes/anna_0.flac and .opus',
      tree(words, people, (w, s, i) => `${w}/${s}_${i}.${i === 1 ? 'flac' : 'opus'}`),
      { layout: 'folders', ...EN },
    ],
    ['yes/anna/0.wav', tree(words, people, (w, s, i) => `${w}/${s}/${i}.wav`), { layout: 'folders', ...EN }],
    [
      'yes/anna/take_0.wav',
      tree(words, people, (w, s, i) => `${w}/${s}/take_${i}.wav`),
      { layout: 'folders', ...EN },
    ],
    ['anna/yes/0.wav', tree(words, people, (w, s, i) => `${s}/${w}/${i}.wav`), { layout: 'speakers', ...EN }],
    [
      'in/a/folder/yes/anna_0.wav',
      tree(words, people, (w, s, i) => `my set/all/${w}/${s}_${i}.wav`),
      { layout: 'folders', ...EN },
    ],
    [
      'wavs/yes_anna_0.wav',
      tree(words, people, (w, s, i) => `wavs/${w}_${s}_${i}.wav`),
      { layout: 'fsdd', ...EN },
    ],
    [
      'a prefix of all files',
      tree(words, ['18512345', '19123456'], (w, s) => `${w}/common_voice_en_${s}.wav`),
      { layout: 'folders', ...NOBODY },
    ],
    [
      'a prefix of all files that is not known',
      tree(words, ['a'], (w, _, i) => `${w}/Recording_${w === 'yes' ? i : i + 10}.wav`),
      { layout: 'folders', ...NOBODY },
    ],
    [
      'MSWC names and another',
      [
        'yes/mine.wav',
        ...tree(words, ['18512345', '19123456'], (w, s) => `${w}/common_voice_zh-CN_${s}.wav`),
      ],
      { layout: 'folders', ...NOBODY },
    ],
  ])('in %s', async (_name, files, expected) => {
    make(files);
    const { layout, labels, speakers, clips, skipped } = await openDataset(root, { strict: true });
    expect({ layout, labels, speakers }).toEqual(expected);
    expect(clips).toHaveLength(new Set(files).size);
    expect(skipped).toEqual([]);
  });

  it('takes what lies in folders of a word for that word', async () => {
    make(['one/a.wav', 'one/session 2/a.wav', 'two/a.wav', 'two/session 2/anna_3.wav']);
    const { clips } = await openDataset(root);
    expect(clips.map(({ file, label, speaker, key }) => [relative(root, file), label, speaker, key])).toEqual(
      [
        ['one/a.wav', 'one', null, undefined],
        ['one/session 2/a.wav', 'one', null, 'one/session 2/a.wav'],
        ['two/a.wav', 'two', null, undefined],
        ['two/session 2/anna_3.wav', 'two', 'anna', 'two/session 2/anna_3.wav'],
      ],
    );
  });
});

describe('what is ambiguous is an error that says how to say it', () => {
  it.each<[string, string[], { [K in LayoutName]?: string[] }]>([
    [
      'anna/licht_anna_0.wav or licht/anna_licht_0.wav',
      tree(['licht', 'musik'], people, (w, s, i) => `${s}/${w}_${s}_${i}.wav`),
      { audiomnist: ['licht', 'musik'], folders: ['anna', 'ben'] },
    ],
    [
      'licht/anna/0.wav or anna/licht/0.wav',
      tree(['licht', 'musik'], people, (w, s, i) => `${w}/${s}/${i}.wav`),
      { folders: ['licht', 'musik'], speakers: ['anna', 'ben'] },
    ],
    [
      'licht/1/a.wav or anna/1/a.wav',
      tree(['licht', 'musik'], ['1', '2'], (w, s, i) => `${w}/${s}/${'abc'[i]}.wav`),
      { folders: ['licht', 'musik'], speakers: ['1', '2'] },
    ],
    [
      'anna/yes_0.wav',
      tree(words, people, (w, s, i) => `${s}/${w}_${i}.wav`),
      { speakers: ['no', 'yes'], folders: ['anna', 'ben'] },
    ],
    [
      'anna/yes.wav',
      tree(words, people, (w, s) => `${s}/${w}.wav`),
      { speakers: ['no', 'yes'], folders: ['anna', 'ben'] },
    ],
    [
      'anna_yes_0.wav',
      tree(words, people, (w, s, i) => `${s}_${w}_${i}.wav`),
      {
        fsdd: ['anna', 'ben'],
        'speaker-first': ['no', 'yes'],
        flat: ['anna_no', 'anna_yes', 'ben_no', 'ben_yes'],
      },
    ],
    [
      'lights_on_0.wav',
      tree(['on', 'off'], ['lights', 'music'], (w, s, i) => `${s}_${w}_${i}.wav`),
      { flat: ['lights_off', 'lights_on', 'music_off', 'music_on'], fsdd: ['lights', 'music'] },
    ],
  ])('%s', async (_name, files, readings) => {
    make(files);
    const error = await openDataset(root).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ERR_DATASET_LAYOUT', file: root });
    for (const [layout, labels] of Object.entries(readings)) {
      expect(error.message).toContain(`--layout ${layout} if `);
      const read = await openDataset(root, { layout: layout as LayoutName, strict: true });
      expect(read).toMatchObject({ layout, labels, skipped: [] });
      expect(read.clips).toHaveLength(new Set(files).size);
    }
  });

  it('refuses a layout that is not known, and one that the files do not have', async () => {
    make(tree(words, people, (w, s, i) => `${w}/${s}_${i}.wav`));
    await expect(openDataset(root, { layout: 'heap' as LayoutName })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    });
    await expect(openDataset(root, { layout: 'fsdd' })).rejects.toMatchObject({
      code: 'ERR_DATASET_LAYOUT',
      message: expect.stringMatching(/no\/anna_0\.wav.*--layout fsdd/),
    });
    expect(layoutNames.length).toBe(new Set(layoutNames).size);
  });
});

describe('folders called train and test are parts', () => {
  const part = (clips: Clip[], name: string) =>
    clips.filter((clip) => clip.part === name).map(({ label, speaker, index }) => [label, speaker, index]);

  it.each<[string, (w: string, s: string, i: number) => string, LayoutName]>([
    ['words', (w, s, i) => `${w}/${s}_${i}.wav`, 'folders'],
    ['names', (w, s, i) => `${w}_${s}_${i}.wav`, 'fsdd'],
    ['speakers', (w, s, i) => `${s}/${w}_${s}_${i}.wav`, 'audiomnist'],
  ])('of %s', async (_name, path, layout) => {
    make(tree(words, people, (w, s, i) => `train/${path(w, s, i)}`));
    // The same names as in the training part: other recordings.
    make(tree(words, ['ben', 'cleo'], (w, s, i) => `test/${path(w, s, i)}`));
    const dataset = await openDataset(root, { strict: true });
    expect(dataset).toMatchObject({ layout, labels: ['no', 'yes'], speakers: ['anna', 'ben', 'cleo'] });
    expect(part(dataset.clips, 'train')).toHaveLength(12);
    expect(part(dataset.clips, 'test')).toContainEqual(['yes', 'cleo', 2]);
    const split = splitDataset(dataset, 'official', { validation: 0 });
    expect(split.test.every(({ file }) => file.startsWith(join(root, 'test/')))).toBe(true);
    expect(describeSplit(split)).toMatch(/train 12 \(2 speakers\), validation 0, test 12/);
    expect(splitDataset(dataset, 'official').validation.length).toBeGreaterThan(0);
  });

  it('with a validation part of its own', async () => {
    for (const [folder, speaker] of [
      ['training', 'anna'],
      ['dev', 'ben'],
      ['testing', 'cleo'],
    ]) {
      make(tree(words, [speaker!], (w, s, i) => `data/${folder}/${w}/${s}_${w}_${i}.wav`));
    }
    const dataset = await openDataset(root, { strict: true });
    const split = splitDataset(dataset, 'official');
    expect([split.train, split.validation, split.test].map((clips) => clips[0]!.speaker)).toEqual([
      'anna',
      'ben',
      'cleo',
    ]);
    const whole = splitDataset(dataset, 'official', { validation: 0 });
    expect([whole.train.length, whole.validation.length, whole.test.length]).toEqual([12, 0, 6]);
  });

  it('and words where other folders of words stand beside them', async () => {
    make(tree(['train', 'test', 'car'], people, (w, s, i) => `${w}/${s}_${i}.wav`));
    expect((await openDataset(root)).labels).toEqual(['car', 'test', 'train']);
  });

  it('and words where that is said', async () => {
    make(tree(['train', 'test'], people, (w, s, i) => `${w}/${s}_${i}.wav`));
    await expect(openDataset(root)).resolves.toMatchObject({ labels: ['anna', 'ben'] });
    await expect(openDataset(root, { layout: 'folders' })).resolves.toMatchObject({
      labels: ['test', 'train'],
    });
  });
});

describe('sound that is not read', () => {
  it.each([
    [['yes/a.m4a', 'no/b.m4a'], /2 files of another format, such as no\/b\.m4a \(MP4 or M4A \(AAC\)\)/],
    [['yes/a.amr'], /1 file of another format.*\(AMR\)/],
    [['shd_test.h5', 'shd_train.h5'], /shd_test\.h5 \(HDF5, as the spikes of SHD and SSC are\)/],
  ])('%j is named', async (files, message) => {
    make(files);
    await expect(openDataset(root)).rejects.toMatchObject({
      code: 'ERR_DATASET_EMPTY',
      message: expect.stringMatching(message),
    });
  });
});
