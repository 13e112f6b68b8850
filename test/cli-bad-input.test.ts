import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presetSettings } from '../lib/index.js';
import { copySamples, run, runJson, temporaryFolder } from './helpers/cli.js';

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  await copySamples(join(folder, 'words'), '012');
  await copySamples(join(folder, 'one'), '0');
  await copySamples(join(folder, 'more'), '0129');
  await mkdir(join(folder, 'empty'));
  const spoilt = await copySamples(join(folder, 'spoilt'), '012');
  await truncate(join(spoilt, '1_kal_0.wav'), 40);
  await writeFile(join(spoilt, '2_rms_0.wav'), 'not a WAV');
  await runJson(['train', '--data', 'words', '--epochs', '1', '--out', 'model.safetensors'], { cwd: folder });
  const model = await readFile(join(folder, 'model.safetensors'));
  await writeFile(join(folder, 'cut.safetensors'), model.subarray(0, -100));
  await writeFile(join(folder, 'text.json'), '{"sampleRate": 8000,');
  await writeFile(join(folder, 'list.json'), '[1]');
  const { labels: _, ...settings } = presetSettings('default', ['0', '1', '2']);
  await writeFile(join(folder, 'settings.json'), JSON.stringify({ ...settings, frames: 40 }));
  await writeFile(join(folder, 'frames.json'), JSON.stringify({ ...settings, frames: 0 }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Exit statuses: of a failure, and of a command line or settings that are wrong. */
const [FAILURE, USAGE] = [1, 2];

it.runIf(existsSync('/dev/full'))('a full disk behind standard output is said in words', () => {
  const full = openSync('/dev/full', 'w');
  const main = resolve('dist/cli/main.js');
  const { status, stderr } = spawnSync(process.execPath, [main, 'settings'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  expect([status, stderr]).toEqual([
    1,
    'sonospike: Cannot write the output: the disk behind it is full (ENOSPC).\n',
  ]);
});

describe('one clear line and a status for', () => {
  it.each([
    ['train --data nowhere', /No such file or directory: .*nowhere/, FAILURE],
    ['train --data model.safetensors', /model\.safetensors is a file; a data set is a directory/, FAILURE],
    ['train --data empty', /There is no sound that is read .*empty/, FAILURE],
    ['train --data one', /All 9 clips in .*one are of one word/, FAILURE],
    ['train --data words --words 0,11', /words has no clips of the word 11\. Did you mean 1\?/, FAILURE],
    ['train --data words --split official', /No clips|would have no clips/, USAGE],
    ['train --data words --split speakers:nobody', /No clips of nobody/, USAGE],
    ['train --data words --split random:0.2 --fold 2', /Fold 2 is not possible/, USAGE],
    ['train --data words --extra-data more', /has the word 9/, FAILURE],
    [
      'train --data words --out nowhere/model.safetensors',
      /Cannot write nowhere\/model\.safetensors: its folder does not exist \(ENOENT\)/,
      FAILURE,
    ],
    ['train --data words --out empty', /Cannot write empty: it is a directory/, FAILURE],
    [
      'train --data words --out m.safetensors --checkpoint ./m.safetensors',
      /would both be m\.safetensors/,
      USAGE,
    ],
    ['train --data words --settings nowhere.json', /No such file or directory: nowhere\.json/, FAILURE],
    ['train --data words --settings text.json', /text\.json is not JSON/, USAGE],
    ['train --data words --settings list.json', /list\.json: the settings is an array/, USAGE],
    [
      'train --data words --settings frames.json',
      /frames\.json: frames is 0; it must be an integer from 1/,
      USAGE,
    ],
    ['train --data words --frames-per-second 2', /framesPerSecond is 2; it must be a number from/, USAGE],
    ['train --data spoilt --strict', /spoilt\/1_kal_0\.wav/, FAILURE],
    [
      'evaluate --data words --model nowhere.safetensors',
      /No such file or directory: nowhere\.safetensors/,
      FAILURE,
    ],
    ['evaluate --data words --model cut.safetensors', /cut\.safetensors/, FAILURE],
    ['evaluate --data words --model words/0_kal_0.wav', /0_kal_0\.wav/, FAILURE],
    ['evaluate --data more --model model.safetensors', /word that the model does not know: 9/, FAILURE],
    [
      'evaluate --data words --model model.safetensors --split all --part train',
      /The train part .* has no clips/,
      USAGE,
    ],
    ['evaluate --data spoilt --model model.safetensors --split all --strict', /1_kal_0\.wav/, FAILURE],
    ['run-digit nowhere.wav --model model.safetensors', /No such file or directory: nowhere\.wav/, FAILURE],
    ['run-digit words --model model.safetensors', /words: it is a directory/, FAILURE],
    [
      'run-digit a.wav b.wav --model model.safetensors',
      /None of the 2 files could be read\. The first: .*a\.wav/,
      FAILURE,
    ],
    ['run-digit words/0_kal_0.wav a.wav --strict --model model.safetensors', /No such file.*a\.wav/, FAILURE],
    [
      'run-digit --data more --count 36 --model model.safetensors',
      /has the word 9, which the model/,
      FAILURE,
    ],
    ['run-digit --data empty --model model.safetensors', /There is no sound that is read/, FAILURE],
  ])('%s', async (line, message, expected) => {
    for (const json of [[], ['--json']]) {
      const { status, stdout, stderr } = await run([...line.split(' '), ...json], { cwd: folder });
      const errors = stderr.split('\n').filter((text) => text.startsWith('sonospike: '));
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(message);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(stdout).toBe('');
      expect(status).toBe(expected);
    }
  });
});

describe('bad clips among good ones are skipped, counted and named', () => {
  const spoilt = ['1_kal_0.wav', '2_rms_0.wav'];

  it.each([
    'train --data spoilt --epochs 1 --out spoilt.safetensors',
    'evaluate --data spoilt --split all --model model.safetensors',
    'run-digit --data spoilt --count 27 --model model.safetensors',
  ])('%s', async (line) => {
    const { document, stderr } = await runJson(line.split(' '), { cwd: folder });
    const files = document.skipped.map(({ file }: { file: string }) => file.slice(-spoilt[0]!.length));
    expect(files.sort()).toEqual(spoilt);
    expect(stderr).toContain('Skipped 2 files:');
    for (const file of spoilt) expect(stderr).toContain(file);
  });

  it('leaves them out of the accuracy', async () => {
    const args = ['run-digit', 'words/0_kal_0.wav', 'spoilt/1_kal_0.wav', '--model', 'model.safetensors'];
    const { document } = await runJson(args, { cwd: folder });
    expect(document.clips).toBe(1);
    expect([0, 1]).toContain(document.accuracy);
  });
});

it.each(['', '\uFEFF'])(
  'takes settings from a file that begins with %j, with the labels of the dataset',
  async (mark) => {
    await writeFile(
      join(folder, 'marked.json'),
      mark + (await readFile(join(folder, 'settings.json'), 'utf8')),
    );
    const args = ['train', '--data', 'words', '--epochs', '1', '--out', 's.safetensors', '--force'];
    const { document } = await runJson([...args, '--settings', 'marked.json'], { cwd: folder });
    expect(document.labels).toEqual(['0', '1', '2']);
  },
);

// Root may write everywhere.
it.skipIf(process.getuid?.() === 0)('refuses a folder that cannot be written before it trains', async () => {
  await mkdir(join(folder, 'closed'));
  await chmod(join(folder, 'closed'), 0o500);
  const args = ['train', '--data', 'words', '--out', 'closed/model.safetensors'];
  const { status, stdout, stderr } = await run(args, { cwd: folder });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(
    /Cannot write closed\/model\.safetensors: this user has no permission to write there \(EACCES\)/,
  );
});
