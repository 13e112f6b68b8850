// Public data sets and lists: made trees of the same layouts, their speakers and official splits.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeWav } from '../lib/audio/wav-writer.js';
import { readClip } from '../lib/datasets/clip-loader.js';
import { splitDataset } from '../lib/datasets/public.js';
import { readTable } from '../lib/datasets/table.js';
import { type Dataset, openDataset } from '../lib/index.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sonospike-public-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, contents: string | Uint8Array = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), contents);
}

const paths = (clips: { file: string }[]) => clips.map(({ file }) => relative(root, file)).sort();

function parts(dataset: Dataset, validation?: number) {
  const options = validation === undefined ? {} : { validation };
  const { train, validation: held, test } = splitDataset(dataset, 'official', options);
  return { train: paths(train), validation: paths(held), test: paths(test) };
}

/** Counts up in steps of 1/1000, so that a piece tells where it was cut. */
const ramp = (seconds: number, rate: number) =>
  encodeWav(
    Float32Array.from({ length: seconds * rate }, (_, i) => Math.floor(i / rate) / 8),
    rate,
  );

describe('Speech Commands', () => {
  const speakers = ['0a7c2a8d', '1b4c9b89', '2c6d3924'];

  function makeCommands(words: string[]): void {
    for (const word of words) {
      for (const speaker of speakers) for (const k of [0, 1]) write(`${word}/${speaker}_nohash_${k}.wav`);
    }
    const of = (speaker: string) =>
      words.flatMap((word) => [0, 1].map((k) => `${word}/${speaker}_nohash_${k}.wav\n`));
    write('testing_list.txt', of(speakers[0]!).join(''));
    write('validation_list.txt', of(speakers[1]!).join(''));
  }

  it('is split by its lists, and its noise is cut into seconds', async () => {
    makeCommands(['yes', 'no', 'stop']);
    write('_background_noise_/tap.wav', ramp(3.5, 8000));
    write('_background_noise_/README.md');
    const dataset = await openDataset(root);
    expect(dataset).toMatchObject({ layout: 'speech-commands', labels: ['no', 'stop', 'yes'], speakers });
    const split = splitDataset(dataset, 'official');
    expect(new Set(split.test.map(({ speaker }) => speaker))).toEqual(new Set([speakers[0]]));
    expect(new Set(split.validation.map(({ speaker }) => speaker))).toEqual(new Set([speakers[1]]));
    const noise = split.train.filter(({ label }) => label === '_unknown_');
    expect(noise.map(({ piece, key }) => [piece, key])).toEqual(
      [0, 1, 2].map((k) => [{ start: k, seconds: 1 }, `_background_noise_/tap.wav#${k}`]),
    );
    expect(split.train).toHaveLength(9);
    const { samples, sampleRate } = await readClip(
      dataset.clips.find(({ piece }) => piece?.start === 2)!,
    ).catch(() => ({ samples: new Float32Array(), sampleRate: 0 }));
    expect([samples.length, sampleRate, new Set(samples)]).toEqual([8000, 8000, new Set([0.25])]);
    expect(dataset.skipped.map(({ file }) => relative(root, file))).toEqual(['_background_noise_/README.md']);
  });

  it('names noise that cannot be cut', async () => {
    makeCommands(['yes', 'no']);
    write('_background_noise_/empty.wav');
    write('_background_noise_/short.wav', ramp(0.5, 8000));
    const { skipped } = await openDataset(root, { strict: true });
    expect(skipped.map(({ reason }) => reason).sort()).toEqual([
      'background noise that cannot be read',
      expect.stringMatching(/noise/),
    ]);
  });

  it('of 12 classes: other words and silence are a tenth each, in every part', async () => {
    const words = ['yes', 'no'];
    for (const word of [...words, 'bed', 'cat']) {
      for (let s = 0; s < 40; s++) write(`${word}/${String(s).padStart(8, '0')}_nohash_0.wav`);
    }
    const list = (from: number) =>
      [...words, 'bed', 'cat'].flatMap((word) =>
        Array.from({ length: 10 }, (_, i) => `${word}/${String(from + i).padStart(8, '0')}_nohash_0.wav`),
      );
    write('testing_list.txt', list(0).join('\r\n'));
    write('validation_list.txt', list(10).join('\n'));
    write('_background_noise_/hum.wav', ramp(7, 8000));
    const dataset = await openDataset(root, { words });
    expect(dataset.labels).toEqual(['no', 'yes']);
    const split = splitDataset(dataset, 'official');
    const unknown = (clips: { label: string; file: string }[]) =>
      clips
        .filter(({ label }) => label === '_unknown_')
        .map(({ file }) => relative(root, file).split('/')[0]!);
    expect(unknown(split.test).filter((word) => ['bed', 'cat'].includes(word))).toHaveLength(2);
    expect(unknown(split.validation)).toHaveLength(2);
    expect(unknown(split.train).filter((word) => word === '_background_noise_')).toHaveLength(4);
    expect(unknown(split.train)).toHaveLength(8);
    expect(dataset.skipped.at(-1)!.reason).toMatch(/^\d+ clips that are none of the words were left out$/);
    expect(await openDataset(root, { words })).toEqual(dataset);
    await expect(openDataset(root, { words: ['yes', 'maybe'] })).rejects.toMatchObject({
      code: 'ERR_UNKNOWN_LABEL',
    });
    await expect(openDataset(root, { words: ['yes'] })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });

  it('has a test archive of 12 classes', async () => {
    for (const speaker of speakers)
      for (const word of ['down', 'go']) write(`${word}/${speaker}_nohash_0.wav`);
    write('_unknown_/bed_0a7c2a8d_nohash_0.wav.wav');
    write('_unknown_/cat_0a7c2a8d_nohash_0.wav');
    write('_silence_/0.wav');
    const { layout, labels, clips } = await openDataset(root, { strict: true });
    expect([layout, labels, clips.length]).toEqual(['speech-commands', ['down', 'go'], 9]);
    const unknown = clips.filter(({ label }) => label === '_unknown_');
    expect(unknown.map(({ speaker }) => speaker)).toEqual([null, '0a7c2a8d', '0a7c2a8d']);
  });
});

describe('Arabic Speech Commands', () => {
  it('is split by its lists of files', async () => {
    const people = ['00000001', '00000002', '00000003'];
    for (const word of ['right', 'zoom in'])
      for (const who of people) write(`dataset/${word}/${who}_NO_06.wav`);
    for (const [i, name] of ['train', 'val', 'test'].entries()) {
      const rows = ['right', 'zoom in'].map((word) => `./dataset/${word}/${people[i]}_NO_06.wav,${word}`);
      write(`${name}.csv`, `file,class\n${rows.join('\n')}\n`);
    }
    const dataset = await openDataset(root, { strict: true });
    expect(dataset).toMatchObject({
      layout: 'arabic-speech-commands',
      labels: ['right', 'zoom in'],
      speakers: people,
      skipped: [],
    });
    expect(dataset.clips[0]).toMatchObject({ label: 'right', speaker: '00000001', index: 6, part: 'train' });
    expect(parts(dataset).validation).toEqual(
      ['right', 'zoom in'].map((word) => `dataset/${word}/00000002_NO_06.wav`),
    );
    expect((await openDataset(join(root, 'dataset'))).speakers).toEqual(people);
  });
});

describe('the Multilingual Spoken Words Corpus', () => {
  it.each(['', 'clips'])('has its speakers and parts in the list, opened from "%s"', async (inner) => {
    const rows = ['SET,LINK,WORD,VALID,SPEAKER,GENDER'];
    for (const [i, set] of ['TRAIN', 'TRAIN', 'DEV', 'TEST'].entries()) {
      for (const word of ['aachen', 'über']) {
        write(`clips/${word}/common_voice_de_${i}.wav`);
        rows.push(`${set},${word}/common_voice_de_${i}.opus,${word},True,${'abcd'[i]!.repeat(8)},OTHER`);
      }
    }
    write('de_splits.csv', rows.join('\n'));
    write('clips/aachen/common_voice_de_99.wav');
    const dataset = await openDataset(join(root, inner));
    expect(dataset).toMatchObject({
      layout: 'mswc',
      labels: ['aachen', 'über'],
      speakers: ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'dddddddd'],
    });
    expect(dataset.skipped.map(({ reason }) => reason)).toEqual(['not in de_splits.csv']);
    expect(parts(dataset).test).toEqual([
      'clips/aachen/common_voice_de_3.wav',
      'clips/über/common_voice_de_3.wav',
    ]);
  });
});

