import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../lib/datasets/fingerprint.js';
import { openDataset } from '../lib/datasets/index.js';
import { createModel, loadModel, Model, SHIPPED_MODEL } from '../lib/model/model.js';
import { MAX_SAMPLES_OF_WORD } from '../lib/page/limits.js';
import { samplesFor } from '../lib/page/samples.js';
import { sharesOf } from '../lib/page/shares.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-samples-'));
  for (const [k, word] of ['yes', 'no'].entries()) {
    await mkdir(join(folder, 'my-words', word), { recursive: true });
    for (let i = 0; i < 2 * MAX_SAMPLES_OF_WORD; i++) {
      await copyFile(`samples/${k}_kal_0.wav`, join(folder, 'my-words', word, `anna_${i}.wav`));
    }
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A model of these words that says that it was trained on a data set. */
async function trainedOn(labels: string[], print: string): Promise<Model> {
  const { settings } = await loadModel();
  const training = { dataset: { fingerprint: print } };
  return new Model({ ...settings, labels }, {}, { training });
}

describe('samples', () => {
  it('of the included model are the included clips', async () => {
    const samples = await samplesFor(await loadModel(), SHIPPED_MODEL, undefined);
    expect(samples!.offered).toMatchObject({ source: 'included', first: '7_kal_0.wav' });
    expect(samples!.offered.words.map(({ label }) => label)).toEqual([...'0123456789']);
  });

  it('of a model that writes its numbers out are the included clips too', async () => {
    const samples = await samplesFor(await trainedOn(['seven', 'no'], 'x'), 'x', undefined);
    const [seven, ...others] = samples!.offered.words;
    expect(seven!.label).toBe('seven');
    expect(seven!.names.every((name) => name.startsWith('7_'))).toBe(true);
    expect(others).toEqual([]);
  });

  it('of own words are those of the folder beside the model that it was trained on', async () => {
    const { layout, clips } = await openDataset(join(folder, 'my-words'));
    const file = join(folder, 'model.safetensors');
    const own = await trainedOn(['no', 'yes'], fingerprint(layout, clips));
    const samples = await samplesFor(own, file, undefined);
    expect(samples!.offered).toMatchObject({ source: 'training', folder: 'my-words' });
    const [no] = samples!.offered.words;
    expect(no).toMatchObject({ label: 'no' });
    expect(no!.names).toHaveLength(MAX_SAMPLES_OF_WORD);
    // From the whole of the word's clips.
    expect(new Set(no!.names).size).toBe(MAX_SAMPLES_OF_WORD);
    expect(samples!.clips.get(no!.names[0]!)).toMatchObject({
      file: join(folder, 'my-words', ...no!.names[0]!.split('/')),
    });

    const other = await trainedOn(['no', 'yes'], 'of another folder');
    expect(await samplesFor(other, file, undefined)).toBeNull();
  });

  it('are those of a folder that was named, as far as the model knows its words', async () => {
    const { settings } = await loadModel();
    const model = await createModel({ ...settings, labels: ['yes', 'stop'] });
    const samples = await samplesFor(model, 'x', join(folder, 'my-words'));
    expect(samples!.offered).toMatchObject({ source: 'named', words: [{ label: 'yes' }] });
    await expect(samplesFor(model, 'x', join(folder, 'nothing'))).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
    });
  });
});

describe('shares', () => {
  it.each([
    ['more than the softmax', [0.8, 0.15, 0.05], 0.96, [0.96, 0.03, 0.01], 0],
    ['less than the softmax', [0.8, 0.15, 0.05], 0.4, [0.4, 0.075, 0.025], 0.5],
    ['the softmax itself', [0.2, 0.7, 0.1], 0.7, [0.2, 0.7, 0.1], 0],
    ['nothing', [0, 1, 0], 0, [0, 0, 0], 1],
    ['everything', [0, 1, 0], 1, [0, 1, 0], 0],
  ])('of a confidence that is %s give the best word just that', (_, softmax, confidence, words, other) => {
    const best = softmax.indexOf(Math.max(...softmax));
    const shares = sharesOf(softmax, best, confidence);
    expect(shares.words[best]).toBe(confidence);
    for (const [k, share] of words.entries()) expect(shares.words[k]).toBeCloseTo(share, 12);
    expect(shares.other).toBeCloseTo(other, 12);
  });
});
