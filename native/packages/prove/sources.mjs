// Compiles @sonospike/sources as a user of another platform does, and names what comes out in SONOSPIKE_ADDON.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyProject } from './managers.mjs';
import { failure, run } from './tools.mjs';
import { outcome, report, title } from './trials.mjs';

const LONG = 1_800_000; // ms

export async function proveSources(registry) {
  title('@sonospike/sources, compiled by Node’s node-gyp', 'result, seconds of compiling');
  const { project: cwd, env, remove } = emptyProject(registry);
  // Node's headers lie beside it in most installations; node-gyp fetches them otherwise.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? { npm_config_nodedir: prefix } : {};
  const options = { cwd, env: { ...env, ...headers }, timeout: LONG };
  const install = await run(['npm', 'install', 'sonospike', '@sonospike/sources', '--ignore-scripts'], options);
  if (install.error) throw install.error;
  const folder = join(cwd, 'node_modules/@sonospike/sources');
  const built = await run(['npm', 'run', 'build'], { ...options, cwd: folder });
  const use = { ...options, env: { ...env, SONOSPIKE_ADDON: join(folder, 'build/Release/sonospike.node') } };
  const text = built.error ? failure(built) : await outcome([[process.execPath, 'use.mjs']], use);
  report('npm run build, three lines, a word', `${text}, ${Math.round(built.seconds)} s`);
  remove();
}
