import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clip } from '../lib/datasets/clip.js';
import { requireDataset } from '../lib/datasets/dataset.js';
import { type Dataset, openDataset } from '../lib/datasets/index.js';
import { sortedNames } from '../lib/datasets/names.js';
import {
  describeSplit,
  type Split,
  type SplitOptions,
  splitDataset,
  splitFolds,
} from '../lib/datasets/split.js';
import { SonospikeError } from '../lib/support/errors.js';
import { hash32 } from '../lib/support/random.js';
import { needs } from './helpers/data.js';

const fsdd = needs('data/fsdd/recordings');

function dataset(layout: Dataset['layout'], clips: Clip[]): Dataset {
  const labels = sortedNames(clips.map((clip) => clip.label));
  const speakers = sortedNames(clips.flatMap((clip) => clip.speaker ?? []));
  return { directory: '/d', layout, clips, labels, speakers, skipped: [] };
}

/** Each label as often as its count says, takes numbered from 0, dealt out to the speakers in turn. */
function recordings(layout: Dataset['layout'], counts: Record<string, number>, speakers: string[]): Dataset {
  const clips = Object.entries(counts).flatMap(([label, count]) =>
    Array.from({ length: count }, (_, i): Clip => {
      const speaker = speakers[i % speakers.length]!;
      const index = Math.floor(i / speakers.length);
      const folder = layout === 'audiomnist' ? speaker : layout === 'fsdd' ? 'recordings' : label;
      return { file: `/d/${folder}/${label}_${speaker}_${index}.wav`, label, speaker, index };
    }),
  );
  return dataset(layout, clips);
}

const audioMnist = recordings(
  'audiomnist',
  { 0: 180, 1: 180, 2: 180 },
  Array.from({ length: 60 }, (_, i) => String(i + 1).padStart(2, '0')),
);

function speakersOf(clips: Clip[]): string[] {
  return sortedNames(clips.map((clip) => clip.speaker!));
}

function count(clips: Clip[], label: string): number {
  return clips.filter((clip) => clip.label === label).length;
}

function failure(data: Dataset, spec: string, options?: SplitOptions): SonospikeError {
  try {
    splitDataset(data, spec, options);
  } catch (error) {
    expect(error).toBeInstanceOf(SonospikeError);
    return error as SonospikeError;
  }
  throw new Error(`${spec} did not fail`);
}

/** Every clip of the dataset is in exactly one part. */
function expectPartition(split: Split, data: Dataset): void {
  const all = [...split.train, ...split.validation, ...split.test].map((clip) => clip.file);
  expect([...all].sort()).toEqual(data.clips.map((clip) => clip.file).sort());
}

const anyDataset = fc
  .record({
    layout: fc.constantFrom('fsdd' as const, 'folders' as const),
    counts: fc.dictionary(
      fc.constantFrom('0', '1', '7', 'seven', 'семь', '七'),
      fc.integer({ min: 12, max: 60 }),
      { minKeys: 2 },
    ),
    speakers: fc.uniqueArray(fc.constantFrom('ann', 'bob', 'cy', 'dora', 'ed', 'füsun'), { minLength: 3 }),
  })
  .map(({ layout, counts, speakers }) => recordings(layout, counts, speakers));
const seed = fc.nat(1000);
const fraction = fc.double({ min: 0.05, max: 0.9, noNaN: true });

describe('every split', () => {
  it('puts each clip into one part, whatever the order of the files', () => {
    const spec = fc.oneof(
      fraction.map((value) => `random:${value}`),
      fc.constantFrom('leave-one-speaker-out', 'speakers:ann,bob', 'speakers:cy', 'all'),
    );
    fc.assert(
      fc.property(
        anyDataset,
        spec,
        seed,
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.nat(),
        (data, how, number, validation, order) => {
          const known = new Set(data.speakers);
          fc.pre(
            !how.startsWith('speakers:') ||
              how
                .slice(9)
                .split(',')
                .every((name) => known.has(name)),
          );
          const options = {
            seed: number,
            validation,
            fold: how.startsWith('leave') ? data.speakers.length : 1,
          };
          const split = splitDataset(data, how, options);
          expectPartition(split, data);
          const turned = [...data.clips].sort(
            (a, b) => hash32(`${order}${a.file}`) - hash32(`${order}${b.file}`),
          );
          expect(splitDataset({ ...data, clips: turned }, how, options)).toEqual(split);
          expect(validation > 0 || split.validation.length === 0).toBe(true);
        },
      ),
    );
  });

  it('does not depend on where the dataset lies', () => {
    const data = recordings('folders', { a: 30, b: 30 }, ['x', 'y', 'z']);
    const moved = { ...data, clips: data.clips.map((clip) => ({ ...clip, file: `/elsewhere${clip.file}` })) };
    const names = (split: Split) =>
      [split.validation, split.test].map((part) => part.map((clip) => clip.file.split('/d/')[1]));
    expect(names(splitDataset(moved, 'random:0.3'))).toEqual(names(splitDataset(data, 'random:0.3')));
  });

  it('is drawn by a hash that stays as it is', () => {
    expect([hash32(''), hash32('a'), hash32('7\0test\0семь')]).toMatchInlineSnapshot(`
      [
        2872998923,
        444641715,
        2776415275,
      ]
    `);
  });
});

