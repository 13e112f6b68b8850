// Clips that are trained on and tested: copies under any name, extra data, data sets that changed, runs that go on.
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeWav } from '../lib/audio/wav-writer.js';
import { readModelFile } from '../lib/files/model-file.js';
import { evaluate, loadModel, train } from '../lib/index.js';
import { clipHash, HASH_BYTES, packHashes, unpackHashes } from '../lib/support/clip-hash.js';
import { Random } from '../lib/support/random.js';
import { run as runCli } from './helpers/cli.js';
import { quickTraining } from './helpers/training.js';
import { pcm16, wav } from './helpers/wav.js';

let root: string;
let data: string;
let number = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sonospike-leaks-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  data = await makeData(['low', 'high'], 8);
});

/** 16-bit samples of a word, different for each seed. */
function samples(word: number, seed: string): number[] {
  const random = new Random(seed);
  const hertz = 300 + 900 * word + random.uniform(0, 100);
  return Array.from({ length: 3000 }, (_, i) =>
    Math.round(6000 * Math.sin((2 * Math.PI * hertz * i) / 8000) + random.uniform(-300, 300)),
  );
}

const bytesOf = (values: number[]) => wav(pcm16(values), { sampleRate: 8000 });

/** A folder for each word with so many clips. */
async function makeData(words: string[], clips: number): Promise<string> {
  const folder = join(root, `data${number++}`);
  for (const [k, word] of words.entries()) {
    await mkdir(join(folder, word), { recursive: true });
    for (let i = 0; i < clips; i++)
      await writeFile(join(folder, word, `${i}.wav`), bytesOf(samples(k, `${word} ${i}`)));
  }
  return folder;
}

function recipe(more: object) {
  const { settings, ...options } = quickTraining({ data, epochs: 2, validation: 0, ...more });
  return { ...options, settings: { ...settings!, labels: ['high', 'low'] } };
}

const file = (name: string) => join(root, `${name}${number}.safetensors`);

describe('a hash of a clip', () => {
  it('is that of the samples and their rate', () => {
    const clip = Float32Array.of(0.5, -0.25, 0);
    expect(clipHash(clip, 8000)).toBe(clipHash(Float32Array.of(9, 0.5, -0.25, 0).subarray(1), 8000));
    expect(clipHash(clip, 16_000)).not.toBe(clipHash(clip, 8000));
    expect(clipHash(Float32Array.of(0.5, -0.25), 8000)).not.toBe(clipHash(clip, 8000));
    expect(clipHash(clip, 8000)).toBeLessThan(2 ** (8 * HASH_BYTES));
  });

  it('is packed in five bytes, in order and once', () => {
    const packed = packHashes([7, 2 ** 40 - 1, 0, 7]);
    expect([...packed]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 255, 255, 255, 255, 255]);
    expect([...unpackHashes(packed)]).toEqual([0, 7, 2 ** 40 - 1]);
  });
});

describe('training', () => {
  it('leaves copies of test clips out, whatever their names', async () => {
    for (const word of ['low', 'high']) {
      for (let i = 0; i < 8; i++)
        await copyFile(join(data, word, `${i}.wav`), join(data, word, `copy of ${i}.wav`));
    }
    const { test, model } = await train(recipe({ split: 'random:0.25' }));
    const copies = test.skipped.filter(({ reason }) => /the same sound as .* of the test part/.test(reason));
    expect(copies.length).toBeGreaterThan(0);
    expect(copies.every(({ reason }) => reason.startsWith('left out of the train part'))).toBe(true);
    expect(test.seenInTraining).toBe(0);
    const found = await evaluate({ data, model, split: 'random:0.25' });
    expect(found.seenInTraining).toBe(0);
    await expect(train(recipe({ split: 'random:0.25', strict: true }))).rejects.toMatchObject({
      code: 'ERR_DATASET_DUPLICATE',
    });
  });

  it('leaves test clips in extra data out, also in another encoding', async () => {
    const extra = join(root, `extra${number++}`);
    for (const [k, word] of ['low', 'high'].entries()) {
      await mkdir(join(extra, word), { recursive: true });
      for (let i = 0; i < 8; i++) {
        const values = Float32Array.from(samples(k, `${word} ${i}`), (value) => value / 32768);
        await writeFile(join(extra, word, `other name ${i}.wav`), encodeWav(values, 8000));
      }
      await writeFile(join(extra, word, 'new.wav'), bytesOf(samples(k, `${word} new`)));
    }
    const words: unknown[] = [];
    const { test } = await train(
      recipe({
        extraData: extra,
        split: 'random:0.25',
        onData: (report: { words: unknown }) => words.push(report.words),
      }),
    );
    expect(test.skipped).toHaveLength(test.clips);
    expect(test.seenInTraining).toBe(0);
    expect(words).toEqual([
      [
        { word: 'high', train: 13, validation: 0, test: 2 },
        { word: 'low', train: 13, validation: 0, test: 2 },
      ],
    ]);
  });

  it('leaves copies of test clips out of the validation part too', async () => {
    for (let i = 0; i < 8; i++)
      await copyFile(join(data, 'low', `${i}.wav`), join(data, 'low', `again ${i}.wav`));
    const { test } = await train(recipe({ split: 'random:0.4', validation: 0.4, seed: 3 }));
    const reasons = test.skipped.map(({ reason }) => reason.slice(0, 'left out of the validation'.length));
    expect(reasons).toContain('left out of the validation');
    expect(reasons.some((reason) => reason.startsWith('left out of the train '))).toBe(true);
  });

  it('does not go on with other recordings under the same names', async () => {
    const [checkpoint, stop] = [file('stopped'), new AbortController()];
    const options = recipe({ split: 'random:0.25', epochs: 3 });
    await expect(
      train({ ...options, checkpoint, signal: stop.signal, onEpoch: () => stop.abort() }),
    ).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const name = join(data, 'low', '0.wav');
    await writeFile(name, bytesOf(samples(1, 'another')));
    await expect(train({ data, resume: checkpoint })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_INVALID',
      message: expect.stringContaining('other recordings under the same names'),
    });
    await writeFile(name, bytesOf(samples(0, 'low 0')));
    expect((await train({ data, resume: checkpoint })).epochs).toHaveLength(3);
  });

  it('goes on from a checkpoint of version 0.1.0, which does not tell the samples', async () => {
    const [checkpoint, stop] = [file('old'), new AbortController()];
    const options = recipe({ split: 'random:0.25', epochs: 3 });
    const whole = await train(options);
    await expect(
      train({ ...options, checkpoint, signal: stop.signal, onEpoch: () => stop.abort() }),
    ).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const { writeModelFile } = await import('../lib/files/model-file.js');
    const saved = await readModelFile(checkpoint);
    const json = saved.state!.json as { fingerprint: string };
    json.fingerprint = json.fingerprint.replace(/ content:\w+$/, '');
    await writeModelFile(checkpoint, { ...saved, clipHashes: null });
    const resumed = await train({ data, resume: checkpoint });
    expect(resumed.model.parameters()).toEqual(whole.model.parameters());
  });
});

