// The bench is run as it is used, on the smallest case of every suite: whether it works and what its JSON holds.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNode } from './helpers/cli.js';

const SUITES = ['training', 'inference', 'layer', 'frontend', 'scaling', 'memory', 'stream', 'false-alarms'];
const bench = (...args: string[]) => startNode([resolve('bench/main.mjs'), ...args]).finished;

/** The bench of both devices, with an addon of a kind in place of the one with CUDA (see helpers/cuda-addon.cjs). */
const benchDevices = (kind: string, device: string) => {
  const args = ['--quick', '--json', '--suite', 'training,inference,layer', '--device', device];
  const env = { SONOSPIKE_CUDA_ADDON: resolve('test/helpers/cuda-addon.cjs'), STAND_IN: kind };
  return startNode([resolve('bench/main.mjs'), ...args], { env }).finished;
};

interface Row {
  suite: string;
  what: string;
  who: string;
  unit: string;
  better: string;
  median?: number;
  lower?: number;
  upper?: number;
  floor?: number;
  timesFloor?: number;
  ratio?: { of: string; to: string; times: number };
  refused?: string;
  settings?: unknown;
}

interface Report {
  machine: Record<string, unknown> & { peak: Record<string, Record<string, number>> };
  results: Row[];
}

let folder: string;
let report: Report;
let file: Report;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-bench-test-'));
  const out = join(folder, 'report.json');
  // Peak memory is read from /proc.
  const suites = process.platform === 'linux' ? SUITES : SUITES.filter((suite) => suite !== 'memory');
  const { status, stdout, stderr } = await bench(
    '--quick',
    '--json',
    '--out',
    out,
    '--suite',
    suites.join(','),
  );
  expect(status, stderr).toBe(0);
  report = JSON.parse(stdout);
  file = JSON.parse(await readFile(out, 'utf8'));
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const rowsOf = (suite: string) => report.results.filter((row) => row.suite === suite);

