import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copySamples, run, runJson, start, temporaryFolder } from './helpers/cli.js';
import { quickSettings } from './helpers/training.js';

let folder: string;
let quick: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  const data = await copySamples(join(folder, 'words'), '012');
  const { labels: _, ...settings } = quickSettings();
  await writeFile(join(folder, 'quick.json'), JSON.stringify(settings));
  quick = ['evaluate', '--data', data, '--settings', 'quick.json', '--epochs', '2', '--batch-size', '8'];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('evaluate --protocol', () => {
  const protocol = ['--protocol', 'loso', '--seeds', '2', '--folds', '1,2'];

  it('prints what it found, and writes it', async () => {
    const args = [...quick, ...protocol, '--out', 'found.json'];
    const { status, stdout, stderr } = await run(args, { cwd: folder });
    expect(stderr).toContain('4 trainings: 2 folds, 2 seeds.');
    expect(stderr.match(/^ +\d\/4 {2}fold \d {2}seed \d/gm)).toHaveLength(4);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Accuracy [\d.]+% ± [\d.]+ \(2 seeds, each the mean of 2 folds; from/m);
    expect(stdout).toMatch(/^fold {2}test +clips +accuracy +sd +least +most$/m);
    expect(stdout).toContain('Expected calibration error');
    const found = JSON.parse(await readFile(join(folder, 'found.json'), 'utf8'));
    expect(found).toMatchObject({
      protocol: 'leave-one-speaker-out',
      complete: true,
      folds: [1, 2],
      seeds: [0, 1],
    });
  });

  it('prints the document with --json, with times to the target', async () => {
    const { document } = await runJson([...quick, ...protocol, '--target', '0', '--seed', '3'], {
      cwd: folder,
    });
    expect(document).toMatchObject({
      seeds: [3, 4],
      target: 0,
      parallel: 1,
      summary: { accuracy: { count: 2 } },
    });
    // Loading the program, too, is part of the time.
    expect(document.runs[0].secondsToTarget).toBeGreaterThan(document.runs[0].loadSeconds);
  });

  it('is stopped by Ctrl-C with what was done in the file', async () => {
    const slow = [...quick, ...protocol, '--epochs', '200', '--parallel', '1', '--out', 'stopped.json'];
    const { child, finished, printed } = start(slow, { cwd: folder });
    await printed('1/4', 'stderr');
    child.kill('SIGINT');
    const { status, stderr } = await finished;
    expect(stderr).toContain('after 1 of 4 runs, which are in stopped.json');
    expect(status).toBe(130);
    const kept = JSON.parse(await readFile(join(folder, 'stopped.json'), 'utf8'));
    expect(kept).toMatchObject({ complete: false, runs: [{ fold: 1, seed: 0, epochs: 200 }] });
    expect(stderr).toMatch(/Go on with: node \S+ evaluate .*--out stopped\.json --resume\n$/m);
    const refused = await run(slow, { cwd: folder });
    expect(refused.stderr).toMatch(
      /stopped\.json is there already\. Go on with it: .*--resume\. Replace it: .*--force\./,
    );
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    const resumed = await run([...slow, '--resume'], { cwd: folder });
    expect(resumed.stderr.match(/^ +\d\/4 {2}fold/gm)).toHaveLength(3);
    expect(resumed.status).toBe(0);
    const file = async (name: string) => {
      const text = await readFile(join(folder, name), 'utf8');
      return text.replace(/"(seconds|loadSeconds)": (\{[^}]*\}|[\d.e+-]+)/g, '"$1"');
    };
    const whole = [...slow.slice(0, -1), 'whole.json'];
    expect((await run(whole, { cwd: folder })).status).toBe(0);
    expect(await file('stopped.json')).toBe(await file('whole.json'));
  });

  it('is trained in shards, which --merge puts together', async () => {
    for (const n of [1, 2]) {
      const args = [...quick, ...protocol, '--shard', `${n}/2`, '--out', `shard-${n}.json`];
      const { status, stderr } = await run(args, { cwd: folder });
      expect(stderr).toContain(`Shard ${n}/2 is in shard-${n}.json.`);
      expect(status).toBe(0);
    }
    const merge = ['evaluate', '--merge', 'shard-1.json'];
    const { document } = await runJson([...merge, 'shard-2.json', '--out', 'merged.json'], { cwd: folder });
    expect(document).toMatchObject({ complete: true, summary: { accuracy: { count: 2 } } });
    expect(JSON.parse(await readFile(join(folder, 'merged.json'), 'utf8'))).toEqual(document);
    const half = await run(merge, { cwd: folder });
    expect(half.stderr).toMatch(/^sonospike: 2 trainings of the protocol are in none of these files: fold/m);
    expect(half.status).toBe(1);
    for (const args of [['--merge'], ['shard-1.json'], [...protocol, '--shard', '3/2', '--out', 'x.json']])
      expect((await run(['evaluate', ...args], { cwd: folder })).status).toBe(2);
  });

  it.each([
    [['--epochs', '3'], '--epochs is an option of --protocol'],
    [[...protocol, '--model', 'x'], '--model has no meaning with --protocol'],
    [[...protocol, '--robustness'], '--robustness has no meaning with --protocol'],
    [['--protocol', 'half'], '--protocol is "half"'],
    [[...protocol, '--resume'], '--resume goes on with the file of --out: name it'],
    [['--resume'], '--resume is an option of --protocol'],
    [['--protocol', 'loso', '--folds', '1;2'], '--folds is "1;2"'],
    [['--protocol', 'loso', '--out', '/nowhere/at/all.json'], 'Cannot write /nowhere/at/all.json'],
    [['--protocol', 'audiomnist'], 'The protocol audiomnist is for'],
  ])('%j is refused', async (args, message) => {
    const data = args.includes('--protocol') ? ['--data', join(folder, 'words')] : [];
    const { status, stderr, stdout } = await run(['evaluate', ...data, ...args], { cwd: folder });
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([message.startsWith('Cannot write') ? 1 : 2, '']);
  });
});

it('evaluate --unknown --robustness shows both tables', async () => {
  const { status, stdout } = await run(['evaluate', '--unknown', '--robustness'], { cwd: folder });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^sounds that are no words +clips +AUROC +accepted +confidence$/m);
  expect(stdout).toMatch(/^all +150 /m);
  expect(stdout).toMatch(/^condition +accuracy +points +rejected$/m);
  expect(stdout).toMatch(/^white noise at 10 dB +[\d.]+%/m);
  expect(stdout).toMatch(/^Operations of a clip: [\d.]+k dense, /m);
});