describe('random:<fraction>', () => {
  it('is stratified within one clip of each label, and the seed matters', () => {
    fc.assert(
      fc.property(anyDataset, fraction, fraction, seed, (data, share, validation, number) => {
        const split = splitDataset(data, `random:${share}`, { seed: number, validation });
        for (const label of data.labels) {
          const all = count(data.clips, label);
          const rest = all - count(split.test, label);
          expect(Math.abs(count(split.test, label) - all * share)).toBeLessThanOrEqual(1);
          expect(Math.abs(count(split.validation, label) - rest * validation)).toBeLessThanOrEqual(1);
          expect(count(split.train, label)).toBeGreaterThan(0);
        }
        expect(Math.abs(split.test.length - data.clips.length * share)).toBeLessThanOrEqual(1);
      }),
    );
    const data = recordings('folders', { a: 50, b: 50 }, ['x']);
    const tests = [1, 2, 3].map((number) => splitDataset(data, 'random:0.5', { seed: number }).test);
    expect(new Set(tests.map((clips) => JSON.stringify(clips))).size).toBe(3);
  });

  it('gives few clips of each label a validation part too, and leaves one to train on', () => {
    const data = recordings('folders', { a: 4, b: 4, c: 4, d: 1 }, ['x']);
    const split = splitDataset(data, 'random:0.25');
    expect([split.train.length, split.validation.length, split.test.length]).toEqual([9, 1, 3]);
    expect(count(split.train, 'd')).toBe(1);
  });

  it('leaves words with few clips whole where asked to', () => {
    const data = recordings('folders', { a: 100, b: 20, c: 21 }, ['x']);
    const split = splitDataset(data, 'random:0.2:20', { validation: 0.1 });
    expect([count(split.train, 'b'), count(split.test, 'b'), count(split.validation, 'b')]).toEqual([
      20, 0, 0,
    ]);
    expect(count(split.test, 'a') + count(split.test, 'c')).toBe(24);
    expect(count(split.test, 'c')).toBeGreaterThanOrEqual(4);
    expect([...split.train, ...split.validation, ...split.test]).toHaveLength(141);
    const all = splitDataset(data, 'random:0.2:0');
    expect({ ...all, name: '' }).toEqual({ ...splitDataset(data, 'random:0.2'), name: '' });
    expect(failure(data, 'random:0.2:100').message).toContain('test part would have no clips');
  });

  it('none holds out no test clips', () => {
    const data = recordings('folders', { a: 10, b: 10 }, ['x']);
    expect(splitDataset(data, 'none', { validation: 0 })).toMatchObject({ validation: [], test: [] });
    const { train, validation } = splitDataset(data, 'none', { validation: 0.2 });
    expect([train.length, validation.length]).toEqual([16, 4]);
  });

  it.each([
    'random:0.2:',
    'random:0.2:x',
    'random:0.2:-1',
    'random:0.2:1.5',
    'random:',
    'random:0',
    'random:1',
    'random:-0.1',
    'random:2',
    'random:x',
    'random:NaN',
    'random',
  ])('rejects %s', (spec) => {
    expect(failure(audioMnist, spec).code).toBe('ERR_SPLIT_INVALID');
  });

  it('rejects what leaves a part empty', () => {
    const data = recordings('folders', { a: 1, b: 1 }, ['x']);
    expect(failure(data, 'random:0.5', { validation: 0 }).message).toContain('test part would have no clips');
    expect(failure(recordings('folders', { a: 2, b: 2 }, ['x']), 'random:0.5').message).toContain(
      'validation',
    );
  });
});

