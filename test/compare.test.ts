import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ComparedRun,
  type CompareOptions,
  type CompareProgress,
  type Comparison,
  type ComparisonPlan,
  compare,
  train,
} from '../lib/index.js';
import { quickSettings, SAMPLES } from './helpers/training.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-compare-'));
});
afterAll(() => rm(folder, { recursive: true }));

const OPTIONS = { epochs: 2, batchSize: 8 };
const SLOW = { ...OPTIONS, learningRate: 1e-4 };
const variants = [
  { name: 'quick', settings: quickSettings(), options: OPTIONS },
  { name: 'slow', settings: quickSettings(), options: SLOW },
];

function quick(changes: Partial<CompareOptions> = {}): CompareOptions {
  return {
    data: SAMPLES,
    variants,
    split: 'leave-one-speaker-out',
    seeds: 2,
    folds: [1, 3],
    threads: 2,
    ...changes,
  };
}

/** What does not depend on how fast the machine is, and how its work was shared out. */
function bits({ runs, variants, parallel, threads, ...rest }: Comparison) {
  return {
    ...rest,
    variants: variants.map(({ summary, ...variant }) => ({ ...variant, ...summary, seconds: null })),
    runs: runs.map(({ seconds, ...run }) => run),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('a comparison', () => {
  let result: Comparison;
  const out = () => join(folder, 'whole.json');
  const progress: CompareProgress[] = [];
  beforeAll(async () => {
    result = await compare(quick({ out: out(), onProgress: (report) => progress.push(report) }));
  });

  it('gives of every seed, fold and variant what train gives', async () => {
    expect(result.runs.map(({ seed, fold, variant }) => [seed, fold, variant])).toEqual(
      [0, 1].flatMap((seed) => [1, 3].flatMap((fold) => ['quick', 'slow'].map((name) => [seed, fold, name]))),
    );
    for (const run of result.runs) {
      const { test, bestEpoch } = await train({
        settings: quickSettings(),
        ...(run.variant === 'quick' ? OPTIONS : SLOW),
        data: SAMPLES,
        split: 'leave-one-speaker-out',
        fold: run.fold,
        seed: run.seed,
      });
      const { accuracy, interval, loss, clips, firingRates } = test;
      expect(run).toMatchObject({ accuracy, interval, loss, clips, firingRates, bestEpoch, epochs: 2 });
    }
  });

  it('takes the runs of a variant together, and the differences by seed and fold', () => {
    const of = (name: string) => result.runs.filter(({ variant }) => variant === name);
    const accuracies = (runs: ComparedRun[]) => runs.map(({ accuracy }) => accuracy);
    const [quick, slow] = [accuracies(of('quick')), accuracies(of('slow'))] as [number[], number[]];
    const seeds = [mean(quick.slice(0, 2)), mean(quick.slice(2))] as [number, number];
    const { summary, difference, parameters } = result.variants[0]!;
    expect(difference).toBeNull();
    expect(summary!.runs).toBe(4);
    expect(summary!.accuracy.mean).toBeCloseTo(mean(quick), 12);
    // Of two values the sample standard deviation is their distance by the root of two.
    expect(summary!.accuracy.deviation).toBeCloseTo(Math.abs(seeds[0] - seeds[1]) / Math.SQRT2, 12);
    expect(summary!.loss.mean).toBeCloseTo(mean(of('quick').map(({ loss }) => loss)), 12);
    expect(summary!.firingRate.mean).toBeCloseTo(mean(of('quick').map((run) => mean(run.firingRates))), 12);
    const layers = quickSettings().network.layers.map(({ neurons }) => neurons);
    const inputs = quickSettings().frontend.melBands;
    const dense = (from: number, to: number) => from * to + 3 * to;
    // Weights, and bias, decay and threshold of each neuron; both layers are recurrent.
    const network = dense(inputs, layers[0]!) + dense(layers[0]!, layers[1]!) + 2 * 12 * 12;
    expect(parameters).toBe(network + 10 * layers[1]! + 2 * 10);
    const other = result.variants[1]!.difference!;
    const differences = slow.map((value, i) => value - quick[i]!);
    const deviation = Math.sqrt(
      differences.reduce((sum, x) => sum + (x - mean(differences)) ** 2, 0) / (differences.length - 1),
    );
    const half = (3.182446 * deviation) / Math.sqrt(4);
    expect(other).toMatchObject({ pairs: 4 });
    expect(other.mean).toBeCloseTo(mean(differences), 12);
    expect(other.interval![0]).toBeCloseTo(mean(differences) - half, 6);
    expect(other.interval![1]).toBeCloseTo(mean(differences) + half, 6);
  });

  it('is in its file, and told while it goes on', async () => {
    expect(JSON.parse(await readFile(out(), 'utf8'))).toEqual(JSON.parse(JSON.stringify(result)));
    expect(progress.at(-1)).toEqual({ phase: 'compare', done: 8, total: 8, share: 1 });
    expect(progress.every(({ share }, i) => i === 0 || share >= progress[i - 1]!.share - 1e-9)).toBe(true);
  });

  it('that was stopped goes on with the runs that it has, to the same bits', async () => {
    const file = join(folder, 'stopped.json');
    const controller = new AbortController();
    const stopped = compare(
      quick({
        out: file,
        parallel: 1,
        signal: controller.signal,
        onRun: ({ done }) => done === 3 && controller.abort('enough'),
      }),
    );
    await expect(stopped).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      message: `The comparison was stopped after 3 of 8 runs, which are in ${file}.`,
      file,
    });
    const kept = JSON.parse(await readFile(file, 'utf8')) as Comparison;
    expect([kept.complete, kept.runs.length]).toEqual([false, 3]);
    expect(kept.variants[1]!.difference).toMatchObject({ pairs: 1, interval: null });
    let plan: ComparisonPlan | undefined;
    const ended: ComparedRun[] = [];
    const again = await compare(
      quick({
        out: file,
        resume: true,
        onPlan: (found) => {
          plan = found;
        },
        onRun: ({ run }) => ended.push(run),
      }),
    );
    expect([plan!.kept, plan!.total, ended.length]).toEqual([3, 8, 5]);
    expect(bits(again)).toEqual(bits(result));
    expect(again.runs.slice(0, 3)).toEqual(kept.runs);
  });

  it('grows by seeds and variants, and needs no run for what is there', async () => {
    const file = join(folder, 'grown.json');
    await copyFile(out(), file);
    const more = [
      ...variants,
      { name: 'fast', settings: quickSettings(), options: { ...OPTIONS, learningRate: 0.01 } },
    ];
    const grown = await compare(quick({ out: file, resume: true, variants: more, seeds: 3 }));
    expect(grown.runs).toHaveLength(18);
    expect(grown.runs.filter(({ variant, seed }) => variant !== 'fast' && seed < 2)).toEqual(result.runs);
    expect(grown.variants[2]!.difference!.pairs).toBe(6);
    const ended: ComparedRun[] = [];
    const renamed = more.map((of) => ({ ...of, name: of.name.toUpperCase() }));
    const same = await compare(
      quick({ out: file, resume: true, variants: renamed, seeds: 3, onRun: ({ run }) => ended.push(run) }),
    );
    expect(ended).toEqual([]);
    expect(same.runs.map(({ variant }) => variant)).toEqual(
      grown.runs.map(({ variant }) => variant.toUpperCase()),
    );
    expect(JSON.parse(await readFile(file, 'utf8')).variants[0].name).toBe('QUICK');
  });

  it('does not go on with runs that it would not have', async () => {
    const file = join(folder, 'other.json');
    await copyFile(out(), file);
    const again = (changes: Partial<CompareOptions>) =>
      compare(quick({ out: file, resume: true, ...changes }));
    const failure = (message: RegExp) => ({
      code: 'ERR_CHECKPOINT_INVALID',
      message: expect.stringMatching(message),
    });
    await expect(again({ seeds: 1 })).rejects.toMatchObject(failure(/have the seed 1/));
    await expect(again({ folds: [1] })).rejects.toMatchObject(failure(/are of fold 3/));
    await expect(again({ split: 'random:0.2', folds: [1] })).rejects.toMatchObject(
      failure(/trained on the split leave-one-speaker-out, not random:0\.2/),
    );
    const longer = variants.map((of) => ({ ...of, options: { ...of.options, epochs: 3 } }));
    await expect(again({ variants: longer })).rejects.toMatchObject(
      failure(/are of the variant "quick" with other/),
    );
    expect(JSON.parse(await readFile(file, 'utf8')).runs).toHaveLength(8);
    for (const text of ['{', '[]', '{"kind":"sonospike comparison","version":2,"runs":[]}']) {
      await writeFile(file, text);
      await expect(again({})).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_INVALID' });
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });
});

it('names the files that were left out, also of the runs that it goes on from', async () => {
  const data = join(folder, 'spoilt');
  await mkdir(data);
  for (const name of await readdir(SAMPLES)) {
    if (/^[01]_.*\.wav$/.test(name)) await copyFile(join(SAMPLES, name), join(data, name));
  }
  await writeFile(join(data, '0_enus_0.wav'), 'no sound');
  await writeFile(join(data, 'notes.txt'), 'not for training');
  const settings = quickSettings({ labels: ['0', '1'] });
  const own = variants.map((of) => ({ ...of, settings }));
  const options = { data, variants: own, seeds: 1, folds: [1], out: join(folder, 'spoilt.json') };
  const { skipped } = await compare(quick(options));
  expect(skipped.map(({ file }) => file).sort()).toEqual([
    join(data, '0_enus_0.wav'),
    join(data, 'notes.txt'),
  ]);
  expect((await compare(quick({ ...options, resume: true }))).skipped).toEqual(skipped);
});

it('a split without words to test on is refused', async () => {
  await expect(compare(quick({ split: 'none', folds: [1] }))).rejects.toMatchObject({
    code: 'ERR_SPLIT_INVALID',
    message: 'Split none has no words to test on.',
  });
});

describe('a comparison is refused before anything is trained', () => {
  const [first] = variants;
  it.each([
    [
      'the same variant twice',
      { variants: [first!, { ...first!, name: 'again' }] },
      /"quick" and "again" are the same/,
    ],
    [
      'a name twice',
      { variants: [first!, { ...variants[1]!, name: 'quick' }] },
      /name of a variant is "quick"/,
    ],
    ['no variant', { variants: [] }, /variants is an array of 0/],
    [
      'an option without sense',
      { variants: [{ name: 'x', options: { learningRate: -1 } }] },
      /Variant "x": learningRate is -1; it must be a number from 1e-9 to 10/,
    ],
    [
      'settings without sense',
      { variants: [{ name: 'x', settings: { ...quickSettings(), frames: 0 } }] },
      /Variant "x": settings\.frames is 0; it must be an integer from 1/,
    ],
    ['a seed of a variant', { variants: [{ name: 'x', options: { seed: 3 } as object }] }, /no key "seed"/],
    [
      'split and protocol',
      { protocol: 'official' as const },
      /split is "leave-one-speaker-out"; it must be left out/,
    ],
    ['resume without a file', { resume: true }, /out is missing; it must be given where resume is/],
  ])('%s', async (_, changes, message) => {
    let planned = false;
    const found = compare(
      quick({
        ...changes,
        onPlan: () => {
          planned = true;
        },
      }),
    );
    await expect(found).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringMatching(message),
    });
    expect(planned).toBe(false);
  });
});
