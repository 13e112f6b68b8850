// Clips that are none of the words: the label `_unknown_`.
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from '../lib/cli/args.js';
import { TRAIN_OPTIONS } from '../lib/cli/train-options.js';
import { evaluate, openDataset, train } from '../lib/index.js';
import { quickTraining, SAMPLES } from './helpers/training.js';

let root: string;

/** Folders of words with the samples of some digits in them; what is called `_unknown_` has other digits. */
async function makeFolders(name: string, folders: Record<string, string>): Promise<string> {
  const names = (await readdir(SAMPLES)).filter((file) => file.endsWith('.wav'));
  for (const [folder, digits] of Object.entries(folders)) {
    await mkdir(join(root, name, folder), { recursive: true });
    for (const file of names.filter((each) => digits.includes(each[0]!))) {
      await copyFile(join(SAMPLES, file), join(root, name, folder, file));
    }
  }
  return join(root, name);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sonospike-unknown-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('openDataset', () => {
  it('gives them as clips, but their label not among the words', async () => {
    const directory = await makeFolders('words', { one: '1', two: '2', _unknown_: '89' });
    const { labels, clips } = await openDataset(directory);
    expect(labels).toEqual(['one', 'two']);
    const unknown = clips.filter(({ label }) => label === '_unknown_');
    expect(unknown).toHaveLength(clips.length / 2);
  });

  it('takes a folder that has nothing else', async () => {
    const { labels, clips } = await openDataset(await makeFolders('others', { _unknown_: '0' }));
    expect(labels).toEqual([]);
    expect(clips.length).toBeGreaterThan(0);
  });

  it('finds them in a folder of label_speaker_index.wav', async () => {
    const directory = join(root, 'flat');
    await mkdir(directory);
    const from = join(SAMPLES, '0_awb_0.wav');
    for (const name of ['0_awb_0', '1_awb_0', '_unknown__awb_0', '_unknown__awb_1']) {
      await copyFile(from, join(directory, `${name}.wav`));
    }
    const { layout, labels, clips } = await openDataset(directory, { strict: true });
    expect([layout, labels]).toEqual(['fsdd', ['0', '1']]);
    expect(clips.map(({ label, speaker, index }) => [label, speaker, index])).toEqual([
      ['0', 'awb', 0],
      ['1', 'awb', 0],
      ['_unknown_', 'awb', 0],
      ['_unknown_', 'awb', 1],
    ]);
  });
});

it('the command line takes several extra directories', () => {
  const { options } = parseOptions(['--extra-data', 'a', '--seed=1', '--extra-data=b'], TRAIN_OPTIONS);
  expect(options).toMatchObject({ extraData: ['a', 'b'], seed: 1 });
  expect(parseOptions([], TRAIN_OPTIONS).options.extraData).toBeUndefined();
});

describe('training and evaluation', () => {
  it('train on them, and count the words alone', async () => {
    const data = await makeFolders('digits', { 1: '1', 2: '2', 3: '3', _unknown_: '789' });
    const options = quickTraining({ data, epochs: 30, learningRate: 0.02, validation: 0.2 });
    const { settings, ...others } = options;
    const { model, epochs, test } = await train({
      ...others,
      settings: { ...settings!, labels: ['1', '2', '3'] },
    });
    expect(model.labels).toEqual(['1', '2', '3']);
    expect(epochs.at(-1)!.train.accuracy).toBeGreaterThan(0.6);
    expect(epochs.at(-1)!.train.accuracy).toBeLessThanOrEqual(1);
    const counted = test.confusion.flat().reduce((a, b) => a + b, 0);
    expect(test.clips).toBe(counted);
    const all = await evaluate({ data, model, split: 'all' });
    expect(all.clips).toBe((await openDataset(data)).clips.length / 2);
    expect(Object.values(all.perSpeaker).reduce((sum, { clips }) => sum + clips, 0)).toBe(all.clips);
    expect(all.accuracy).toBeGreaterThan(0.5);
  });

  it('add those of several extra directories', async () => {
    const extraData = [
      await makeFolders('extra-1', { _unknown_: '7' }),
      await makeFolders('extra-2', { 1: '1', 2: '2' }),
    ];
    const data = await makeFolders('two', { 1: '1', 2: '2' });
    const settings = { ...quickTraining().settings!, labels: ['1', '2'] };
    const options = { ...quickTraining({ data, settings, epochs: 1 }) };
    const plain = await train(options);
    const one = await train({ ...options, extraData: extraData[0]! });
    const both = await train({ ...options, extraData });
    expect(one.model.parameters()).not.toEqual(plain.model.parameters());
    expect(both.model.parameters()).not.toEqual(one.model.parameters());
    expect(both.test.predictions.map(({ file }) => file)).toEqual(
      plain.test.predictions.map(({ file }) => file),
    );
  });

  it('refuse a dataset without words', async () => {
    const data = await makeFolders('nothing', { _unknown_: '0' });
    await expect(train(quickTraining({ data }))).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });
});