describe('bench', () => {
  it('counts false words with their interval, by tables of the Poisson distribution', async () => {
    const { poissonInterval } = await import('../bench/suites/false-alarms.mjs' as string);
    // E. S. Pearson and H. O. Hartley, Biometrika Tables, table 40.
    for (const [count, least, most] of [
      [0, 0, 3.69],
      [1, 0.0253, 5.57],
      [10, 4.8, 18.39],
      [50, 37.11, 65.92],
    ] as const) {
      const [low, high] = poissonInterval(count);
      expect(Math.abs(low - least)).toBeLessThan(0.05);
      expect(Math.abs(high - most)).toBeLessThan(0.05);
    }
  });

  it('says what it was measured on', () => {
    const text = expect.any(String);
    const named = { date: text, cpu: text, instructionSet: text, platform: text, node: text, version: text };
    expect(report.machine).toMatchObject(named);
    for (const { threads, operations, bytes } of Object.values(report.machine.peak)) {
      expect(threads).toBeGreaterThan(0);
      expect(operations).toBeGreaterThan(1e8);
      expect(bytes).toBeGreaterThan(1e8);
    }
  });

  it('gives every row numbers', () => {
    for (const row of report.results) {
      const name = `${row.suite}, ${row.what}, ${row.who}`;
      expect(row.refused, name).toBeUndefined();
      expect(row.unit, name).toEqual(expect.any(String));
      for (const value of [row.lower, row.median, row.upper]) {
        // An exponent fitted to two tiny works, or the memory that one adds, may be anything; false words are none.
        if (row.who === 'exponent' || ['memory', 'stream', 'false-alarms'].includes(row.suite))
          expect(value, name).toEqual(expect.any(Number));
        else expect(value, name).toBeGreaterThan(0);
      }
      expect(row.lower, name).toBeLessThanOrEqual(row.median!);
      expect(row.median, name).toBeLessThanOrEqual(row.upper!);
    }
  });

  it.each(['training', 'inference', 'layer', 'frontend'])('%s: every row has its floor', (suite) => {
    expect(rowsOf(suite)).not.toHaveLength(0);
    for (const row of rowsOf(suite)) {
      // The peak rates are measured on the same machine as the works, which other processes disturb.
      expect(row.timesFloor, row.what).toBeGreaterThan(0.5);
      const { median, floor, better } = row;
      expect(row.timesFloor, row.what).toBeCloseTo(
        better === 'less' ? median! / floor! : floor! / median!,
        9,
      );
    }
  });

  it('scaling: compares instruction sets and threads, and fits exponents', () => {
    const rows = rowsOf('scaling');
    const exponents = rows.filter(({ who }) => who === 'exponent');
    expect(exponents).toHaveLength(6); // steps, batch and clips for each of two presets
    for (const { ratio, what, better } of rows) {
      if (!ratio) continue;
      const median = (who: string) => rows.find((row) => row.what === what && row.who === who)!.median!;
      const [of, to] = [median(ratio.of), median(ratio.to)];
      expect(ratio.times, what).toBeCloseTo(better === 'less' ? to / of : of / to, 9);
    }
  });

  it('stream: finds most words of the samples, and works in many at once', () => {
    const value = (who: string) => rowsOf('stream').find((row) => row.who === who)!.median!;
    expect(value('found, right')).toBeGreaterThan(80);
    expect(value('predict, right')).toBeGreaterThan(80);
    expect(value('streams a core')).toBeGreaterThan(10);
    expect(value('a stream')).toBeLessThan(1000);
  });

  it('writes the same report to a file', () => expect(file).toEqual(report));

  it('compares devices, having checked that both compute the same', async () => {
    const { status, stdout, stderr } = await benchDevices('good', 'cpu,cuda');
    expect(status, stderr).toBe(0);
    const { machine, results } = JSON.parse(stdout);
    expect(machine.gpu).toMatchObject({ name: 'Stand-in', peak: { operations: 1e12, bytes: 1e11 } });
    const rows = results.filter(({ who }: Row) => who === 'cuda');
    expect(rows).toHaveLength(5);
    for (const row of rows) {
      expect(row.checks, row.what).toEqual(expect.any(Object));
      expect(row.ratio, row.what).toMatchObject({ of: 'cuda', to: 'sonospike' });
      expect(row.timesFloor, row.what).toBeGreaterThan(0);
    }
    const layers = results.filter(({ suite }: Row) => suite === 'layer');
    expect(layers.map(({ settings }: Row) => settings)).toEqual([{ inputs: 'bits' }, { inputs: 'bits' }]);
  });

  it('says why a device cannot be measured, and measures the other', async () => {
    const { status, stdout, stderr } = await benchDevices('no driver', 'cpu,cuda');
    expect(status, stderr).toBe(0);
    const { results } = JSON.parse(stdout);
    const rows = results.filter(({ who }: Row) => who === 'cuda');
    expect(rows).toHaveLength(5);
    for (const { refused } of rows) expect(refused).toMatch(/no CUDA device: no CUDA driver/);
    const alone = await benchDevices('no driver', 'cuda');
    expect(alone.status).toBe(1);
    expect(alone.stderr).toMatch(/^bench: There is no CUDA device/m);
  });

  it('does not compare a device that computes something else', async () => {
    const { status, stderr } = await benchDevices('differs', 'cpu,cuda');
    expect(status).toBe(1);
    expect(stderr).toMatch(/on cuda and cpu, scores: both sides differ/);
  });

  it('has a help that names every suite', async () => {
    const { status, stdout } = await bench('--help');
    expect(status).toBe(0);
    for (const suite of SUITES) expect(stdout).toContain(suite);
  });

  it.each([
    ['--suite', 'speed'],
    ['--n', '0'],
    ['--density', '101'],
    ['--density', ''],
    ['--repeats', '1.5'],
  ])('refuses %s %s', async (option, value) => {
    const { status, stderr } = await bench(option, value);
    expect(status).toBe(1);
    expect(stderr).toContain(option);
    expect(stderr).not.toContain('    at ');
  });
});

describe('--against', () => {
  it('has two builds take turns at the same work: the same accuracy of the same build', async () => {
    const { status, stdout, stderr } = await bench('--quick', '--json', '--against', '.');
    expect(status, stderr).toBe(0);
    const { results } = JSON.parse(stdout) as { results: (Row & { accuracy?: number; p99?: number })[] };
    const works = new Set(results.map(({ what }) => what));
    expect(works.size).toBe(6);
    for (const what of works) {
      const [own, other] = ['sonospike', 'against'].map((who) =>
        results.find((row) => row.what === what && row.who === who),
      );
      expect(own!.ratio!.times, what).toBeCloseTo(
        own!.better === 'less' ? other!.median! / own!.median! : own!.median! / other!.median!,
      );
      expect(own!.accuracy, what).toBe(other!.accuracy);
      expect(what.includes('training')).toBe(own!.accuracy !== undefined);
    }
  });

  it('says what is no build', async () => {
    const { status, stderr } = await bench('--quick', '--against', 'docs');
    expect(status).toBe(1);
    expect(stderr).toMatch(/no built checkout/);
  });
});
