// Bundles or traces the three lines with every bundler, and runs what comes out.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bun } from './managers.mjs';
import { node, npmTools } from './tools.mjs';
import { title, trial } from './trials.mjs';

const PACKAGES = [
  'esbuild@0.28',
  'rollup@4',
  '@rollup/plugin-node-resolve@16',
  '@rollup/plugin-commonjs@29',
  'webpack@5',
  '@vercel/nft@1',
];

/** Configurations, which name the bundlers by path: they are no part of the project. */
function writeConfigurations(project, tool) {
  const files = {
    'rollup.config.mjs': `import resolve from '${tool('@rollup/plugin-node-resolve/dist/es/index.js')}';
import commonjs from '${tool('@rollup/plugin-commonjs/dist/es/index.js')}';
export default { input: 'use.mjs', output: { dir: 'out/rollup' }, plugins: [resolve({ preferBuiltins: true }), commonjs()] };`,
    'webpack.config.mjs': `import webpack from '${tool('webpack/lib/index.js')}';
const output = { path: '${project}/out/webpack', filename: 'use.mjs', module: true, chunkFormat: 'module' };
webpack({ mode: 'production', target: 'node', entry: './use.mjs', experiments: { outputModule: true }, output }, (error, stats) => {
  process.exitCode = error || stats.hasErrors() ? 1 : 0;
});`,
    'trace.mjs': `import { cpSync } from 'node:fs';
import { nodeFileTrace } from '${tool('@vercel/nft/out/index.js')}';
const { fileList } = await nodeFileTrace(['use.mjs'], { base: process.cwd() });
for (const file of [...fileList, '7.wav']) cpSync(file, '../traced/' + file, { dereference: true });`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), `${text}\n`);
}

export async function proveBundlers({ cwd, env }) {
  title('bundler, the bundle run by Node 24');
  const modules = npmTools('bundlers', PACKAGES);
  const tool = (path) => join(modules, path);
  writeConfigurations(cwd, tool);
  const program = node(24);
  const esbuild = [tool('.bin/esbuild'), '--bundle', '--platform=node', '--log-level=error'];
  const options = { cwd, env };
  const bundlers = [
    ['esbuild, ES module', [...esbuild, 'use.mjs', '--format=esm', '--outfile=out/esbuild.mjs'], 'out/esbuild.mjs'],
    ['esbuild, CommonJS', [...esbuild, 'use.mjs', '--format=cjs', '--outfile=out/esbuild.cjs'], 'out/esbuild.cjs'],
    ['rollup', [program, tool('rollup/dist/bin/rollup'), '-c', 'rollup.config.mjs', '--silent'], 'out/rollup/use.js'],
    ['webpack', [program, 'webpack.config.mjs'], 'out/webpack/use.mjs'],
    ['bun build', [bun(), 'build', 'use.mjs', '--target=node', '--outfile=out/bun.mjs'], 'out/bun.mjs'],
  ];
  writeFileSync(join(cwd, 'out/package.json'), '{"type":"module"}');
  for (const [name, bundle, made] of bundlers) await trial(name, [bundle, [program, made]], options);
  await proveOneFile(cwd, env, program, esbuild);
  const traced = join(cwd, '../traced');
  const trace = [[program, 'trace.mjs'], ['env', '-C', traced, program, 'use.mjs']];
  await trial('@vercel/nft, the traced files in a folder of their own', trace, options);
}

/** A bundle with the addon, the model and a clip in a folder of their own, far from any package. */
async function proveOneFile(cwd, env, program, esbuild) {
  const alone = join(cwd, '../alone');
  mkdirSync(alone);
  for (const file of ['7.wav', 'node_modules/@sonospike/linux-x64/sonospike.node', 'node_modules/sonospike/models/digits.safetensors']) {
    cpSync(join(cwd, file), join(alone, basename(file)));
  }
  const bundle = [...esbuild, 'one-file.mjs', '--format=cjs', `--outfile=${alone}/one-file.cjs`];
  const start = ['env', '-C', alone, 'SONOSPIKE_ADDON=sonospike.node', program, 'one-file.cjs'];
  await trial('one file with SONOSPIKE_ADDON and the bytes of the model, no node_modules', [bundle, start], { cwd, env });
}