describe('by speakers', () => {
  it('never puts a speaker into two parts, in any fold', () => {
    fc.assert(
      fc.property(anyDataset, seed, fraction, (data, number, validation) => {
        const validators: string[] = [];
        for (let fold = 1; fold <= splitFolds(data, 'leave-one-speaker-out'); fold++) {
          const split = splitDataset(data, 'leave-one-speaker-out', { fold, seed: number, validation });
          const parts = [split.train, split.validation, split.test].map(speakersOf);
          expect(parts[2]).toEqual([data.speakers[fold - 1]]);
          expect([...parts[0]!, ...parts[1]!]).not.toContain(data.speakers[fold - 1]);
          for (const part of parts) expect(part.length).toBeGreaterThan(0);
          const others = data.speakers.length - 1;
          if (Math.round(others * validation) < 1 || others < 2) {
            // Too few speakers to spare one: clips of all of them validate.
            expect(parts[0]).toHaveLength(others);
            expect([...split.train, ...split.validation]).toHaveLength(data.clips.length - split.test.length);
            continue;
          }
          expect(parts.flat().sort()).toEqual([...data.speakers].sort());
          validators.push(...parts[1]!);
        }
        const times = data.speakers.map((name) => validators.filter((other) => other === name).length);
        expect(Math.max(...times)).toBe(Math.min(...times));
      }),
    );
  });

  it('tests on the speakers that are named', () => {
    const data = recordings('fsdd', { 0: 30, 1: 30 }, ['ann', 'bob', 'cy', 'dora']);
    const split = splitDataset(data, 'speakers:dora, ann', { validation: 0 });
    expect([speakersOf(split.train), speakersOf(split.test)]).toEqual([
      ['bob', 'cy'],
      ['ann', 'dora'],
    ]);
    expect(splitDataset(data, 'speakers:ann,dora')).toMatchObject({ test: split.test });
    const single = splitDataset(data, 'speakers:ann,bob,cy');
    expect([speakersOf(single.train), speakersOf(single.validation)]).toEqual([['dora'], ['dora']]);
    expect(single.validation).toHaveLength(
      Math.round(0.1 * (single.train.length + single.validation.length)),
    );
  });

  it('rejects unknown names, nobody left to train on, and clips of unknown speakers', () => {
    const data = recordings('fsdd', { 0: 30, 1: 30 }, ['ann', 'bob']);
    expect(failure(data, 'speakers:eve').message).toContain('ann, bob');
    expect(failure(data, 'speakers:').code).toBe('ERR_SPLIT_INVALID');
    expect(failure(data, 'speakers:ann,,bob').code).toBe('ERR_SPLIT_INVALID');
    expect(failure(data, 'speakers:ann,bob').message).toContain('train part would have no clips');
    const unnamed = dataset(
      'folders',
      data.clips.map((clip, i) => (i === 7 ? { ...clip, speaker: null } : clip)),
    );
    expect(failure(unnamed, 'leave-one-speaker-out').message).toContain(unnamed.clips[7]!.file);
    const nobody = dataset(
      'folders',
      data.clips.map((clip) => ({ ...clip, speaker: null })),
    );
    expect(failure(nobody, 'leave-one-speaker-out').code).toBe('ERR_SPLIT_INVALID');
  });
});

describe('official', () => {
  it('of AudioMNIST is that of its authors', () => {
    expect(splitFolds(audioMnist, 'official')).toBe(5);
    const folds = [1, 2, 3, 4, 5].map((fold) => splitDataset(audioMnist, 'official', { fold }));
    for (const split of folds) {
      expectPartition(split, audioMnist);
      expect([split.train, split.validation, split.test].map((part) => speakersOf(part).length)).toEqual([
        36, 12, 12,
      ]);
    }
    const [first, ...others] = folds;
    expect(speakersOf(first!.test).join(' ')).toBe('05 13 18 22 26 32 33 42 45 51 52 60');
    expect(speakersOf(first!.validation).join(' ')).toBe('04 11 12 15 21 27 31 41 44 47 50 59');
    for (const [i, split] of others.entries()) expect(split.validation).toEqual(folds[i]!.test);
    expect(folds.flatMap((split) => split.test)).toHaveLength(audioMnist.clips.length);
    expect(splitDataset(audioMnist, 'official', { validation: 0 }).train).toHaveLength(48 * 9);
  });

  it('exists for AudioMNIST’s speakers only', () => {
    for (const name of ['61', 'me', '00']) {
      const error = failure(recordings('audiomnist', { 0: 9, 1: 9 }, ['01', name]), 'official');
      expect(error.message).toMatch(new RegExp(`${name}.*random:<fraction>`));
    }
    const folders = recordings('folders', { a: 30, b: 30 }, ['x']);
    expect(failure(folders, 'official').message).toContain('random:<fraction>');
  });

  it('of a part of AudioMNIST works where its groups have clips', () => {
    const few = recordings('audiomnist', { 0: 9, 1: 9 }, ['01', '02', '03', '04', '05']);
    expect(speakersOf(splitDataset(few, 'official').test)).toEqual(['05']);
    const one = recordings('audiomnist', { 0: 9, 1: 9 }, ['01']);
    expect(failure(one, 'official').message).toContain('test part would have no clips');
  });

  it('of FSDD without its first takes is impossible', () => {
    const data = recordings('fsdd', { 0: 30, 1: 30 }, ['ann']);
    const late = dataset(
      'fsdd',
      data.clips.filter((clip) => clip.index! > 4),
    );
    expect(failure(late, 'official').code).toBe('ERR_SPLIT_INVALID');
  });

  it.skipIf(fsdd.missing)('of FSDD tests on takes 0 to 4', async () => {
    const data = await openDataset(fsdd.path);
    const split = splitDataset(data, 'official', { seed: 3 });
    expectPartition(split, data);
    expect(split.test.map((clip) => clip.index! < 5)).toEqual(new Array(300).fill(true));
    expect(data.labels.map((label) => count(split.validation, label))).toEqual(new Array(10).fill(27));
    expect(describeSplit(split)).toBe(
      'official, seed 3: train 2430 (6 speakers), validation 270 (6 speakers), test 300 (6 speakers)',
    );
    expect(splitFolds(data, 'leave-one-speaker-out')).toBe(6);
    const left = splitDataset(data, 'leave-one-speaker-out', { fold: 2 });
    expect(describeSplit(left)).toBe(
      'leave-one-speaker-out fold 2 of 6 (jackson), seed 0: ' +
        'train 2000 (4 speakers), validation 500 (1 speaker), test 500 (1 speaker)',
    );
  });
});