describe('audio folders with metadata', () => {
  it('take label, speaker and part from metadata.csv', async () => {
    write(
      'metadata.csv',
      '\ufefffile_name,transcription,speaker_id\ntrain/a.wav,yes,ann\ntrain/b.wav,"no, sir",bob\ntest/c.wav,yes,cy\n',
    );
    for (const name of ['train/a.wav', 'train/b.wav', 'test/c.wav', 'test/d.wav']) write(name);
    const dataset = await openDataset(root);
    expect(dataset).toMatchObject({
      layout: 'metadata',
      labels: ['no, sir', 'yes'],
      speakers: ['ann', 'bob', 'cy'],
    });
    expect(parts(dataset, 0)).toEqual({
      train: ['train/a.wav', 'train/b.wav'],
      validation: [],
      test: ['test/c.wav'],
    });
    expect(dataset.skipped.map(({ reason }) => reason)).toEqual(['not in metadata.csv']);
  });

  it('take it from one metadata.jsonl in the folder of each part', async () => {
    for (const part of ['train', 'test']) {
      for (const [name, label] of [
        ['a', 'yes'],
        ['b', 'no'],
      ])
        write(`${part}/${name}.wav`, label);
      write(
        `${part}/metadata.jsonl`,
        '{"file_name": "a.wav", "label": "yes"}\n{"file_name": "b.wav", "label": "no"}\n',
      );
    }
    const dataset = await openDataset(root, { strict: true });
    expect(dataset.clips.map(({ label, part }) => `${part} ${label}`)).toEqual([
      'test yes',
      'test no',
      'train yes',
      'train no',
    ]);
    expect(dataset.skipped).toEqual([]);
  });

  it('say which columns are missing', async () => {
    write('a.wav');
    write('metadata.csv', 'file_name,pitch\na.wav,3\n');
    await expect(openDataset(root)).rejects.toMatchObject({
      code: 'ERR_DATASET_LAYOUT',
      message: expect.stringMatching(/label.*Its columns are: file_name, pitch/),
    });
  });
});

