// What importing the package, and using a model alone, loads: each module costs about half a millisecond of CPU time.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLES } from './helpers/training.js';

const execute = promisify(execFile);
const DIST = pathToFileURL(resolve('dist')).href;
const CLIP = JSON.stringify(join(SAMPLES, '7_kal_0.wav'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-import-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a script in a process of its own. Gives the files below `dist` and the packages that it loaded. */
async function loadedBy(script: string): Promise<string[]> {
  const list = join(folder, 'loaded.txt');
  await rm(list, { force: true });
  // CommonJS modules and addons that are asked for with require().
  const required = `
    const { createRequire } = await import('node:module');
    const files = Object.keys(createRequire(${JSON.stringify(`${DIST}/index.js`)}).cache);
    (await import('node:fs')).appendFileSync(process.env.LOADED_MODULES, files.map((f) => f + '\\n').join(''));`;
  await execute(
    process.execPath,
    ['--import', resolve('test/helpers/loaded-modules.mjs'), '--input-type=module', '-e', script + required],
    { env: { ...process.env, LOADED_MODULES: list } },
  );
  const urls = (await readFile(list, 'utf8')).trim().split('\n');
  return urls.flatMap((url) => {
    if (url.startsWith(`${DIST}/`)) return url.slice(DIST.length + 1);
    const [, inPackage] = /node_modules\/(.*)$/.exec(url) ?? [];
    if (inPackage !== undefined) return `package ${inPackage}`;
    return url.endsWith('.node') ? 'addon' : [];
  });
}

/** What has no place in a program that only uses a model. */
const NOT_FOR_A_MODEL =
  /^(plot|page|cli|training|protocol|evaluation|files\/torch|datasets\/(fetch|download))\//;

describe('import', () => {
  it('loads the settings, and neither a data set nor the addon nor a package', async () => {
    const loaded = await loadedBy(`await import('${DIST}/index.js');`);
    const outside = loaded.filter(
      (file) => !/^(index\.js|support\/|settings\/|training\/(recipe|run-fields)\.js$)/.test(file),
    );
    expect(outside).toEqual([]);
    expect(loaded.length).toBeLessThanOrEqual(24);
  });

  it('of the pictures loads no addon', async () => {
    const loaded = await loadedBy(`await import('${DIST}/plot/checked.js');`);
    expect(
      loaded.filter((file) => !/^(plot|settings|support|evaluation\/metrics|protocol\/names)\b/.test(file)),
    ).toEqual([]);
  });
});

describe('loadModel and predict', () => {
  it('load no training, evaluation, picture, page or .pt reader', async () => {
    const loaded = await loadedBy(`
      const { loadModel } = await import('${DIST}/index.js');
      await (await loadModel()).predict(${CLIP});`);
    expect(loaded).toContain('addon');
    expect(
      loaded.filter(
        (file) => NOT_FOR_A_MODEL.test(file) && !/^training\/(recipe|run-fields)\.js$/.test(file),
      ),
    ).toEqual([]);
    // Of packages only what reads the header of a WAV.
    const packages = loaded.filter((file) => file.startsWith('package ') && !file.includes('node-gyp-build'));
    expect(packages.filter((file) => !file.startsWith('package wavefile/'))).toEqual([]);
    expect(loaded.length).toBeLessThanOrEqual(95);
  });

  it('of samples in memory load no reader of sound files', async () => {
    const loaded = await loadedBy(`
      const { loadModel } = await import('${DIST}/index.js');
      const samples = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i / 3));
      (await loadModel()).predictSync({ samples, sampleRate: 8000 });`);
    expect(loaded.filter((file) => file.startsWith('package wavefile/'))).toEqual([]);
  });
});

it('require() gives what import gives', async () => {
  const script = `
    const required = require(${JSON.stringify(resolve('dist/index.js'))});
    import('${DIST}/index.js').then((imported) => {
      const names = Object.keys(imported).filter((name) => name !== '__esModule');
      if (names.length < 10 || names.some((name) => required[name] !== imported[name])) process.exit(1);
    });`;
  await execute(process.execPath, ['-e', script]);
});
