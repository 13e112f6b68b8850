// What the commands show in a terminal, and where there is none.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digitTable, scoreLists } from '../lib/cli/digit-table.js';
import { FiringWatch } from '../lib/cli/firing.js';
import { Forecast } from '../lib/cli/forecast.js';
import { aboutTime, table } from '../lib/cli/format.js';
import type { Output } from '../lib/cli/output.js';
import { cutEnd, cutStart, printable, textWidth, wrapWords } from '../lib/cli/text-width.js';
import { presetSettings } from '../lib/index.js';
import { copySamples, run, runJson, start, temporaryFolder } from './helpers/cli.js';
import { hasTerminal, runInTerminal } from './helpers/terminal.js';
import { quickSettings } from './helpers/training.js';

let folder: string;
let quick: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  await copySamples(join(folder, 'words'), '012');
  const { labels: _, ...settings } = quickSettings();
  await writeFile(join(folder, 'quick.json'), JSON.stringify(settings));
  quick = ['--data', 'words', '--settings', 'quick.json', '--batch-size', '8', '--split', 'random:0.2'];
  quick.push('--validation', '0.1');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ROW = /^ *\d+\/\d+ +\d+\.\d{3} +\d+\.\d% .*\d:\d\d {2}\d\.\d\d/;

describe('train', () => {
  it.skipIf(!hasTerminal).each([80, 120])('shows a bar and a row an epoch in %d columns', async (columns) => {
    const args = ['train', ...quick, '--epochs', '12', '--out', `t${columns}.safetensors`];
    const { status, raw, lines } = await runInTerminal([...args, '--test-every-epoch'], columns, folder);
    expect(status).toBe(0);
    expect(raw).toContain('\r\x1b[Kreading clips ');
    expect(lines.filter((line) => ROW.test(line))).toHaveLength(12);
    expect(lines.join('\n')).toMatch(
      /^epoch +loss +accuracy +validation +test +left +firing rate by layer$/m,
    );
    expect(lines.join('\n')).toMatch(/^Test accuracy \d+\.\d% /m);
    expect(lines.join('\n')).not.toMatch(/[{}]|█/);
    const wide = lines.filter((line) => textWidth(line) >= columns && !line.startsWith('  node '));
    expect(wide).toEqual([]);
  });

  it('prints rows for people without moving a cursor where there is no terminal', async () => {
    const args = ['train', ...quick, '--epochs', '3', '--out', 'plain.safetensors'];
    const { stdout, stderr } = await run(args, { cwd: folder });
    const [head, ...rows] = stdout.split('\n').slice(0, 4);
    expect(head).toMatch(/^epoch +loss +accuracy +validation +left +firing/);
    for (const [i, row] of rows.entries()) {
      expect(row).toMatch(ROW);
      expect(row.trimStart().startsWith(`${i + 1}/3`)).toBe(true);
    }
    expect(stdout).toMatch(/^Test accuracy /m);
    for (const sign of ['\x1b', '\r', '{']) expect(stdout + stderr).not.toContain(sign);
  });

  it('prints a row a second of many quick epochs', async () => {
    const args = ['train', ...quick, '--epochs', '100', '--out', 'many.safetensors'];
    const begun = performance.now();
    const { stdout } = await run(args, { cwd: folder });
    const rows = stdout.split('\n').filter((line) => ROW.test(line));
    expect(rows.length).toBeLessThanOrEqual(2 + (performance.now() - begun) / 1000);
    expect(rows[0]).toMatch(/^ +1\/100 /);
    expect(rows.at(-1)).toMatch(/^ *100\/100 /);
  });

  it('writes every epoch as a line of JSON to --log, and goes on with it after a stop', async () => {
    const args = ['train', ...quick, '--epochs', '200', '--out', 'log.safetensors', '--log', 'log.jsonl'];
    const running = start([...args, '--json'], { cwd: folder });
    await running.printed('"epoch":3,', 'stderr');
    running.child.kill('SIGINT');
    expect((await running.finished).status).toBe(130);
    const log = () => readFile(join(folder, 'log.jsonl'), 'utf8');
    // A process that is killed may leave a part of a line.
    await writeFile(join(folder, 'log.jsonl'), `${(await log()).trimEnd()}\n{"epoch":`);
    const { document } = await runJson([...args, '--resume'], { cwd: folder });
    const lines = (await log()).trimEnd().split('\n');
    const epochs = lines.map((line) => JSON.parse(line));
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    for (const [i, { train, firingRates }] of epochs.entries()) {
      expect(document.epochs[i]).toMatchObject({ train, firingRates });
    }
  });

  it('refuses to go on with a log that is none', async () => {
    await writeFile(join(folder, 'notes.txt'), 'my notes\n');
    const args = ['train', ...quick, '--out', 'x.safetensors', '--resume', '--checkpoint'];
    const saved = 'plain.checkpoint.safetensors';
    const { status, stderr } = await run([...args, saved, '--log', 'notes.txt'], { cwd: folder });
    expect(stderr).toContain('--log goes on with a file whose last line is no epoch: my notes');
    expect(status).toBe(2);
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('my notes\n');
  });

  it('warns of a layer that is silent', async () => {
    const args = ['train', ...quick, '--epochs', '2', '--out', 'silent.safetensors'];
    const { stderr } = await run([...args, '--set', 'network.layers.0.threshold=1000'], { cwd: folder });
    expect(stderr).toMatch(/^Warning: layer 1 of \d is silent \(0\.0000 spikes per neuron and time step\)/m);
    expect(stderr).toContain('--set network.layers.0.threshold=');
    expect(stderr.match(/layer 1 of/g)).toHaveLength(1);
  });
});

