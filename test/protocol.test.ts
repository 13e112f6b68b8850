import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  evaluateProtocol,
  mergeProtocols,
  openDataset,
  type ProtocolOptions,
  type ProtocolProgress,
  type ProtocolResult,
  type RunReport,
  train,
} from '../lib/index.js';
import { keptBytes } from '../lib/protocol/parallel.js';
import { planProtocol } from '../lib/protocol/plan.js';
import { quickSettings, SAMPLES } from './helpers/training.js';

let folder: string;
let fsdd: string;
let audioMnist: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-protocol-'));
  [fsdd, audioMnist] = [join(folder, 'fsdd'), join(folder, 'audiomnist')];
  const names = (await readdir(SAMPLES)).filter((name) => name.endsWith('.wav'));
  const speakers = [...new Set(names.map((name) => name.split('_')[1]!))];
  await mkdir(fsdd);
  for (const name of names) {
    const [digit, speaker] = name.split('_') as [string, string];
    const number = speakers.indexOf(speaker);
    // Two voices are the takes that are tested on, the others are trained on.
    await copyFile(join(SAMPLES, name), join(fsdd, `${digit}_ann_${number < 2 ? number : number + 3}.wav`));
    // Of the first three of the five groups of AudioMNIST.
    const id = ['26', '52', '60', '28', '56', '07', '36', '57', '09'][number]!;
    await mkdir(join(audioMnist, id), { recursive: true });
    await copyFile(join(SAMPLES, name), join(audioMnist, id, `${digit}_${id}_0.wav`));
  }
});
afterAll(() => rm(folder, { recursive: true }));

const QUICK = { settings: quickSettings(), epochs: 2, batchSize: 8, threads: 2 };

function allFolds(changes: Partial<ProtocolOptions> = {}): ProtocolOptions {
  return { data: SAMPLES, protocol: 'leave-one-speaker-out', seeds: 2, ...QUICK, ...changes };
}

function quick(changes: Partial<ProtocolOptions> = {}): ProtocolOptions {
  return { ...allFolds(), folds: [1, 3], ...changes };
}

/** What does not depend on how fast the machine is, and how its work was shared out. */
function bits({ summary, runs, parallel, threads, ...rest }: ProtocolResult) {
  const { seconds, ...kept } = summary!;
  return { ...rest, summary: kept, runs: runs.map(({ seconds: _, loadSeconds, ...run }) => run) };
}

