import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudio } from '../lib/audio/source.js';
import { encodeWav } from '../lib/audio/wav-writer.js';
import { COMMANDS } from '../lib/cli/commands/index.js';
import { clock } from '../lib/cli/format.js';
import { asTyped, commandLine } from '../lib/cli/program.js';
import { meter, ProgressBar } from '../lib/cli/progress.js';
import { RUN_OPTIONS } from '../lib/cli/train-options.js';
import { loadModel } from '../lib/index.js';
import { resolveRunOptions } from '../lib/training/recipe.js';
import { readSavedRun } from '../lib/training/saved-run.js';
import { tarGz } from './helpers/archive.js';
import { copySamples, run, runJson, start, temporaryFolder } from './helpers/cli.js';

const NAMES = COMMANDS.map(({ name }) => name);

let folder: string;
let data: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  data = await copySamples(join(folder, 'words'), '012');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('help and version', () => {
  it.each(NAMES)('%s --help tells its options', async (command) => {
    const { status, stdout, stderr } = await run([command, '--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`^Usage: sonospike ${command} .*\\[options\\]\n`));
    expect(stdout).toContain('  --json ');
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect((await run([command, '-h'])).stdout).toBe(stdout);
    expect((await run(['help', command])).stdout).toBe(stdout);
  });

  it('has every option of train with its range and default', async () => {
    const { stdout } = await run(['train', '--help']);
    expect(stdout).toMatch(
      /--batch-size N [^(]*\(1\s+to\s+65536;\s+default:\s+32;\s+preset\s+original:\s+10\)/,
    );
    expect(stdout).toMatch(/--warmup-share N .*\n?.*\(0 to 0\.99; default: 0\.3\)/);
    expect(stdout).toMatch(/\(default: sonospike-model\.safetensors;\s+without\s+--data\s+sonospike-demo/);
    expect(stdout).toContain('--preset default|original');
    expect(stdout).toContain('--resume [FILE]');
  });

  it('lists the commands', async () => {
    const { status, stdout } = await run(['--help']);
    expect(status).toBe(0);
    for (const command of NAMES) expect(stdout).toMatch(new RegExp(`^ {2}${command} +[A-Z]`, 'm'));
  });

  it('has an npm script for every command, and for no other', () => {
    const scripts = JSON.parse(readFileSync('package.json', 'utf8')).scripts as Record<string, string>;
    const ours = Object.entries(scripts).filter(([, line]) => line.includes('dist/cli/main.js'));
    expect(Object.fromEntries(ours)).toEqual(
      Object.fromEntries(NAMES.map((name) => [name, `node dist/cli/main.js ${name}`])),
    );
  });

  it('prints the version alone', async () => {
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });
});

describe('hints', () => {
  const script = { npm_command: 'run-script', npm_package_name: 'sonospike', npm_lifecycle_event: 'train' };
  const main = resolve('dist/cli/main.js');
  it.each([
    ['npm run', [main, 'train'], script, 'npm run live', 'npm run live -- -m a'],
    [
      'a script of a project',
      ['/p/node_modules/.bin/sonospike', 'train'],
      { ...script, npm_package_name: 'mine' },
      'npx sonospike live',
      'npx sonospike live -m a',
    ],
    [
      'npx',
      ['/p/node_modules/.bin/sonospike', 'train'],
      { npm_command: 'exec', npm_package_name: 'sonospike', npm_lifecycle_event: 'npx' },
      'npx sonospike live',
      'npx sonospike live -m a',
    ],
    ['the installed program', ['/usr/bin/sonospike'], {}, 'sonospike live', 'sonospike live -m a'],
    ['node', [main], {}, 'node dist/cli/main.js live', 'node dist/cli/main.js live -m a'],
  ])('started by %s they work as typed', (_, args, env, alone, withArguments) => {
    const begun = { argv: ['node', ...args], env };
    expect(commandLine('live', [], begun)).toBe(alone);
    expect(commandLine('live', ['-m', 'a'], begun)).toBe(withArguments);
    expect(asTyped('sonospike live', begun)).toBe(alone);
    expect(asTyped('arecord | sonospike live -m a | head', begun)).toBe(`arecord | ${withArguments} | head`);
    expect(asTyped('sonospike live | head', begun)).toBe(`${alone} | head`);
    expect(asTyped('"sonospike live" lists what sonospike lists', begun)).toBe(
      `"${alone}" lists what sonospike lists`,
    );
  });

  it('quotes what a shell would take apart', () => {
    const begun = { argv: ['node', '/usr/bin/sonospike'], env: {} };
    expect(commandLine('train', ['--data', "my son's words"], begun)).toBe(
      "sonospike train --data 'my son'\\''s words'",
    );
  });
});

it('errors and help name commands as typed', async () => {
  const env = { npm_command: 'exec', npm_lifecycle_event: 'npx' };
  const { stderr } = await run(['settings', '--set', 'nothing=1'], { cwd: folder, env });
  expect(stderr).toContain('"npx sonospike settings --help" lists the settings.');
  const { stdout } = await run(['train', '--help'], { cwd: folder, env });
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('"npx sonospike settings --help" lists them.');
});

describe('wrong arguments', () => {
  it.each([
    [[], /Name a command/],
    [['trian'], /no command trian\. Did you mean train\?/],
    [['help', 'trian'], /no command trian\. Did you mean train\?/],
    [['--hlep'], /no option --hlep\. Did you mean --help\?/],
    [['train', '--hlep'], /no option --hlep\. Did you mean --help\?/],
    [['frobnicate'], /no command frobnicate\. The commands are train,/],
    [['train', '--epoch', '3'], /no option --epoch\. Did you mean --epochs\?/],
    [['train', '-x'], /no option -x/],
    [['train', '--epochs', 'ten'], /--epochs is "ten"; it must be an integer from 1 to 100000/],
    [['train', '--epochs=1.5'], /--epochs is 1\.5/],
    [['train', '--learning-rate', '-1'], /--learning-rate is -1; it must be a number/],
    [['train', '--seed', '0x10'], /--seed is "0x10"/],
    [['train', '--epochs'], /--epochs needs a value/],
    [['train', '--data', '--json'], /--data needs a value: --data DIR/],
    [['train', '--data='], /--data needs a value/],
    [['train', '--strict=yes'], /--strict takes no value/],
    [['train', '--preset', 'orignal'], /--preset is "orignal"; it must be 'default' or 'original'/],
    [['train', 'somewhere'], /does not know what to do with "somewhere"/],
    [['evaluate', '--part', 'all'], /--part is "all"/],
    [['evaluate', '--split', 'half'], /There is no split "half"/],
    [['dataset'], /Name the dataset; there are fsdd and audiomnist/],
    [['dataset', 'mnist'], /no public dataset mnist/],
    [['dataset', 'fsd'], /no public dataset fsd here; .+ Did you mean fsdd\?/],
    [['evaluate', '--split', 'offical'], /There is no split "offical"\. Did you mean official\?/],
    [['train', '--split', 'randon:0.3'], /There is no split "randon:0\.3"\. Did you mean random\?/],
    [['train', '--split', 'speakers:enu'], /No clips of enu\. Did you mean enus\? Speakers here: awb,/],
    [['train', '--augmentation', 'defualt'], /"defualt", and there is no such file\. Did you mean default\?/],
  ])('%j', async (args, message) => {
    const { status, stdout, stderr } = await run(args, { cwd: folder });
    expect(stderr).toMatch(/^sonospike: [^\n]*\n$/);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  const numeric = Object.entries(RUN_OPTIONS).flatMap(([name, spec]) =>
    spec.type === 'integer' || spec.type === 'number' ? [{ name, ...spec }] : [],
  );
  it.each(numeric)('$name has the range of the library', ({ name, min, max, type }) => {
    const resolve = (value: number) => resolveRunOptions({ [name]: value }, 'official');
    const step = type === 'integer' ? 1 : min / 2 || 1e-9;
    expect(resolve(min)).toMatchObject({ [name]: min });
    expect(resolve(max)).toMatchObject({ [name]: max });
    expect(() => resolve(min - step)).toThrow(/must be/);
    expect(() => resolve(max + (type === 'integer' ? 1 : 0.001))).toThrow(/must be/);
  });
});

describe('from training to a digit', () => {
  const model = 'tiny.safetensors';
  let trained: Awaited<ReturnType<typeof runJson>>;

  beforeAll(async () => {
    const args = ['--data', data, '--out', model, '--epochs=8', '--batch-size', '4', '--seed', '1'];
    trained = await runJson(['train', ...args, '--split', 'random:0.2'], { cwd: folder });
  });

  it('train --json prints the document, and the epochs beside it', () => {
    const { document, stderr } = trained;
    expect(document).toMatchObject({ model, checkpoint: 'tiny.checkpoint.safetensors', skipped: [] });
    expect(document.epochs.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(document.train).toEqual(document.epochs[document.bestEpoch - 1].train);
    expect(document.options).toMatchObject({ epochs: 8, batchSize: 4, seed: 1, split: 'random:0.2' });
    expect(document.clips).toBe(document.confusion.flat().reduce((a: number, b: number) => a + b, 0));
    expect(document.interval[0]).toBeLessThanOrEqual(document.accuracy);
    expect(stderr).toContain('Split random:0.2');
    expect(stderr.match(/^\{"epoch":/gm)).toHaveLength(8);
  });

  it('evaluate finds the split of the training, and the same accuracy', async () => {
    const { document } = await runJson(['evaluate', '--data', data, '--model', model], { cwd: folder });
    const { accuracy, clips, confusion, split, firingRates, perSpeaker } = trained.document;
    expect(document).toMatchObject({ accuracy, clips, confusion, split, firingRates, perSpeaker, model });
    expect(document.predictions).toHaveLength(clips);
    expect(Object.keys(document.predictions[0]).sort()).toEqual(
      ['file', 'label', 'predicted', 'confidence', 'rejected', 'scores', 'seenInTraining', 'speaker'].sort(),
    );
  });

  it('evaluate prints tables', async () => {
    const { status, stdout } = await run(['evaluate', '--data', data, '--model', model, '--split', 'all'], {
      cwd: folder,
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Accuracy \d+\.\d% \(95% interval .*, 27 clips\)/m);
    expect(stdout).toMatch(/^label {2}clips {2}precision {2}recall$/m);
    expect(stdout).toMatch(/^kal +3 +\d+\.\d%$/m);
  });

  it('run-digit draws other clips each time, and the same with the seed', async () => {
    const draw = async (...args: string[]) => {
      const all = ['run-digit', '--data', data, '--model', model, '--count', '6', ...args];
      return (await runJson(all, { cwd: folder })).document;
    };
    const first = await draw();
    expect(first).toMatchObject({ clips: 6, model });
    for (const { file, label } of first.predictions) expect(basename(file)[0]).toBe(label);
    expect((await draw('--seed', String(first.seed))).predictions).toEqual(first.predictions);
    const files = (document: typeof first) => document.predictions.map(({ file }: { file: string }) => file);
    expect(files(await draw('--seed', String(first.seed + 1)))).not.toEqual(files(first));
  });

  it('run-digit says which part it heard of a clip with more words than one', async () => {
    const { samples, sampleRate } = await readAudio(join(data, '1_kal_0.wav'));
    const long = new Float32Array(8 * sampleRate);
    long.set(samples, 5 * sampleRate);
    const alone = join(folder, 'alone.wav');
    writeFileSync(alone, encodeWav(long, sampleRate));
    expect((await run(['run-digit', alone])).stderr).not.toContain('it heard');
    const quieter = samples.map((x) => x / 2);
    long.set(quieter, sampleRate);
    const file = join(folder, 'long.wav');
    writeFileSync(file, encodeWav(long, sampleRate));
    const { document, stderr } = await runJson(['run-digit', file]);
    const { start, end, of } = document.predictions[0].heard;
    expect(of).toBe(8);
    expect(start).toBeLessThan(5.3);
    expect(end).toBeGreaterThan(5.3);
    expect(stderr).toContain(
      `it heard ${start.toFixed(2)} to ${end.toFixed(2)} of 8.00 s. Cut it into single words`,
    );
  });

  it('run-digit rejects digital silence, and has nothing to draw of it', async () => {
    const silence = join(folder, '1_silence.wav');
    writeFileSync(silence, encodeWav(new Float32Array(8000), 8000));
    const args = ['run-digit', '--model', join(folder, model), silence];
    const { document } = await runJson([...args, join(data, '1_kal_0.wav'), '--strict']);
    expect(document.skipped).toEqual([]);
    expect(document.predictions[0]).toMatchObject({
      label: '1',
      predicted: '_silence_',
      confidence: 0,
      rejected: true,
      heard: null,
    });
    expect(document.accuracy).toBe(document.predictions[1].predicted === '1' ? 0.5 : 0);
    expect((await run(args)).stdout).toContain('_silence_');
    const { status, stderr } = await run([...args, '--plot', join(folder, 'silence.svg')]);
    expect(status).toBe(1);
    expect(stderr).toContain(`sonospike: ${silence} is digital silence, so there is nothing to draw.\n`);
  });

  it('evaluate says how much it did not hear of clips that are longer than the model hears', async () => {
    const long = await copySamples(join(folder, 'long-words'), '012');
    const settings = (await loadModel(join(folder, model))).settings;
    const heard = (settings.frames * settings.frontend.hopLength) / settings.sampleRate;
    const { samples, sampleRate } = await readAudio(join(data, '1_kal_0.wav'));
    for (const [name, seconds] of [
      ['1_kal_0', 3],
      ['2_kal_0', 4],
    ] as const) {
      const longer = new Float32Array(seconds * sampleRate);
      longer.set(samples);
      writeFileSync(join(long, `${name}.wav`), encodeWav(longer, sampleRate));
    }
    const args = ['evaluate', '--data', long, '--model', join(folder, model), '--split', 'all'];
    const { document, stderr } = await runJson(args);
    expect(document.longer).toEqual({
      clips: 2,
      heard,
      unheard: expect.closeTo(7 - 2 * heard, 6),
      longest: join(long, '2_kal_0.wav'),
    });
    expect(stderr).toMatch(
      /^2 clips are longer than the 1\.02 s that the model hears of each: 5\.0 s in all were left out\. The longest is .*2_kal_0\.wav\.$/m,
    );
    expect(stderr).not.toContain('SonospikeWarning');
  });

  it('run-digit takes files, and their label from the name where it can', async () => {
    const [known, unknown] = [join(data, '1_kal_0.wav'), 'samples/7_kal_0.wav'];
    const args = ['run-digit', '--model', join(folder, model), known, unknown];
    const { document } = await runJson(args);
    expect(document.predictions.map(({ label }: { label: string | null }) => label)).toEqual(['1', null]);
    expect(document.accuracy).toBe(document.predictions[0].predicted === '1' ? 1 : 0);
    for (const { scores, softmax } of document.predictions) {
      expect(scores).toHaveLength(3);
      expect(softmax.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 4);
    }
    const { stdout } = await run(args);
    expect(stdout).toMatch(/^samples\/7_kal_0\.wav +- +[012] +\d+\.\d%( rejected)? +[012] \d+\.\d%$/m);
    const all = await run([...args, '--scores']);
    expect(all.stdout).toMatch(
      /^samples\/7_kal_0\.wav\n {2}[012] \d+\.\d% {2}[012] \d+\.\d% {2}[012] \d+\.\d%$/m,
    );
  });

  it('trains on the shipped samples without --data, and says how to get real ones', async () => {
    const { status, stdout, stderr } = await run(['train', '--epochs', '1'], { cwd: folder });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}node \S+main\.js run-digit --model sonospike-demo\.safetensors my\.wav$/m);
    expect(stderr).toContain('training on the 90 shipped samples');
    expect(stderr).toContain('main.js dataset fsdd');
  });

  it.each(['rate', 'latency', 'delta', 'direct'])('trains with the %s encoding', async (encoding) => {
    const args = [
      'train',
      '--data',
      data,
      '--epochs',
      '1',
      '--encoding',
      encoding,
      '--frames-per-second',
      '50',
      '--out',
      `${encoding}.safetensors`,
    ];
    const { document } = await runJson(args, { cwd: folder });
    expect(document.epochs).toHaveLength(1);
    expect(document.epochs[0].firingRates[0]).toBeGreaterThan(0);
  });

  it('ends in good order when its reader goes away, with a checkpoint and the status of SIGPIPE', async () => {
    const running = start(['train', '--data', data, '--epochs', '100000', '--out', 'pipe.safetensors'], {
      cwd: folder,
    });
    await running.printed('1/100000');
    running.child.stdout.destroy();
    const { status, stderr } = await running.finished;
    expect(status).toBe(141);
    expect(stderr).not.toMatch(/EPIPE|bug/);
    expect(stderr).toMatch(/^sonospike: Training was stopped after .*Go on with: /m);
    const { history } = await readSavedRun(join(folder, 'pipe.checkpoint.safetensors'));
    expect(history.length).toBeGreaterThan(0);
  });

  it('evaluate ends with the status of SIGPIPE when nobody reads what it found', async () => {
    const running = start(['evaluate', '--data', data, '--model', model], { cwd: folder });
    running.child.stdout.destroy();
    const { status, stderr } = await running.finished;
    expect(stderr).not.toMatch(/EPIPE|bug/);
    expect(status).toBe(141);
  });
});

describe('info', () => {
  it('--json tells what the library tells', async () => {
    const { document } = await runJson(['info']);
    expect(document).toMatchObject({ node: process.versions.node });
    expect(document.devices[0]).toEqual({ name: 'cpu' });
    expect(document.instructionSets).toContain(document.instructionSet);
    expect((await run(['info'])).stdout).toContain(document.instructionSet);
  });
});

describe('dataset', () => {
  it('fetches, says what to do next, and leaves a complete copy alone', async () => {
    const paths = Array.from({ length: 3000 }, (_, i) => `fsdd-master/recordings/${i % 10}_x_${i}.wav`);
    const archive = tarGz(paths.map((path) => ({ path })));
    const server = createServer((_, response) => response.end(archive)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { cwd: folder, env: { SONOSPIKE_DATASET_URL: url } };
    const { stdout, stderr } = await run(['dataset', 'fsdd'], options).finally(() => server.close());
    expect(stdout).toContain(`main.js train --data ${join('data', 'fsdd')}`);
    expect(stderr).toMatch(/downloaded\.\n.*unpacked\.\n$/);
    const again = await runJson(['dataset', 'fsdd', '--to', 'data'], options);
    expect(basename(again.document.directory)).toBe('fsdd');
    expect(again.stderr).toContain('is there already');
    const offline = await run(['dataset', 'audiomnist', '--json'], options);
    expect(offline).toMatchObject({ status: 1, stdout: '' });
    expect(offline.stderr).toMatch(/sonospike: .*seems to be offline\. Run the same command again/);
    expect(offline.stderr).not.toContain('kept');
  });
});

describe('the progress bar', () => {
  function drawOn(isTTY: boolean): string {
    let written = '';
    const write = (text: string) => {
      written += text;
      return true;
    };
    const bar = new ProgressBar({ isTTY, columns: 40, write } as unknown as NodeJS.WriteStream);
    bar.update('epoch 1/2', 0.5, 'details that are longer than the terminal is wide');
    bar.clear();
    return written;
  }

  it('stays within the line of a terminal, and takes itself away', () => {
    const [, line = '', after] = drawOn(true).split('\r\x1b[K');
    expect(line).toMatch(/^epoch 1\/2 █{10}░{10} 50% /);
    expect(line).toHaveLength(39);
    expect(after).toBe('');
  });

  it('is not there where no one sees it', () => expect(drawOn(false)).toBe(''));
});

it.each([
  [0, '0:00.0'],
  [3.42, '0:03.4'],
  [59.97, '1:00.0'],
  [7384.25, '2:03:04.3'],
])('%d seconds are %s on the clock', (seconds, text) => expect(clock(seconds)).toBe(text));

it.each([
  [-120, '░'.repeat(20)],
  [-30, '█'.repeat(10) + '░'.repeat(10)],
  [0, '█'.repeat(20)],
  [3, '█'.repeat(20)],
])('the meter shows %d dB', (level, bar) => expect(meter(level)).toBe(`${bar} ${level} dB`));