describe('run-digit', () => {
  const model = {
    labels: ['はいはいはいはいはいはい', 'no', 'x'.repeat(40)],
    settings: presetSettings('default', ['a', 'b', 'c']),
  };
  const row = (file: string, label: string | null, softmax: number[]) => ({
    file,
    label,
    predicted: model.labels[softmax.indexOf(Math.max(...softmax))]!,
    confidence: 0.5,
    rejected: true,
    scores: softmax,
    softmax,
  });
  const rows = [
    row(`${'folder/'.repeat(20)}recording.wav`, model.labels[2]!, [0.7, 0.1, 0.2]),
    row('a\nb.wav', null, [0.1, 0.2, 0.7]),
    { ...row('silence.wav', 'no', []), predicted: '_silence_' },
  ];

  it.each([79, 119])('fits %d columns, whatever files and labels are called', (columns) => {
    const lines = digitTable(rows, model, columns).split('\n');
    expect(lines[0]).toMatch(/^file +true +predicted +confidence +runner-up$/);
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines[1]).toMatch(/^….*recording\.wav +x+…? +は.* 50\.0% rejected +x+…? 14\.3%$/);
    expect(lines[2]).toMatch(/^a\ufffdb\.wav +- +x+…? +50\.0% rejected +no 14\.3%$/);
    expect(lines[3]).toMatch(/^silence\.wav +no +_silence_ +50\.0% rejected +-$/);
  });

  it('--scores lists every label, in as many columns', () => {
    const lines = scoreLists([rows[0]!], model, 79).split('\n');
    expect(lines.slice(1)).toEqual([
      '  はいはいはいはいはいはい 70.0%',
      `  ${'x'.repeat(40)} 20.0%  no 10.0%`,
    ]);
  });

  it.skipIf(!hasTerminal).each([80, 120])('in a terminal of %d columns', async (columns) => {
    const args = ['run-digit', '--seed', '1', '--scores'];
    const { status, lines } = await runInTerminal(args, columns, folder);
    expect(status).toBe(0);
    expect(lines.filter((line) => /^\S+\.wav +\d +\d +\d+\.\d%/.test(line))).toHaveLength(10);
    expect(lines.filter((line) => textWidth(line) >= columns)).toEqual([]);
  });
});

describe('evaluate', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends on %s with a word', async (signal, expected) => {
    // When it begins to listen for signals, and when it ends, is up to the machine.
    for (let delay = 200; ; delay *= 1.2) {
      const running = start(['evaluate', '--robustness', '--unknown', '--threads', '1'], { cwd: folder });
      const timer = setTimeout(() => running.child.kill(signal), delay);
      const { status, stderr, stdout } = await running.finished;
      clearTimeout(timer);
      if (status === null) continue;
      expect(stderr).toMatch(/^sonospike: .*stopped.*\n$/im);
      expect([status, stdout]).toEqual([expected, '']);
      return;
    }
  });
});