describe('leave one speaker out', () => {
  let result: ProtocolResult;
  beforeAll(async () => {
    result = await evaluateProtocol(quick());
  });

  it('gives of every fold and seed what train gives', async () => {
    expect(result.runs.map(({ fold, seed }) => [fold, seed])).toEqual([
      [1, 0],
      [3, 0],
      [1, 1],
      [3, 1],
    ]);
    for (const run of result.runs) {
      const { test, bestEpoch } = await train({
        ...QUICK,
        data: SAMPLES,
        split: 'leave-one-speaker-out',
        fold: run.fold,
        seed: run.seed,
      });
      const { accuracy, confusion, perSpeaker, firingRates, loss } = test;
      expect(run).toMatchObject({ accuracy, confusion, perSpeaker, firingRates, loss, bestEpoch });
      expect(run.wrong).toHaveLength(Math.round((1 - accuracy) * test.clips));
    }
  });

  it('takes them together', () => {
    const summary = result.summary!;
    const [a, b, c, d] = result.runs.map(({ accuracy }) => accuracy) as [number, number, number, number];
    expect(summary.bySeed).toEqual([
      { seed: 0, accuracy: (a + b) / 2 },
      { seed: 1, accuracy: (c + d) / 2 },
    ]);
    expect(summary.accuracy.mean).toBeCloseTo((a + b + c + d) / 4, 12);
    expect(summary.accuracy.deviation).toBeCloseTo(Math.abs(a + b - c - d) / 2 / Math.SQRT2, 12);
    expect(summary.perFold.map(({ fold, accuracy }) => [fold, accuracy.mean])).toEqual([
      [1, (a + c) / 2],
      [3, (b + d) / 2],
    ]);
    expect(Object.values(summary.perSpeaker).map(({ accuracy }) => accuracy.mean)).toEqual([
      (a + c) / 2,
      (b + d) / 2,
    ]);
    expect(summary.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(40);
    expect(summary.calibration.bins.reduce((sum, { clips }) => sum + clips, 0)).toBe(40);
    expect(summary.operations!.dense).toBe(result.runs[0]!.operations!.dense);
    expect(result).toMatchObject({ complete: true, folds: [1, 3], seeds: [0, 1], missingFolds: [] });
  });

  it('gives the same bits however many run side by side', async () => {
    for (const changes of [{ parallel: 1, threads: 1 }, { parallel: 3 }, { threads: 5 }]) {
      expect(bits(await evaluateProtocol(quick(changes)))).toEqual(bits(result));
    }
  });
});

it('takes all folds, and the next seeds from the one that is named', async () => {
  const { runs, summary } = await evaluateProtocol(allFolds({ seeds: 1, seed: 7, epochs: 1 }));
  expect(runs.map(({ fold, seed }) => [fold, seed])).toEqual(Array.from({ length: 9 }, (_, i) => [i + 1, 7]));
  expect(Object.keys(summary!.perSpeaker)).toHaveLength(9);
  expect(summary!.accuracy.deviation).toBeNull();
});

it('leaves out a speaker who says no word', async () => {
  const clips = (await openDataset(SAMPLES)).clips.map((clip) =>
    clip.speaker === 'kal' ? { ...clip, label: '_unknown_' } : clip,
  );
  const data = { ...(await openDataset(SAMPLES)), clips };
  const { protocol, missing, folds } = planProtocol(data, { protocol: 'loso' }, 0);
  // The name that the protocol had in version 0.1.0.
  expect(protocol).toBe('leave-one-speaker-out');
  expect(missing).toEqual([data.speakers.indexOf('kal') + 1]);
  expect(folds).toHaveLength(8);
});

it('counts the samples that are kept', () => {
  const settings = quickSettings();
  const kept = { clips: 10, settings, recipe: { augmentation: null, negatives: 0 } };
  expect(keptBytes(kept)).toBe(10 * 30 * 12 * 4);
  expect(keptBytes({ ...kept, recipe: { augmentation: null, negatives: 0.1 } })).toBe(
    10 * 30 * (12 + 160) * 4,
  );
});

it('tests on the official takes', async () => {
  const { runs } = await evaluateProtocol(allFolds({ data: fsdd, protocol: 'official', seeds: 1 }));
  expect(runs.map(({ clips }) => clips)).toEqual([20]);
});

describe('the protocol of AudioMNIST', () => {
  const options = () => allFolds({ data: audioMnist, protocol: 'audiomnist', seeds: 1, epochs: 1 });

  it('leaves out the folds whose speakers are missing', async () => {
    const { runs, missingFolds, summary } = await evaluateProtocol(options());
    expect(runs.map(({ fold, clips }) => [fold, clips])).toEqual([
      [1, 30],
      [2, 30],
      [3, 30],
    ]);
    expect(missingFolds).toEqual([4, 5]);
    expect(Object.keys(summary!.perSpeaker)).toHaveLength(9);
  });

  it('is that of no other dataset', async () => {
    const run = evaluateProtocol({ ...options(), data: fsdd });
    await expect(run).rejects.toMatchObject({ code: 'ERR_SPLIT_INVALID' });
  });
});

describe('the file', () => {
  it('has the whole result at the end, and what there is after every run', async () => {
    const out = join(folder, 'result.json');
    const seen: { complete: boolean; runs: unknown[] }[] = [];
    const told: unknown[] = [];
    const onRun = ({ phase, done, total, run, soFar }: RunReport) => {
      seen.push(JSON.parse(readFileSync(out, 'utf8')));
      told.push([phase, done, total, soFar.runs.includes(run)]);
    };
    const onProgress = (progress: ProtocolProgress) => {
      last = progress;
    };
    let last: ProtocolProgress | null = null;
    const result = await evaluateProtocol(quick({ out, parallel: 1, onRun, onProgress }));
    expect(told).toEqual([1, 2, 3, 4].map((done) => ['run', done, 4, true]));
    expect(last).toEqual({ phase: 'protocol', done: 4, total: 4, share: 1 });
    expect(JSON.parse(await readFile(out, 'utf8'))).toEqual(JSON.parse(JSON.stringify(result)));
    expect(seen.map(({ complete, runs }) => [complete, runs.length])).toEqual([
      [false, 1],
      [false, 2],
      [false, 3],
      [true, 4],
    ]);
  });

  it('keeps the runs that had ended before a stop', async () => {
    const out = join(folder, 'stopped.json');
    const controller = new AbortController();
    const run = evaluateProtocol(
      quick({ out, parallel: 1, signal: controller.signal, onRun: () => controller.abort() }),
    );
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED', file: out });
    await expect(run).rejects.toThrow('after 1 of 4 runs');
    const kept = JSON.parse(await readFile(out, 'utf8'));
    expect(kept).toMatchObject({ complete: false, runs: [{ fold: 1, seed: 0 }] });
  });
});

describe('resume', () => {
  it('takes over the runs of the file, and gives what an unbroken protocol gives', async () => {
    const out = join(folder, 'resumed.json');
    const controller = new AbortController();
    const first = evaluateProtocol(
      quick({ out, parallel: 2, signal: controller.signal, onRun: () => controller.abort() }),
    );
    await expect(first).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const kept = JSON.parse(await readFile(out, 'utf8')).runs.length;
    let trained = 0;
    const result = await evaluateProtocol(quick({ out, parallel: 2, resume: true, onRun: () => trained++ }));
    expect(trained).toBe(4 - kept);
    expect(bits(result)).toEqual(bits(await evaluateProtocol(quick({ parallel: 2 }))));
    const again = await evaluateProtocol(quick({ out, parallel: 2, resume: true, onRun: () => trained++ }));
    expect(trained).toBe(4 - kept);
    expect(again).toEqual(JSON.parse(await readFile(out, 'utf8')));
  });

  it.each<[Partial<ProtocolOptions>, string]>([
    [{ epochs: 3 }, 'was written with another recipe'],
    [{ folds: [1, 2] }, 'has a run of fold 3 and seed 0, which this protocol has not'],
    [{ data: 'fsdd' }, 'was written with another'],
  ])('refuses a file of another protocol: %j', async (changes, message) => {
    const out = join(folder, 'other.json');
    await evaluateProtocol(quick({ out, seeds: 1 }));
    const data = changes.data === undefined ? {} : { data: fsdd, folds: [1] };
    const protocol = changes.data === undefined ? {} : { protocol: 'official' as const };
    const run = evaluateProtocol(quick({ out, seeds: 1, resume: true, ...changes, ...data, ...protocol }));
    await expect(run).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_INVALID', file: out });
    await expect(run).rejects.toThrow(message);
  });

  it.each(['{', '[]', '{"runs":[{}]}'])('refuses %s', async (text) => {
    const out = join(folder, 'damaged.json');
    await writeFile(out, text);
    await expect(evaluateProtocol(quick({ out, resume: true }))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_INVALID',
    });
    expect(await readFile(out, 'utf8')).toBe(text);
  });
});

