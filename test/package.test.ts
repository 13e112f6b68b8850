import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLATFORMS, platformName, platformPackage } from '../lib/native/addon-file.js';
import { permission } from './helpers/permission.js';

// What a user gets: the packages are packed in a copy of the repository, with the addon that was compiled in the checkout,
// and the tarballs installed elsewhere.

const SLOW = 300_000; // ms

let folder: string;
let project: string;
/** The files of each package. */
const packed = new Map<string, string[]>();

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
  const addon = join(copy, 'build-packages', platformName(), 'sonospike.node');
  mkdirSync(dirname(addon), { recursive: true });
  cpSync('build/Release/sonospike.node', addon);
  await node(['native/packages/pack.mjs', platformName()], copy);
  const tarballs: string[] = [];
  for (const name of ['sonospike', '@sonospike/sources', platformPackage()]) {
    const from = join(copy, 'build-packages/npm', name);
    const [{ filename, files }] = JSON.parse(await run('npm', ['pack', '--json'], from));
    tarballs.push(join(from, filename));
    packed.set(
      name,
      files.map(({ path }: { path: string }) => path),
    );
  }

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
  await run('npm', [...install, tarballs[0]!, tarballs[2]!], project);
}, SLOW);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The folder of the package as it was installed. */
const installed = () => join(project, 'node_modules/sonospike');

const readManifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

describe('the packages', () => {
  it('of the library holds what is needed to run, and its papers', () => {
    const wanted = [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'dist/page/browser/main.js',
      'dist/plot/index.js',
      'dist/support/traced-files.cjs',
      'lib/page/browser/index.html',
      'lib/page/browser/style.css',
      'models/digits.safetensors',
      'docs/architecture.md',
      'samples/7_kal_0.wav',
      'samples/README.md',
    ];
    expect(packed.get('sonospike')).toEqual(expect.arrayContaining(wanted));
  });

  it('of the library holds nothing that npm would compile, no tests, builds or temporary files', () => {
    const unwanted =
      /^(test|bench|build|prebuilds|native|node_modules)\b|binding\.gyp|\.(node|o|a|tgz|checkpoint)$/;
    expect(packed.get('sonospike')!.filter((path) => unwanted.test(path))).toEqual([]);
    const manifest = readManifest(installed());
    expect(manifest).toMatchObject({ gypfile: false });
    expect(manifest).not.toHaveProperty('scripts');
    expect(Object.keys(manifest.dependencies)).not.toContain('node-gyp-build');
  });

  it('of the platforms are optional dependencies of the packed library, of exactly its version', () => {
    const names = Object.entries(readManifest('.').optionalDependencies);
    expect(names.filter(([name]) => name.startsWith('@sonospike/'))).toEqual([]);
    const { version, optionalDependencies } = readManifest(installed());
    expect(optionalDependencies[platformPackage()]).toBe(version);
  });

  it('of this platform holds the addon, and is for no other', () => {
    expect(packed.get(platformPackage())!.sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
      'sonospike.node',
    ]);
    const manifest = readManifest(join(project, 'node_modules', platformPackage()));
    expect(manifest).toMatchObject({ os: [process.platform], cpu: [process.arch] });
    expect(manifest).not.toHaveProperty('scripts');
  });

  it('of the sources holds all that compiling takes', () => {
    const wanted = [
      'binding.gyp',
      'CMakeLists.txt',
      'native/addon/addon.cc',
      'native/core/kernels/avx2.cc',
      'native/cuda/cuda_backend.h',
      'native/cuda/architectures.cmake',
      'native/cuda/emulation/launch.h',
      'native/sources.json',
    ];
    expect(packed.get('@sonospike/sources')).toEqual(expect.arrayContaining(wanted));
  });
});

it('nothing that is installed with it has a script to run, which npm 12 blocks and pnpm takes for a failure', () => {
  const { packages } = JSON.parse(readFileSync(join(project, 'node_modules/.package-lock.json'), 'utf8'));
  const installed = Object.entries<{ hasInstallScript?: boolean }>(packages);
  expect(installed.length).toBeGreaterThan(5);
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
});

it('the checkout itself cannot be published', async () => {
  await expect(node(['native/packages/refuse-publish.mjs'], '.')).rejects.toMatchObject({ code: 1 });
  expect(readManifest('.').scripts.prepublishOnly).toBe('node native/packages/refuse-publish.mjs');
});

it('the files that are found by tracing are there', async () => {
  const traced = join(installed(), 'dist/support/traced-files.cjs');
  // What @vercel/nft looks for: literal paths from __dirname in CommonJS.
  const literals = [...readFileSync(traced, 'utf8').matchAll(/\$\{__dirname\}\/([^`]+)`/g)];
  expect(literals.map(([, path]) => existsSync(join(dirname(traced), path!)))).toEqual([true, true, true]);
});

it('every platform that is compiled is one that the loader knows', async () => {
  const { TARGETS } = await import(pathToFileURL('native/packages/targets.mjs').href);
  expect(TARGETS.map(({ name }: { name: string }) => name)).toEqual([...PLATFORMS]);
});

describe('installed with scripts blocked, it predicts from the addon of its platform', () => {
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

  it('by the bytes of its model', async () => {
    const source = `
      import { readFileSync } from 'node:fs';
      import { createRequire } from 'node:module';
      import { loadModel } from 'sonospike';
      const file = createRequire(import.meta.url).resolve('sonospike/models/digits.safetensors');
      const model = await loadModel(readFileSync(file));
      console.log((await model.predict('${clip}')).label);`;
    writeFileSync(join(project, 'bytes.mjs'), source);
    expect(await node(['bytes.mjs'], project)).toBe('7\n');
  });

  it.runIf(permission !== undefined)('and saves a model where Node restricts what it may do', async () => {
    const source = `
      import { loadModel } from 'sonospike';
      const model = await loadModel();
      await model.save('out/saved.safetensors');
      console.log((await (await loadModel('out/saved.safetensors')).predict('${clip}')).label);`;
    writeFileSync(join(project, 'save.mjs'), source);
    mkdirSync(join(project, 'out'));
    const out = join(realpathSync(project), 'out');
    const rights = ['--allow-addons', '--allow-fs-read=*', `--allow-fs-write=${out}`];
    expect(await node([permission!, ...rights, 'save.mjs'], project)).toBe('7\n');
  });

  it('and tells which addon runs and why', async () => {
    const bin = join(installed(), 'dist/cli/main.js');
    const { addon } = JSON.parse(await node([bin, 'info', '--json'], project));
    expect(addon).toEqual({
      file: join(realpathSync(project), 'node_modules', platformPackage(), 'sonospike.node'),
      reason: `it is that of the package ${platformPackage()}`,
    });
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
