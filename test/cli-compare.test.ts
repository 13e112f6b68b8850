import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVary } from '../lib/cli/compare-options.js';
import { csvTable, markdownTable, report } from '../lib/cli/compare-report.js';
import { chooseVariants } from '../lib/cli/compare-variants.js';
import { type Comparison, presetSettings } from '../lib/index.js';
import { plotComparison } from '../lib/plot/checked.js';
import { copySamples, run, runJson, start, temporaryFolder } from './helpers/cli.js';
import { group, parseFigure, textsOf } from './helpers/svg.js';
import { quickSettings } from './helpers/training.js';
import { findAll, textOf } from './helpers/xml.js';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await copySamples(join(folder, 'words'), '012');
  const { labels: _, ...settings } = quickSettings();
  await writeFile(join(folder, 'quick.json'), JSON.stringify(settings));
  await writeFile(join(folder, 'high.json'), JSON.stringify({ frames: 20 }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const LABELS = { labels: ['0', '1', '2'] };
const NONE = { resume: false, force: false, strict: false };
const QUICK = ['--data', 'words', '--settings', 'quick.json', '--epochs', '2', '--batch-size', '8'];

const compare = (...args: string[]) => run(['compare', ...QUICK, ...args], { cwd: folder });

describe('--vary', () => {
  it('takes settings and options of the training, by the names that they have elsewhere', () => {
    expect(readVary('surrogate=atan, boxcar')).toEqual([
      { name: 'surrogate=atan', options: {}, set: ['surrogate=atan'] },
      { name: 'surrogate=boxcar', options: {}, set: ['surrogate=boxcar'] },
    ]);
    for (const name of ['learning-rate', 'learningRate', '--learning-rate']) {
      expect(readVary(`${name}=0.1,1e-3`).map(({ options }) => options)).toEqual([
        { learningRate: 0.1 },
        { learningRate: 0.001 },
      ]);
    }
    expect(readVary('preset=original').map(({ options }) => options)).toEqual([{ preset: 'original' }]);
  });

  it.each([
    ['surogate=atan', 'There is no setting surogate. Did you mean surrogate?'],
    [
      'learnin-rate=1',
      'There is no training option and no setting learnin-rate. Did you mean learning-rate?',
    ],
    ['surrogate=atn', "Did you mean 'atan'?"],
    ['learning-rate=-1', '--learning-rate is -1; it must be a number from 1e-9 to 10'],
    ['layers.*.threshold=1,0', 'layers.*.threshold is 0; it must be a number from 0.000001'],
    ['layers.*.decay=0.5,1.5', 'layers.*.decay is 1.5; it must be a number from 0 to 1'],
    ['steps-per-frame=0', '--steps-per-frame is 0; it must be an integer from 1'],
    ['threshold=1,2', 'threshold names 2 fields'],
    ['seed=1,2', 'seed is the same for all variants'],
    ['surrogate', 'write NAME=VALUE,VALUE'],
    ['surrogate=atan,', 'write NAME=VALUE,VALUE'],
    ['surrogate=atan,atan', 'has the value atan twice'],
  ])('%s is refused', (text, message) => {
    expect(() => readVary(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
    expect(() => readVary(text)).toThrow(message);
  });

  it('gives every combination, over every file or preset, which are over --settings', async () => {
    const file = (name: string) => join(folder, name);
    const vary = ['layers.*.threshold=1,2', 'epochs=3,4'];
    const options = { ...NONE, vary, settings: file('quick.json'), set: ['layers.*.decay=0.5'] };
    const found = await chooseVariants([file('high.json'), 'original'], options, LABELS);
    expect(found.map(({ name }) => name)).toEqual(
      ['high', 'original'].flatMap((base) =>
        [1, 2].flatMap((threshold) =>
          [3, 4].map((epochs) => `${base} layers.*.threshold=${threshold} epochs=${epochs}`),
        ),
      ),
    );
    const [first] = found;
    expect(first!.options).toMatchObject({ epochs: 3 });
    expect(first!.settings).toMatchObject({ frames: 20, sampleRate: quickSettings().sampleRate });
    const layers = found[2]!.settings!.network.layers as { threshold: number; decay: number }[];
    expect(layers.map(({ threshold, decay }) => [threshold, decay])).toEqual([
      [2, 0.5],
      [2, 0.5],
    ]);
    expect(found[4]!.options).toMatchObject({ preset: 'original' });
    const presets = await chooseVariants(['default', 'original'], NONE, LABELS);
    expect(presets.map(({ options }) => options!.preset)).toEqual(['default', 'original']);
    expect(presets[1]!.settings).toBeUndefined();
    await expect(chooseVariants([], { ...NONE, vary: ['surrogate=atan'] }, LABELS)).rejects.toThrow(
      'There are not two variants to compare',
    );
  });
});

describe('sonospike compare', () => {
  const vary = ['--vary', 'layers.*.threshold=1,2'];

  it('writes runs, tables and picture, and goes on with more seeds', async () => {
    const files = ['--out', 'table.json', 'table.csv', 'table.md', 'table.svg'];
    const { status, stdout, stderr } = await compare(...vary, '--seeds', '2', ...files);
    expect([status, stderr]).toEqual([0, expect.stringContaining('2 variants x 2 seeds x 1 fold')]);
    const result = JSON.parse(await readFile(join(folder, 'table.json'), 'utf8')) as Comparison;
    expect(result.variants.map(({ name }) => name)).toEqual(['layers.*.threshold=1', 'layers.*.threshold=2']);
    expect([result.complete, result.runs.length, result.split]).toEqual([true, 4, 'random:0.2']);
    expect(stdout).toBe(`${report(result)}\n`);
    expect(await readFile(join(folder, 'table.csv'), 'utf8')).toBe(csvTable(result));
    expect(await readFile(join(folder, 'table.md'), 'utf8')).toBe(markdownTable(result));
    parseFigure(await readFile(join(folder, 'table.svg'), 'utf8'));
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);

    const again = await compare(...vary, '--seeds', '3', ...files);
    expect([again.status, again.stderr]).toEqual([
      1,
      'sonospike: table.json is there already. --resume goes on with the comparison that it is of, --force replaces ' +
        'it, and --out names another file.\n',
    ]);
    const more = await runJson(['compare', ...QUICK, ...vary, '--seeds', '3', '--resume', ...files], {
      cwd: folder,
    });
    expect(more.stderr).toContain('= 6 trainings; 4 are in table.json already.');
    expect(more.document.runs.slice(0, 4)).toEqual(result.runs);
    expect(more.document.runs).toHaveLength(6);
  });

  it('stops in good order, and the line that it prints goes on', async () => {
    const args = ['compare', ...QUICK, ...vary, '--seeds', '3', '--parallel', '1', '--out', 'stopped.md'];
    const { child, printed, finished } = start(args, { cwd: folder });
    await printed('2/6', 'stderr');
    child.kill('SIGINT');
    const { status, stderr, stdout } = await finished;
    expect(status).toBe(130);
    expect(stdout).toBe('');
    const [, done, line] =
      /stopped after (\d) of 6 runs, which are in stopped\.json\. Go on with: (.*)$/m.exec(stderr)!;
    expect(line!.split(' compare ')[1]).toBe(
      [...args.slice(1), '--resume'].join(' ').replace('layers.*', "'layers.*").replace('=1,2', "=1,2'"),
    );
    expect(await readdir(folder)).not.toContain('stopped.md');
    const again = await run([...args, '--resume'], { cwd: folder });
    expect(again.status).toBe(0);
    expect(again.stderr).toContain(`; ${done} are in stopped.json already.`);
    expect(await readFile(join(folder, 'stopped.md'), 'utf8')).toContain('6 trainings');
  });

  it.each([
    [['--out', 'x.txt', ...vary], /x\.txt"; the file must end in \.json, \.csv, \.md or \.svg/, 2],
    [['--out', 'a.json', '--out', 'b.json', ...vary], /names two files for the runs: a\.json and b\.json/, 2],
    [['--out', 'nowhere/x.md', ...vary], /Cannot write nowhere\/x\.json: its folder does not exist/, 1],
    [['nothing.json', 'quick.json', '--out', 'x.json'], /No such file or directory: nothing\.json/, 1],
    [['--resume', '--force', ...vary], /name one of both/, 2],
    [[], /There are not two variants to compare/, 2],
    [['quick.json'], /There are not two variants to compare/, 2],
    [['--vary', 'layers.*.threshold=1,1.0', '--out', 'x.json'], /are the same: nothing differs/, 2],
    [
      ['--protocol', 'official', '--split', 'official', ...vary],
      /split is "official"; it must be left out/,
      2,
    ],
  ])('%j ends with a clear line and nothing written', async (args, message, code) => {
    const before = await readdir(folder);
    const { status, stdout, stderr } = await compare(...args);
    expect(stderr).toMatch(/^sonospike: [^\n]*\n$/);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([code, '']);
    expect(await readdir(folder)).toEqual(before);
  });
});

/** A comparison of two seeds and two folds, with figures that are easy to check. */
function made(): Comparison {
  const accuracies = {
    base: [0.5, 0.7, 0.6, 0.8],
    better: [0.7, 0.9, 0.8, 0.9],
    'a "b|c"': [0.5, 0.6, 0.7, 0.8],
  };
  const settings = presetSettings('default', ['yes', 'no']);
  const places = [0, 1].flatMap((seed) => [1, 2].map((fold) => ({ seed, fold })));
  const spreadOf = (mean: number) => ({ mean, deviation: 0.05, min: mean - 0.1, max: mean + 0.1, count: 4 });
  const about = {
    loss: spreadOf(1),
    calibrationError: spreadOf(0.1),
    firingRate: spreadOf(0.25),
    seconds: spreadOf(2.5),
  };
  const differences = [
    null,
    { mean: 0.175, deviation: 0.05, interval: [0.0954, 0.2546] as [number, number], pairs: 4 },
    { mean: 0, deviation: 0.08, interval: [-0.13, 0.13] as [number, number], pairs: 4 },
  ];
  const names = Object.entries(accuracies);
  return {
    kind: 'sonospike comparison',
    version: 1,
    complete: true,
    dataset: { directory: '/data/words', layout: 'folders', clips: 50, speakers: 2, fingerprint: '' },
    labels: ['yes', 'no'],
    protocol: null,
    split: 'leave-one-speaker-out',
    folds: [1, 2],
    seeds: [0, 1],
    missingFolds: [],
    skipped: [],
    variants: names.map(([name, values], i) => ({
      name,
      key: name,
      settings,
      options: {} as Comparison['variants'][number]['options'],
      parameters: [900, 123_456, 5_000_000][i]!,
      summary: {
        runs: 4,
        accuracy: {
          ...spreadOf(values.reduce((sum, x) => sum + x, 0) / 4),
          min: Math.min(...values),
          max: Math.max(...values),
        },
        ...about,
        synapticOperations: i === 0 ? null : 1000,
      },
      difference: differences[i]!,
    })),
    parallel: 1,
    threads: 1,
    device: 'cpu',
    runs: names.flatMap(([variant, values]) =>
      places.map((place, k) => ({
        ...place,
        variant,
        key: variant,
        accuracy: values[k]!,
        interval: [0, 1] as [number, number],
        loss: 1,
        clips: 10,
        bestEpoch: 1,
        epochs: 1,
        firingRates: [0.25],
        calibrationError: 0.1,
        operations: null,
        seconds: 2.5,
      })),
    ),
  };
}

describe('the tables', () => {
  it('are lines that people read', () => {
    const lines = report(made()).split('\n');
    expect(lines[0]).toBe(
      'words, split leave-one-speaker-out, 50 clips: 3 variants x 2 seeds x 2 folds = 12 trainings',
    );
    expect(lines[3]).toMatch(/^base +65\.00 ± 5\.00 +0\.250 +900 +2\.5 s$/);
    expect(lines[4]).toMatch(/^better +82\.50 ± 5\.00 +\+17\.50 \[\+9\.54, \+25\.46\]\* +0\.250 +123k/);
    expect(lines[5]).toMatch(/ \+0\.00 \[-13\.00, \+13\.00\] +0\.250 +5000k/);
    expect(lines.join(' ')).toContain('4 pairs of the same seed and fold');
  });

  it('are Markdown and CSV, whatever the variants are called', () => {
    const markdown = markdownTable(made()).split('\n');
    expect(markdown[6]).toBe('| a "b\\|c" | 65.00 ± 5.00 | +0.00 [-13.00, +13.00] | 0.250 | 5000k | 2.5 s |');
    const [heads, base, , last] = csvTable(made()).split('\r\n');
    expect(heads!.split(',').slice(0, 4)).toEqual(['variant', 'runs', 'accuracy', 'accuracy_deviation']);
    expect(base).toMatch(/^base,4,0\.6[45]\d*,0\.05,0\.5,0\.8,,,,,1,0\.1,0\.25,900,,2\.5$/);
    expect(last).toMatch(/^"a ""b\|c""",4,/);
  });
});

describe('the picture', () => {
  it('has a dot for every run and pair, and marks the intervals that are without 0', () => {
    const root = parseFigure(plotComparison(made(), { title: 'words' }));
    expect(textsOf(root)[0]!.text).toBe('words (2 seeds on 2 folds)');
    const circles = (title: string) =>
      findAll(group(root, title), 'circle').map(({ attributes }) => Number(attributes.cx));
    const base = circles('base: 65.0% ± 5.0');
    // Four runs and their mean, which is the last.
    expect(base).toHaveLength(5);
    expect(base[4]).toBeCloseTo((base[0]! + base[1]! + base[2]! + base[3]!) / 4, 0);
    const better = group(root, 'better: +17.5 (+9.5 to +25.5)');
    expect(findAll(better, 'text', 'strong')).toHaveLength(2);
    expect(findAll(group(root, 'a "b|c": 0.0 (−13.0 to +13.0)'), 'text', 'strong')).toHaveLength(0);
    // Differences 0.2, 0.2, 0.2 and 0.1: the first three dots lie on each other.
    const [a, b, c, d, mean] = circles('better: +17.5') as [number, number, number, number, number];
    expect([b, c]).toEqual([a, a]);
    expect((mean - d) / (a - d)).toBeCloseTo(0.75, 1);
    expect(textOf(root)).toContain('Difference to base');
  });

  it('of nothing says so, and takes only what compare gives', () => {
    const { variants, ...rest } = made();
    const none = variants.map((of) => ({ ...of, summary: null, difference: null }));
    const root = parseFigure(plotComparison({ ...rest, variants: none, runs: [], complete: false }));
    expect(textsOf(root)[0]!.text).toContain('no training has ended');
    expect(() => plotComparison({ variants: [] } as never)).toThrow('must be what compare() gives');
  });
});
