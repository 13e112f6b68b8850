// Files that earlier versions wrote, kept as they were written: this version loads them, with the same bits, and
// resumes their trainings. test/fixtures/VERSION holds those of a version; scores.json is what that version itself
// gave for a clip, with each instruction set.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadModel, train } from '../lib/index.js';
import { native } from '../lib/native/load.js';
import { SAMPLES } from './helpers/training.js';

const clip = join(SAMPLES, '7_kal_0.wav');
const FILES = ['convolution', 'convolution.checkpoint', 'counting', 'counting.checkpoint'] as const;

type Scores = Record<string, Record<(typeof FILES)[number], number[]>>;

const { instructionSet: usual, instructionSets: sets } = native().info();
afterEach(() => {
  native().selectInstructionSet(usual);
});

describe.each(['0.1.0'])('files of version %s', (version) => {
  const fixture = (name: string) => resolve('test/fixtures', version, name);
  const scores = JSON.parse(readFileSync(fixture('scores.json'), 'utf8')) as Scores;

  it.each(FILES.flatMap((file) => sets.map((set) => [file, set] as const)))(
    '%s gives its scores, with %s',
    async (file, set) => {
      native().selectInstructionSet(set);
      const model = await loadModel(fixture(`${file}.safetensors`));
      const found = (await model.predict(clip)).scores;
      const exact = scores[set]?.[file];
      if (exact) expect(found).toEqual(exact);
      else for (const [i, score] of scores.baseline![file].entries()) expect(found[i]).toBeCloseTo(score, 4);
    },
  );

  it.each(['convolution', 'counting'])(
    'the training of %s is resumed to the model that was kept',
    async (name) => {
      const { model, epochs } = await train({
        data: SAMPLES,
        resume: fixture(`${name}.checkpoint.safetensors`),
        threads: 2,
        device: 'cpu',
      });
      expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
      const [found, kept] = [
        model.parameters(),
        (await loadModel(fixture(`${name}.safetensors`))).parameters(),
      ];
      expect([...found.keys()]).toEqual([...kept.keys()]);
      for (const [parameter, { shape, data }] of kept) {
        const other = found.get(parameter)!;
        expect(other.shape).toEqual(shape);
        // The files were written with AVX-512; other instruction sets round differently.
        if (usual === 'avx512') expect(other.data, parameter).toEqual(data);
        else for (const [i, value] of data.entries()) expect(other.data[i], parameter).toBeCloseTo(value, 5);
      }
    },
  );
});