describe('an evaluation', () => {
  it('knows training clips in a data set that changed, and tells the accuracy on the others', async () => {
    const out = file('model');
    const { test } = await train(recipe({ out, split: 'random:0.25' }));
    const moved = join(root, `moved${number++}`);
    for (const [k, word] of ['low', 'high'].entries()) {
      await mkdir(join(moved, word), { recursive: true });
      const names = await readdir(join(data, word));
      for (const name of names) await copyFile(join(data, word, name), join(moved, word, `was ${name}`));
      await writeFile(join(moved, word, 'new.wav'), bytesOf(samples(k, `${word} new`)));
    }
    const found = await evaluate({ data: moved, model: out });
    expect(found.clips).toBe(18);
    expect(found.seenInTraining).toBe(16 - test.clips);
    expect(found.predictions.filter((of) => of.seenInTraining)).toHaveLength(16 - test.clips);
    const others = found.predictions.filter((of) => !of.seenInTraining);
    const right = others.filter(({ label, predicted }) => label === predicted).length;
    expect(found.unseen).toEqual({ clips: others.length, accuracy: right / others.length });
    const { stderr } = await runCli(['evaluate', '--data', moved, '--model', out]);
    expect(stderr).toContain(`${16 - test.clips} of these 18 clips were in the training part of the model`);
  });

  it('says that it cannot know where the file has no hashes', async () => {
    const [out, other] = [file('hashed'), file('without')];
    const { test } = await train(recipe({ out, split: 'random:0.25' }));
    const elsewhere = await makeData(['low', 'high'], 3);
    const tested = test.predictions.filter(({ file }) => /[012]\.wav$/.test(file)).length;
    expect((await evaluate({ data: elsewhere, model: out })).seenInTraining).toBe(6 - tested);
    const model = await loadModel(out);
    await model.save(other);
    expect((await readModelFile(other)).clipHashes).toEqual((await readModelFile(out)).clipHashes);
    await model.save(other, { hashes: false });
    expect((await evaluate({ data: elsewhere, model: other })).seenInTraining).toBeNull();
    const { stderr } = await runCli(['evaluate', '--data', elsewhere, '--model', other]);
    expect(stderr).toContain('does not tell which clips it was trained on');
    await expect(model.save(other, { hash: false } as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    });
  });

  it('knows none after strip', async () => {
    const [out, stripped] = [file('whole'), file('stripped')];
    await train(recipe({ out, split: 'random:0.25' }));
    expect((await runCli(['strip', out, '--out', stripped])).status).toBe(0);
    expect([
      (await readModelFile(out)).clipHashes?.length,
      (await readModelFile(stripped)).clipHashes,
    ]).toEqual([12 * HASH_BYTES, undefined]);
    await train(recipe({ out, split: 'random:0.25', strip: true }));
    expect((await readModelFile(out)).clipHashes).toBeUndefined();
  });
});

describe('words under other names', () => {
  it('are those that the model knows', async () => {
    const { settings, ...options } = quickTraining({
      data: await makeData(['3', '4'], 4),
      epochs: 1,
      validation: 0,
    });
    const { model } = await train({
      ...options,
      split: 'random:0.25',
      settings: { ...settings!, labels: ['3', '4'] },
    });
    const found = await evaluate({ data: await makeData(['Three', 'four'], 2), model });
    expect(found.renamed).toEqual({ Three: '3', four: '4' });
    expect(found.labels).toEqual(['3', '4']);
    expect(found.perClass.map(({ clips }) => clips)).toEqual([2, 2]);
  });
});
