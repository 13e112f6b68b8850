import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../lib/index.js';
import { readSavedRun } from '../lib/training/saved-run.js';
import { copySamples, run, runJson, start, startNode, temporaryFolder } from './helpers/cli.js';

/** Long enough to be stopped in the midst of, in seconds. */
const EPOCHS = 80;

let folder: string;
let recipe: string[];

const trainInto = (name: string, ...more: string[]) => [
  'train',
  ...recipe,
  '--out',
  `${name}.safetensors`,
  ...more,
];
const bytes = (file: string) => readFile(join(folder, file));

/** What the files of a training that was never stopped hold. */
let whole: { model: Buffer; checkpoint: Buffer };

beforeAll(async () => {
  folder = await temporaryFolder();
  const data = await copySamples(join(folder, 'words'), '012');
  recipe = ['--data', data, '--epochs', String(EPOCHS), '--batch-size', '4', '--seed', '3'];
  const { status, stderr } = await run(trainInto('whole'), { cwd: folder });
  if (status !== 0) throw new Error(stderr);
  whole = {
    model: await bytes('whole.safetensors'),
    checkpoint: await bytes('whole.checkpoint.safetensors'),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A training that a signal has stopped: where it was over before the signal came, on a busy machine, the next one. */
async function stoppedRun(signal: 'SIGINT' | 'SIGTERM') {
  for (let tries = 0; ; tries++) {
    const running = start(trainInto(signal, '--json'), { cwd: folder });
    await running.printed('"epoch":2,', 'stderr');
    await sleep(Math.random() * 60);
    running.child.kill(signal);
    const stopped = await running.finished;
    if (stopped.status !== 0 || tries === 20) return stopped;
    await rm(join(folder, `${signal}.safetensors`), { force: true });
    await rm(join(folder, `${signal}.checkpoint.safetensors`), { force: true });
  }
}

async function expectWhole(name: string): Promise<void> {
  expect(whole.model.equals(await bytes(`${name}.safetensors`)), 'the same model').toBe(true);
  expect(whole.checkpoint.equals(await bytes(`${name}.checkpoint.safetensors`)), 'the same checkpoint').toBe(
    true,
  );
}

describe('a training that is stopped', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'by %s leaves a checkpoint, says how to go on, and ends with the same files',
    async (signal, status) => {
      const stopped = await stoppedRun(signal);
      expect(stopped.status).toBe(status);
      const checkpoint = `${signal}.checkpoint.safetensors`;
      expect(stopped.stderr).toMatch(
        new RegExp(`^sonospike: .*Go on with: node \\S+main\\.js train .*--resume ${checkpoint}\n$`, 'm'),
      );
      const saved = await readSavedRun(join(folder, checkpoint));
      expect(saved.history.length).toBeGreaterThanOrEqual(2);
      expect(saved.history.length).toBeLessThan(EPOCHS);
      expect((await loadModel(join(folder, checkpoint))).labels).toEqual(['0', '1', '2']);
      const resumed = await run(trainInto(signal, '--resume', '--json'), {
        cwd: folder,
      });
      expect(resumed.status).toBe(0);
      const first = /^\{"epoch":(\d+),/m.exec(resumed.stderr)!;
      expect(Number(first[1])).toBe(saved.history.length + 1);
      await expectWhole(signal);
    },
  );

  it('by kill -9, again and again, ends with the same files', async () => {
    for (let round = 0; round < 4; round++) {
      const running = start(trainInto('killed', '--resume'), { cwd: folder });
      if (round === 0) await running.printed('1/80');
      await sleep(Math.random() * 400);
      running.child.kill('SIGKILL');
      const { signal, status } = await running.finished;
      if (status === 0) break; // on a busy machine it may be over before
      expect(signal).toBe('SIGKILL');
    }
    const last = await run(trainInto('killed', '--resume'), { cwd: folder });
    expect(last.stderr).not.toContain('starting anew');
    expect(last.status).toBe(0);
    await expectWhole('killed');
  });

  it('prints nothing on stdout with --json', async () => {
    const running = start(trainInto('json', '--epochs', '100000', '--json'), { cwd: folder });
    await running.printed('"epoch":1,', 'stderr');
    running.child.kill('SIGINT');
    expect(await running.finished).toMatchObject({ status: 130, stdout: '' });
  });

  it('ends at once when a later signal comes, but not for the same press of Ctrl-C', async () => {
    const stop = pathToFileURL(resolve('dist/cli/stop.js')).href;
    const script = `
      import { stoppable } from '${stop}';
      const timer = setInterval(() => {}, 1000);
      const waiting = stoppable({ note: () => console.log('stopping') }, () => new Promise(() => {}));
      console.log('ready');
      await waiting;`;
    const running = startNode(['--input-type=module', '-e', script]);
    await running.printed('ready');
    running.child.kill('SIGINT');
    await running.printed('stopping');
    running.child.kill('SIGINT');
    await sleep(1500);
    expect(running.child.exitCode ?? running.child.signalCode).toBeNull();
    running.child.kill('SIGINT');
    expect((await running.finished).signal).toBe('SIGINT');
  });
});

describe('--resume', () => {
  it('starts anew where there is no checkpoint, and says so', async () => {
    const { status, stderr } = await run(trainInto('fresh', '--epochs', '1', '--resume'), { cwd: folder });
    expect(status).toBe(0);
    expect(stderr).toContain(
      'There is no checkpoint fresh.checkpoint.safetensors to go on from: starting anew.',
    );
  });

  it('trains for more epochs when asked to', async () => {
    const args = ['--schedule', 'constant', '--resume'];
    await runJson(trainInto('more', '--epochs', '2', ...args), { cwd: folder });
    const { document } = await runJson(trainInto('more', '--epochs', '3', ...args), { cwd: folder });
    expect(document.epochs).toHaveLength(3);
  });

  it.each([
    ['a file that is not there', ['--resume', 'nowhere.safetensors'], /No such file.*nowhere/, 1],
    [
      'a model',
      ['--resume', 'whole.safetensors', '--checkpoint', 'c.safetensors'],
      /without the state of a training/,
      1,
    ],
    ['another recipe', ['--resume', 'whole.checkpoint.safetensors', '--seed', '4'], /seed is 4, was 3/, 2],
    [
      'other settings',
      ['--resume', 'whole.checkpoint.safetensors', '--encoding', 'rate'],
      /keeps its settings/,
      2,
    ],
  ])('refuses %s', async (_, args, message, expected) => {
    const { status, stderr, stdout } = await run(trainInto('refused', ...args), { cwd: folder });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^sonospike: /m);
    expect(stdout).toBe('');
    expect(status).toBe(expected);
  });

  it('refuses other clips', async () => {
    const other = await copySamples(join(folder, 'other'), '013');
    const args = [
      'train',
      '--data',
      other,
      '--resume',
      'whole.checkpoint.safetensors',
      '--out',
      'o.safetensors',
    ];
    const { status, stderr } = await run(args, { cwd: folder });
    expect(status).toBe(1);
    expect(stderr).toMatch(/belongs to a training on other clips/);
  });
});

describe('files that are there', () => {
  const train = (name: string, ...more: string[]) => run(trainInto(name, ...more), { cwd: folder });

  it('are not replaced without --force, and both ways on are said', async () => {
    await train('kept', '--epochs', '1');
    const kept = await bytes('kept.safetensors');
    const { status, stdout, stderr } = await train('kept', '--epochs', '1');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/kept\.safetensors is a model of 3 words \([^)]*accuracy \d+\.\d%\); /);
    expect(stderr).toContain('kept.checkpoint.safetensors is the checkpoint of a training that has ended.');
    expect(stderr).toMatch(
      /Go on with it: node \S+ train .*--resume\. Replace them: node \S+ train .*--force\. /,
    );
    expect(kept.equals(await bytes('kept.safetensors'))).toBe(true);
    const forced = await train('kept', '--epochs', '1', '--seed', '9', '--force');
    expect(forced.stderr).toContain('Replacing kept.safetensors, which is there already.');
    expect(forced.status).toBe(0);
    expect(kept.equals(await bytes('kept.safetensors'))).toBe(false);
  });

  it('are an unfinished training, of which it is said how far it came', async () => {
    const running = start(trainInto('unfinished', '--epochs', '5000', '--json'), { cwd: folder });
    await running.printed('"epoch":2,', 'stderr');
    running.child.kill('SIGINT');
    expect((await running.finished).status).toBe(130);
    const { stderr, status } = await train('unfinished');
    expect(status).toBe(1);
    expect(stderr).toMatch(/the checkpoint of a training that was stopped after \d+ of 5000 epochs\./);
    expect(stderr).toMatch(/unfinished\.safetensors is a model of 3 words \(epoch \d+\)/);
  });

  it('are not those of another training when one goes on', async () => {
    const args = ['--resume', 'whole.checkpoint.safetensors', '--seed', '3'];
    await train('another', '--epochs', '1', '--seed', '4');
    const { status, stderr } = await train('another', ...args);
    expect(stderr).toContain(
      'another.safetensors is not of the training that whole.checkpoint.safetensors goes on with',
    );
    expect(status).toBe(1);
  });

  it('may be replaced by the demo where they are its own and it has ended', async () => {
    const demo = (...more: string[]) => run(['train', '--epochs', '1', ...more], { cwd: folder });
    await demo();
    const again = await demo();
    expect(again.stderr).toContain('Replacing sonospike-demo.safetensors, which is there already.');
    expect(again.status).toBe(0);
    expect((await demo('--out', 'sonospike-demo.safetensors')).status).toBe(1);
    const running = start(['train', '--epochs', '5000', '--json', '--force'], { cwd: folder });
    await running.printed('"epoch":2,', 'stderr');
    running.child.kill('SIGINT');
    await running.finished;
    expect((await demo()).stderr).toMatch(/was stopped after \d+ of 5000 epochs/);
  });

  it.each([
    [['train', '--resume', '--force'], '--resume goes on with a training, --force replaces it', 2],
    [['train', '--log', 'notes.txt'], 'notes.txt is there already: name another file with --log', 1],
    [['train', '--plot', 'mine.svg'], 'mine.svg is there already, and sonospike did not draw it', 1],
    [['run-digit', '--plot', 'mine.html'], 'mine.html is there already, and sonospike did not draw it', 1],
    [['evaluate', '--plot', 'mine.svg'], 'mine.svg is there already, and sonospike did not draw it', 1],
    [
      ['strip', 'whole.safetensors', '--out', 'whole.checkpoint.safetensors'],
      'exists: name another --out, or replace it with --force',
      1,
    ],
  ])('%j is refused', async (args, message, expected) => {
    for (const name of ['notes.txt', 'mine.svg', 'mine.html']) await writeFile(join(folder, name), 'my own');
    const more = args[0] === 'train' ? ['--out', 'refused-too.safetensors'] : [];
    const { status, stderr } = await run([...args, ...more], { cwd: folder });
    expect(stderr).toContain(message);
    expect(status).toBe(expected);
    for (const name of ['notes.txt', 'mine.svg', 'mine.html'])
      expect(await readFile(join(folder, name), 'utf8')).toBe('my own');
  });

  it('are pictures of before, which may be drawn again', async () => {
    for (const name of ['again.svg', 'again.html']) {
      for (let i = 0; i < 2; i++)
        expect((await run(['run-digit', '--count', '1', '--plot', name], { cwd: folder })).status).toBe(0);
    }
  });
});

describe('the same seed', () => {
  it('gives the same files with 1, 2 and 5 threads', async () => {
    for (const threads of ['1', '2', '5']) {
      const { status } = await run(trainInto(`threads${threads}`, '--threads', threads), { cwd: folder });
      expect(status).toBe(0);
      await expectWhole(`threads${threads}`);
    }
  });

  it('matters', async () => {
    await run(trainInto('seed4', '--seed', '4'), { cwd: folder });
    expect(whole.model.equals(await bytes('seed4.safetensors'))).toBe(false);
  });
});