describe('a list of one’s own', () => {
  const rows = [
    ['x/1.wav', 'yes', 'ann', 'train'],
    ['x/2.wav', 'no', 'bob', 'train'],
    ['y/1.wav', 'yes', 'cy', 'test'],
    ['gone.wav', 'no', 'cy', 'test'],
  ] as const;
  const asObjects = rows.map(([path, label, speaker, split]) => ({ path, label, speaker, split }));

  it.each<[string, string]>([
    ['clips.csv', ['path,label,speaker,split', ...rows.map((row) => row.join(','))].join('\r\n')],
    ['semicolons.csv', ['Path;Label;Speaker;Split', ...rows.map((row) => row.join(';'))].join('\n')],
    ['clips.tsv', ['path\tlabel\tspeaker\tsplit', ...rows.map((row) => row.join('\t'))].join('\n')],
    ['clips.json', JSON.stringify(asObjects)],
    ['clips.jsonl', asObjects.map((row) => JSON.stringify(row)).join('\n')],
  ])('in %s', async (name, text) => {
    write(name, text);
    for (const file of ['x/1.wav', 'x/2.wav', 'y/1.wav', 'not-listed.wav']) write(file);
    const dataset = await openDataset(join(root, name));
    expect(dataset).toMatchObject({ layout: 'list', labels: ['no', 'yes'], speakers: ['ann', 'bob', 'cy'] });
    expect(dataset.skipped).toEqual([{ file: join(root, 'gone.wav'), reason: 'there is no such file' }]);
    expect(
      splitDataset(dataset, 'official', { validation: 0 }).test.map(({ file }) => relative(root, file)),
    ).toEqual(['y/1.wav']);
    await expect(openDataset(join(root, name), { strict: true })).rejects.toMatchObject({
      code: 'ERR_DATASET_BAD_CLIP',
    });
  });

  it.each<[string, string, string]>([
    ['a.csv', 'path,label\n', 'ERR_DATASET_LAYOUT'],
    ['a.csv', 'path,label\nno.wav,yes\n', 'ERR_DATASET_EMPTY'],
    ['a.csv', 'path,label,split\nno.wav,yes,Tuesday\n', 'ERR_DATASET_LAYOUT'],
    ['a.json', '{"path": "a.wav"}', 'ERR_DATASET_LAYOUT'],
    ['a.json', '[1', 'ERR_DATASET_LAYOUT'],
  ])('that is wrong: %s %j', async (name, text, code) => {
    write(name, text);
    await expect(openDataset(join(root, name))).rejects.toMatchObject({ code });
  });

  it('has cells as RFC 4180 writes them', async () => {
    write('q.csv', 'a,b\n"x ""y"", z",1\n"two\nlines",\n,3\n');
    expect((await readTable(join(root, 'q.csv'))).map((row) => [row.get('a'), row.get('b')])).toEqual([
      ['x "y", z', '1'],
      ['two\nlines', ''],
      ['', '3'],
    ]);
  });
});