describe('the watch over firing rates', () => {
  const { layers } = presetSettings('default', ['a', 'b']).network;
  const hard = layers.at(-1)!;

  it('tells what changes, once', () => {
    const watch = new FiringWatch([hard, hard]);
    expect(watch.look([0.1, 0.1])).toEqual([]);
    expect(watch.look([0.0009, 0.96])).toEqual([
      expect.stringMatching(/^Warning: layer 1 of 2 is silent \(0\.0009 /),
      expect.stringMatching(/^Warning: layer 2 of 2 is always on \(0\.9600 /),
    ]);
    expect(watch.look([0, 1])).toEqual([]);
    expect(watch.look([0.001, 0.95])).toEqual(['Layer 1 of 2 fires again.', 'Layer 2 of 2 fires again.']);
  });

  it('knows that soft neurons are never quite silent', () => {
    const [soft] = presetSettings('original', ['a', 'b']).network.layers;
    expect(new FiringWatch([soft!]).look([0.0067])).toHaveLength(1);
    expect(new FiringWatch([soft!]).look([0.02])).toEqual([]);
  });
});

describe('the forecast', () => {
  function told(shares: readonly (readonly [seconds: number, share: number])[]): string[] {
    const notes: string[] = [];
    const forecast = new Forecast({ note: (text: string) => notes.push(text) } as unknown as Output, 'It');
    const { now } = performance;
    try {
      for (const [seconds, share] of shares) {
        performance.now = () => 1000 * seconds;
        forecast.update(share);
      }
    } finally {
      performance.now = now;
    }
    return notes;
  }

  it('is said once, from what was done since the first report', () => {
    const text = 'It will take about 40 seconds (measured over its first 2 seconds).';
    expect(
      told([
        [100, 0],
        [101, 0.02],
        [102, 0.05],
        [110, 0.1],
      ]),
    ).toEqual([text]);
    // Half was done before: the other half takes 20 s.
    expect(
      told([
        [0, 0.5],
        [2, 0.55],
      ]),
    ).toEqual(['It will take about 20 seconds (measured over its first 2 seconds).']);
  });

  it('is not said of what ends soon, or does not move', () => {
    expect(
      told([
        [0, 0],
        [2, 0.5],
        [3, 0.6],
      ]),
    ).toEqual([]);
    expect(
      told([
        [0, 0.1],
        [2, 0.1],
        [90, 0.1],
      ]),
    ).toEqual([]);
  });

  it.each([
    [0.2, '1 second'],
    [89, '89 seconds'],
    [90, '2 minutes'],
    [3 * 3600, '3.0 hours'],
  ])('%d s are %s', (seconds, text) => expect(aboutTime(seconds)).toBe(text));
});

describe('the width of a text', () => {
  it.each([
    ['seven', 5],
    ['да', 2],
    ['한국어', 6],
    ['はい', 4],
    ['e\u0301', 1],
    ['👍🏽', 2],
    ['👩‍👩‍👧', 2],
    ['ｗ', 2],
    ['हाँ', 2],
    ['', 0],
  ])('%s takes %d columns', (text, width) => expect(textWidth(text)).toBe(width));

  it('cuts between characters', () => {
    expect(cutEnd('はいはい', 6)).toBe('はい…');
    expect(cutEnd('はいはい', 8)).toBe('はいはい');
    expect(cutStart('recordings/7_jackson_3.wav', 16)).toBe('…7_jackson_3.wav');
    expect(cutStart('ae\u0301o', 2)).toBe('…o');
    expect(cutEnd('👩‍👩‍👧👍', 3)).toBe('👩‍👩‍👧…');
  });

  it('aligns the columns of tables, whatever the letters, and keeps control characters out', () => {
    expect(
      table([
        ['はい', '1'],
        ['no', '12'],
        ['a\nb', '3'],
      ]),
    ).toBe('はい   1\nno    12\na\ufffdb    3');
    expect(printable('\x1b[2J')).toBe('\ufffd[2J');
  });

  it('breaks lines between words', () => {
    expect(wrapWords('one two three', 8, '  ')).toBe('one two\n  three');
    expect(wrapWords('one', 2)).toBe('one');
  });
});