describe('wrong arguments', () => {
  it.each<[string, SplitOptions, string]>([
    ['halves', {}, 'ERR_SPLIT_INVALID'],
    ['', {}, 'ERR_SPLIT_INVALID'],
    ['official', { fold: 6 }, 'ERR_SPLIT_INVALID'],
    ['official', { fold: 0 }, 'ERR_SPLIT_INVALID'],
    ['official', { fold: 1.5 }, 'ERR_SPLIT_INVALID'],
    ['random:0.5', { fold: 2 }, 'ERR_SPLIT_INVALID'],
    ['official', { seed: -1 }, 'ERR_INVALID_OPTION'],
    ['official', { seed: 0.5 }, 'ERR_INVALID_OPTION'],
    ['official', { validation: 1 }, 'ERR_INVALID_OPTION'],
    ['official', { validation: Number.NaN }, 'ERR_INVALID_OPTION'],
    ['official', { validation: '0.1' as unknown as number }, 'ERR_INVALID_OPTION'],
  ])('%s %o', (spec, options, code) => {
    expect(failure(audioMnist, spec, options).code).toBe(code);
  });
});

describe('arguments of a wrong type', () => {
  const data = recordings('fsdd', { a: 4, b: 4 }, ['x', 'y']);
  const refusal = (text: string) =>
    expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining(text) });

  it.each<[string, unknown]>([
    ['null', null],
    ['nothing', undefined],
    ['a path', 'data/fsdd'],
    ['an empty object', {}],
    ['an array', []],
    ['an unknown layout', { ...data, layout: 'heap' }],
    ['no directory', { ...data, directory: undefined }],
    ['clips that are paths', { ...data, clips: ['a.wav'] }],
    ['a clip of null', { ...data, clips: [null] }],
    ['a clip without a speaker', { ...data, clips: [{ file: 'a.wav', label: 'a', index: 0 }] }],
    ['labels that are numbers', { ...data, labels: [1, 2] }],
    ['no speakers', { ...data, speakers: null }],
    ['no list of what was skipped', { ...data, skipped: undefined }],
  ])('%s as the dataset', (_name, value) => {
    for (const call of [requireDataset, splitFolds, splitDataset]) {
      expect(() => call(value as Dataset, 'all')).toThrow(refusal(''));
    }
  });

  it.each([null, undefined, 7, Symbol('all'), ['all']])('%s as the split', (spec) => {
    expect(() => splitDataset(data, spec as never)).toThrow(refusal('the split is'));
    expect(() => splitFolds(data, spec as never)).toThrow(refusal('the split is'));
  });

  it.each([null, 7, [], 'seed'])('%s as the options', (options) => {
    expect(() => splitDataset(data, 'all', options as never)).toThrow(refusal('options is'));
  });

  it('an unknown option, and the one that was meant', () => {
    expect(() => splitDataset(data, 'all', { folds: 1 } as never)).toThrow(refusal('Did you mean fold?'));
  });

  it.each([
    null,
    undefined,
    'all',
    {},
    { name: 'all' },
    { name: 'all', train: [], validation: [], test: [0] },
  ])('%j as what is described', (split) => {
    expect(() => describeSplit(split as never)).toThrow(refusal(''));
  });
});
