import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlotFile } from '../lib/cli/plot-file.js';
import { copySamples, run, runJson, start, temporaryFolder } from './helpers/cli.js';
import { group, parseFigure, textsOf } from './helpers/svg.js';
import { quickSettings } from './helpers/training.js';
import { findAll, textOf } from './helpers/xml.js';

const seven = resolve('samples/7_kal_0.wav');

let folder: string;
let quick: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  await copySamples(join(folder, 'words'), '012');
  const { labels: _, ...settings } = quickSettings();
  await writeFile(join(folder, 'quick.json'), JSON.stringify(settings));
  quick = ['--data', 'words', '--settings', 'quick.json', '--batch-size', '8'];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const read = (name: string) => readFile(join(folder, name), 'utf8');
const figure = async (name: string) => parseFigure(await read(name));

describe('run-digit --plot', () => {
  it('draws a clip', async () => {
    const { document } = await runJson(['run-digit', seven, '--plot', 'seven.svg'], { cwd: folder });
    expect(document).toMatchObject({ plot: 'seven.svg', predictions: [{ predicted: '7' }] });
    const root = await figure('seven.svg');
    expect(textsOf(root)[0]!.text).toMatch(/7_kal_0\.wav: 7 \(confidence [\d.]+%\), right$/);
    for (const panel of ['Waveform', 'Features', 'Layer 1', 'Layer 4', 'Readout']) group(root, panel);
  });

  it('draws several clips into one page', async () => {
    const args = ['run-digit', '--data', 'words', '--count', '3', '--seed', '1', '--plot', 'three.html'];
    const { stderr, status } = await run(args, { cwd: folder });
    expect(status).toBe(0);
    expect(stderr).toContain('The picture is three.html.');
    expect((await read('three.html')).match(/<svg /g)).toHaveLength(3);
  });

  it('refuses several for an .svg, before it has recognised any', async () => {
    const { status, stdout, stderr } = await run(['run-digit', seven, seven, '--plot', 'two.svg'], {
      cwd: folder,
    });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(
      'two.svg can show one clip, not 2: name one file, give --count 1, or let it end in .html.',
    );
    expect(await readdir(folder)).not.toContain('two.svg');
  });
});

describe('train --plot', () => {
  it('draws the curves anew after every epoch, and those before a resume', async () => {
    const args = ['train', ...quick, '--out', 'm.safetensors', '--plot', 'curves.svg', '--test-every-epoch'];
    const slow = start([...args, '--epochs', '2000', '--json'], { cwd: folder });
    await slow.printed('"epoch":3,', 'stderr');
    slow.child.kill('SIGINT');
    expect((await slow.finished).status).toBe(130);
    const before = await figure('curves.svg');
    const [, done] = /^Training of m\.safetensors: (\d+) of 2000 epochs/.exec(textsOf(before)[0]!.text)!;
    expect(Number(done)).toBeGreaterThanOrEqual(3);

    const more = String(Number(done) + 2);
    const resumed = await run([...args, '--epochs', more, '--resume'], { cwd: folder });
    expect(resumed.stderr).toContain('The curves are curves.svg.');
    const after = await figure('curves.svg');
    expect(textsOf(after)[0]!.text).toContain(`${more} of ${more} epochs`);
    const panel = group(after, 'Loss');
    expect(textOf(panel)).toContain('test');
    const lines = findAll(panel, 'path', 'line').filter(
      ({ attributes }) => !attributes.class!.includes('dashed'),
    );
    for (const { attributes } of lines) expect(attributes.d!.match(/[ML]/g)).toHaveLength(Number(more));
  });

  it('writes a page that loads itself again until the training has ended', async () => {
    const args = ['train', ...quick, '--out', 'w.safetensors', '--plot', 'watch.html'];
    const slow = start([...args, '--epochs', '2000', '--json'], { cwd: folder });
    await slow.printed('"epoch":3,', 'stderr');
    const page = () => read('watch.html').catch(() => '');
    await expect.poll(page, { timeout: 30_000 }).toContain('http-equiv="refresh"');
    slow.child.kill('SIGINT');
    await slow.finished;
    expect(await read('watch.html')).not.toContain('refresh');
  });
});

describe('evaluate --plot', () => {
  it('draws confusion and speakers', async () => {
    const { document } = await runJson(['evaluate', '--plot', 'found.svg'], { cwd: folder });
    const root = await figure('found.svg');
    expect(textsOf(root)[0]!.text).toContain(`${(100 * document.accuracy).toFixed(1)}% right`);
    for (const [speaker, { clips }] of Object.entries<{ clips: number }>(document.perSpeaker)) {
      expect(textOf(group(root, `${speaker}: `))).toContain(`of ${clips}`);
    }
    expect(document.plot).toBe('found.svg');
  });

  it('draws a protocol', async () => {
    const protocol = ['--protocol', 'loso', '--seeds', '2', '--folds', '1,2', '--epochs', '1'];
    const { status, stderr } = await run(['evaluate', ...quick, ...protocol, '--plot', 'loso.svg'], {
      cwd: folder,
    });
    expect(stderr).toContain('The picture is loso.svg.');
    expect(status).toBe(0);
    const root = await figure('loso.svg');
    for (const fold of ['fold 1', 'fold 2']) expect(findAll(group(root, fold), 'circle')).toHaveLength(3);
  });
});

describe('a file that cannot be', () => {
  it.each([
    [['run-digit', '--plot', 'x.png'], '--plot is "x.png"; the file must end in .svg or .html'],
    [['train', '--plot', 'nowhere/at/all.svg'], 'Cannot write nowhere/at/all.svg'],
    [['evaluate', '--plot', 'folder.svg'], 'Cannot write folder.svg: it is not a regular file.'],
    [['train', '--out', 'same.svg', '--plot', 'same.svg'], '--plot and --out would both be same.svg'],
    [
      ['evaluate', '--protocol', 'loso', '--out', 'l.html', '--plot', 'l.html'],
      '--plot and --out would both be l.html',
    ],
    [['run-digit', '--plot'], '--plot needs a value: --plot FILE.'],
  ])('%j is refused before the work begins', async (args, message) => {
    await mkdir(join(folder, 'folder.svg'), { recursive: true });
    const { status, stdout, stderr } = await run(args, { cwd: folder });
    expect(stderr).toContain(message);
    // A file that cannot be written is a failure, a wrong option wrong usage.
    expect([status, stdout]).toEqual([message.startsWith('Cannot write') ? 1 : 2, '']);
  });

  it('fails at the end where it could be written at first, and is written if it can be again', async () => {
    const place = join(folder, 'later');
    await mkdir(place);
    const plot = (await PlotFile.choose(join(place, 'a.svg')))!;
    await rm(place, { recursive: true });
    await writeFile(place, 'in the way');
    plot.update('x', () => [{ name: 'x', svg: '<svg/>' }]);
    await expect(plot.written()).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
    await rm(place);
    for (const svg of ['<svg/>', '<a/>', '<b/>']) plot.update('x', () => [{ name: 'x', svg }]);
    await plot.written();
    expect(await readFile(join(place, 'a.svg'), 'utf8')).toBe('<b/>');
    expect(await readdir(place)).toEqual(['a.svg']);
  });
});
