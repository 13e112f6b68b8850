// Installs `sonospike` from a local registry with every package manager, into an empty folder with empty caches, and has
// it recognise a word. Nothing is compiled and no install script runs.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cleanEnvironment, failure, node, npmTools, run } from './tools.mjs';
import { report, title } from './trials.mjs';

const PROGRAMS = resolve(import.meta.dirname, 'programs');
const CLIP = resolve(import.meta.dirname, '../../../samples/7_kal_0.wav');
const MOST_SECONDS = 10;

/** An empty folder with the clip and the programs, and the environment of a user who has never installed anything. */
export function emptyProject(registry) {
  const folder = mkdtempSync(join(tmpdir(), 'sonospike-user-'));
  const project = join(folder, 'project');
  cpSync(PROGRAMS, project, { recursive: true });
  cpSync(CLIP, join(project, '7.wav'));
  mkdirSync(join(project, 'out'));
  const at = (name) => join(folder, name);
  const env = {
    ...cleanEnvironment(),
    HOME: at('home'),
    npm_config_registry: registry,
    npm_config_cache: at('npm'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    // Managers wait for days before they take a new version; this one has just been published.
    pnpm_config_registry: registry,
    pnpm_config_minimum_release_age: '0',
    pnpm_config_store_dir: at('pnpm'),
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_GLOBAL_FOLDER: at('yarn'),
    YARN_NPM_MINIMAL_AGE_GATE: '0',
    YARN_ENABLE_TELEMETRY: '0',
    BUN_CONFIG_REGISTRY: registry,
    BUN_INSTALL_CACHE_DIR: at('bun'),
    NPM_CONFIG_REGISTRY: registry, // Deno's
    DENO_DIR: at('deno'),
    DENO_NO_UPDATE_CHECK: '1',
  };
  mkdirSync(env.HOME);
  return { project, env, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const npm = (version) => join(npmTools(`npm-${version}`, [`npm@${version}`]), 'npm/bin/npm-cli.js');
export const bun = () => join(npmTools('bun', ['bun@1.4']), 'bun/bin/bun.exe');
export const deno = () => join(npmTools('deno', ['deno@2.9']), '@deno/linux-x64-glibc/deno');
const pnpm = () => join(npmTools('pnpm', ['pnpm@12']), '.bin/pnpm');
const yarn = () => join(npmTools('yarn', ['@yarnpkg/cli-dist@4']), '@yarnpkg/cli-dist/bin/yarn.js');

/** What Deno must be allowed: to load the addon, to find it, to read the settings and to count cores. */
export const DENO_FLAGS = ['--allow-ffi', '--allow-read', '--allow-env', '--allow-sys'];

/** `before`: steps that are no part of the installation; `use`: how a program is run. */
function managers() {
  const byNpm = (version, major, flags = []) => ({
    name: `npm ${version}, Node ${major}${flags.map((flag) => ` ${flag}`).join('')}`,
    node: node(major),
    install: [node(major), npm(version), 'install', 'sonospike', ...flags],
    use: [node(major)],
  });
  const yarnProject = { 'package.json': '{"private":true}', 'yarn.lock': '' };
  return [
    byNpm(10, 20, ['--ignore-scripts']),
    byNpm(10, 22),
    byNpm(11, 24),
    byNpm(12, 26),
    byNpm(12, 26, ['--ignore-scripts']),
    { name: 'pnpm 12, Node 24', node: node(24), install: [pnpm(), 'add', 'sonospike'], use: [node(24)] },
    {
      name: 'Yarn 4 Plug’n’Play, Node 24',
      node: node(24),
      files: yarnProject,
      install: [node(24), yarn(), 'add', 'sonospike'],
      use: [node(24), yarn(), 'node'],
    },
    {
      name: 'Yarn 4 with node_modules, Node 24',
      node: node(24),
      files: { ...yarnProject, '.yarnrc.yml': 'nodeLinker: node-modules\n' },
      install: [node(24), yarn(), 'add', 'sonospike'],
      use: [node(24)],
    },
    { name: 'Bun', node: node(24), install: [bun(), 'add', 'sonospike'], use: [bun()] },
    { name: 'Deno', node: node(24), install: [deno(), 'add', '--minimum-dependency-age=0', 'npm:sonospike'], use: [deno(), 'run', ...DENO_FLAGS] },
  ];
}

/** Installs in an empty folder and recognises a word: what came of it, in how many seconds, and the project. */
async function install(registry, { node, install, use, files = {} }) {
  const user = emptyProject(registry);
  const { project } = user;
  const env = { ...user.env, PATH: `${dirname(node)}:${process.env.PATH}` };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const installed = await run(install, { cwd: project, env });
  const used = installed.error ? installed : await run([...use, 'use.mjs'], { cwd: project, env });
  const seconds = installed.seconds + used.seconds;
  const scripts = /ignored build scripts|install-scripts|build scripts have been disabled|blocked \d+ \w*install/i;
  const complaint = `${installed.stdout}\n${installed.stderr}`.split('\n').find((line) => scripts.test(line));
  let text = 'works';
  if (used.error) text = failure(used);
  else if (used.stdout !== '7\n') text = `wrong: ${used.stdout}`;
  else if (complaint) text = `works, but says: ${complaint.trim()}`;
  return { text, seconds, project, env, remove: user.remove };
}

/** Every package manager with the three lines; Plug'n'Play with the whole of the library too. */
export async function proveManagers(registry) {
  title(`npm install sonospike, three lines, a word`, 'result, seconds from the empty folder');
  const list = managers();
  (await install(registry, list[0])).remove(); // warms the registry
  for (const manager of list) {
    const { text, seconds, project, env, remove } = await install(registry, manager);
    const slow = seconds > MOST_SECONDS ? `too slow (more than ${MOST_SECONDS} s): ` : '';
    report(manager.name, `${slow}${text}, ${seconds.toFixed(1)} s`);
    if (manager.name.includes('Play')) await provePlugAndPlay(manager, project, env);
    remove();
  }
}

async function provePlugAndPlay({ use }, cwd, env) {
  for (const [program, does] of [
    ['whole.mjs', 'train, save, evaluate'],
    ['worker.mjs', 'worker threads, 10 terminated'],
  ]) {
    const result = await run([...use, program], { cwd, env });
    const text = result.stdout.trim().split('\n').at(-1) === '7' ? 'works' : 'wrong';
    report(`&nbsp;… ${does}`, result.error ? failure(result) : text);
  }
}
