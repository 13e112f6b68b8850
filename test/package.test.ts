import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// What a user gets: a prebuild is made and packed in a copy of the repository, and the tarball installed elsewhere.

const SLOW = 300_000; // ms

let folder: string;
let project: string;
let packed: string[];

const execute = promisify(execFile);

/** Runs a program. npm's own settings are not handed down: these are projects of their own. */
async function run(program: string, args: string[], cwd: string): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^npm_(?!config_)/.test(key)),
  );
  const { stdout } = await execute(program, args, { cwd, env, maxBuffer: 2 ** 26 });
  return stdout;
}

const tool = (path: string) => resolve('node_modules', path);
const node = (args: string[], cwd: string) => run(process.execPath, args, cwd);

/** The files that git would take, without those that a build leaves. */
function copySources(to: string): void {
  const left = new Set(['node_modules', '.git', 'dist', 'prebuilds', 'coverage']);
  const names = readdirSync('.').filter((name) => !left.has(name) && !name.startsWith('build'));
  for (const name of names) cpSync(name, join(to, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(to, 'node_modules'), 'dir');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-package-'));
  const copy = join(folder, 'copy');
  project = join(folder, 'project');
  mkdirSync(copy);
  mkdirSync(project);
  copySources(copy);
  for (const part of ['.', 'lib/page/browser']) await node([tool('typescript/bin/tsc'), '-p', part], copy);
  await run('npm', ['run', 'prebuildify', '--', '--quiet', '--target', process.versions.node], copy);
  const [{ filename, files }] = JSON.parse(await run('npm', ['pack', '--json', '--ignore-scripts'], copy));
  packed = files.map(({ path }: { path: string }) => path);
  await rm(join(copy, 'build'), { recursive: true });

  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
  );
  const install = [
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--omit=dev',
  ];
  await run('npm', [...install, join(copy, filename)], project);
}, SLOW);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The folder of the package as it was installed. */
const installed = () => join(project, 'node_modules/sonospike');

describe('the tarball', () => {
  it('holds everything that is needed to run and to compile, and its papers', () => {
    const wanted = [
      'LICENSE',
      'README.md',
      'binding.gyp',
      'CMakeLists.txt',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'dist/page/browser/main.js',
      'dist/plot/index.js',
      'lib/page/browser/index.html',
      'lib/page/browser/style.css',
      'models/digits.safetensors',
      'native/addon/addon.cc',
      'native/cuda/cuda_backend.h',
      'native/cuda/architectures.cmake',
      'docs/architecture.md',
      'native/core/kernels/avx2.cc',
      'native/cuda/emulation/launch.h',
      'native/sources.json',
      'samples/7_kal_0.wav',
      'samples/README.md',
    ];
    expect(packed).toEqual(expect.arrayContaining(wanted));
    const prebuild = `prebuilds/${process.platform}-${process.arch}/`;
    expect(packed.filter((path) => path.startsWith(prebuild))).toHaveLength(1);
  });

  it('holds no tests, builds or temporary files', () => {
    const unwanted = /^(test|bench|build|node_modules|native\/test)\b|\.(o|a|tgz|checkpoint)$/;
    expect(packed.filter((path) => unwanted.test(path))).toEqual([]);
  });
});

describe('installed with scripts blocked, it predicts from its prebuild', () => {
  const clip = 'node_modules/sonospike/samples/7_kal_0.wav';
  const body = `loadModel().then((model) => model.predict('${clip}')).then(({ label }) => console.log(label));`;

  it('by import', async () => {
    writeFileSync(join(project, 'use.mjs'), `import { loadModel } from 'sonospike';\n${body}\n`);
    expect(await node(['use.mjs'], project)).toBe('7\n');
  });

  it('by require', async () => {
    writeFileSync(join(project, 'use.cjs'), `const { loadModel } = require('sonospike');\n${body}\n`);
    expect(await node(['use.cjs'], project)).toBe('7\n');
  });

  it('and has nothing but the prebuild to do it with', () => {
    expect(readdirSync(installed())).not.toContain('build');
  });

  it('and serves its page', async () => {
    const bin = join(installed(), 'dist/cli/main.js');
    const child = spawn(process.execPath, [bin, 'page', '--port', '0', '--json'], { cwd: project });
    try {
      const [text] = (await once(child.stdout, 'data')) as [Buffer];
      const { url } = JSON.parse(text.toString()) as { url: string };
      for (const path of ['', 'style.css', 'page/browser/main.js', 'page/message.js', 'plot/index.js']) {
        expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
      }
    } finally {
      child.kill();
    }
  });

  it('by its command', async () => {
    const bin = join(installed(), 'dist/cli/main.js');
    const { predictions } = JSON.parse(await node([bin, 'run-digit', clip, '--json'], project));
    expect(predictions).toMatchObject([{ predicted: '7' }]);
  });
});

it('publint finds nothing wrong with it', async () => {
  const { publint } = await import('publint');
  const { messages } = await publint({ pkgDir: installed(), strict: true });
  expect(messages).toEqual([]);
});

it('its type declarations stand on their own in a strict project', async () => {
  const source = `
    import { loadModel, train, SonospikeError, type Prediction, type TrainOptions } from 'sonospike';
    const options: TrainOptions = { data: 'folder', epochs: 3, onEpoch: ({ metrics }) => console.log(metrics.train.loss) };
    const prediction: Prediction = await (await loadModel()).predict('seven.wav', { seed: 1 });
    const label: string = prediction.label;
    // @ts-expect-error a seed is a number
    await (await loadModel()).predict('seven.wav', { seed: 'x' });
    try { await train(options); } catch (error) { if (error instanceof SonospikeError) console.log(error.code, label); }
  `;
  writeFileSync(join(project, 'use.ts'), source);
  const types = dirname(tool('@types/node/package.json'));
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(types, join(project, 'node_modules/@types/node'), 'dir');
  const flags = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    'false',
    '--target',
    'es2022',
    '--module',
    'nodenext',
  ];
  await node([tool('typescript/bin/tsc'), ...flags, '--types', 'node', 'use.ts'], project);
});