describe('shards', () => {
  it.each([1, 3, 6])('in %d parts merge to the file of one machine', async (of) => {
    const whole = join(folder, `whole-${of}.json`);
    await evaluateProtocol(quick({ out: whole, parallel: 2 }));
    const files = Array.from({ length: of }, (_, i) => join(folder, `shard-${i + 1}-${of}.json`));
    for (const [i, out] of files.entries())
      await evaluateProtocol(quick({ out, parallel: 2, shard: { number: i + 1, of } }));
    const merged = await mergeProtocols(files.reverse());
    const text = (value: unknown) =>
      JSON.stringify(value, (key, of) => (['seconds', 'loadSeconds'].includes(key) ? 0 : of));
    expect(text(merged)).toBe(text(JSON.parse(await readFile(whole, 'utf8'))));
    if (of === 1) return;
    expect(await mergeProtocols(files.slice(0, 1))).toMatchObject({ complete: false });
    const other = join(folder, `other-${of}.json`);
    await evaluateProtocol(quick({ out: other, seeds: 1 }));
    await expect(mergeProtocols([files[0]!, other])).rejects.toThrow('other folds or seeds');
  });

  it.each([0, 3, 1.5])('number %d of 2 is refused', async (number) => {
    const run = evaluateProtocol(quick({ shard: { number, of: 2 } }));
    await expect(run).rejects.toThrow('shard.number is');
  });
});

it('ends with the first error, and stops the other runs', async () => {
  const error = new Error('enough');
  const run = evaluateProtocol(
    quick({
      onRun: () => {
        throw error;
      },
    }),
  );
  await expect(run).rejects.toBe(error);
});

it('does not begin where it is stopped already', async () => {
  const run = evaluateProtocol(quick({ signal: AbortSignal.abort() }));
  await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

it('tells when the test accuracy reached the target', async () => {
  const { runs, summary } = await evaluateProtocol(quick({ target: 0, seeds: 1 }));
  for (const { curve, secondsToTarget, seconds, loadSeconds } of runs) {
    expect(curve).toHaveLength(2);
    expect(secondsToTarget).toBe(curve![0]!.seconds);
    expect(secondsToTarget).toBeGreaterThan(loadSeconds);
    expect(secondsToTarget).toBeLessThan(seconds + 1);
  }
  expect(summary!.secondsToTarget).toMatchObject({ count: 2, missed: 0 });
  const never = await evaluateProtocol(quick({ target: 1, seeds: 1, epochs: 1, folds: [1] }));
  expect(never.runs[0]!.secondsToTarget).toBeNull();
  expect(never.summary!.secondsToTarget).toBeNull();
});

describe('wrong options', () => {
  it.each<[string, unknown, string]>([
    ['protocol', 'half', 'ERR_INVALID_OPTION'],
    ['seeds', 0, 'ERR_INVALID_OPTION'],
    ['seed', -1, 'ERR_INVALID_OPTION'],
    ['folds', [], 'ERR_INVALID_OPTION'],
    ['folds', [10], 'ERR_INVALID_OPTION'],
    ['parallel', 0, 'ERR_INVALID_OPTION'],
    ['target', 2, 'ERR_INVALID_OPTION'],
    ['split', 'all', 'ERR_INVALID_OPTION'],
    ['epochs', 0, 'ERR_INVALID_OPTION'],
    ['rejectRate', 0.6, 'ERR_INVALID_OPTION'],
  ])('%s', async (key, value, code) => {
    const run = evaluateProtocol({ ...quick(), [key]: value } as ProtocolOptions);
    await expect(run).rejects.toMatchObject({ code });
    await expect(run).rejects.toThrow(key);
  });
});
