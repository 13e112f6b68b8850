// Compiles the addon for every platform of targets.mjs on one Linux machine, with clang, the libc headers and the
// linkers of the zig tool chain (PyPI's ziglang, which this script puts in build-packages/zig).
//
//   npm run build:packages                     all platforms
//   npm run build:packages -- linux-arm64      these
//   JOBS=8 npm run build:packages              with so many compilers at a time (default: one for every core)
//
// Sources, defines and flags are those of binding.gyp. Only what has changed is compiled again.
import { execFile, execFileSync, execSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { addonOf, chosenTargets } from './targets.mjs';
import { windowsHost } from './windows-host.mjs';

const ZIG_VERSION = '0.17.1';
const OUT = 'build-packages';

const require = createRequire(import.meta.url);
const execute = promisify(execFile);
process.chdir(join(import.meta.dirname, '../..'));

const gyp = JSON.parse(readFileSync('binding.gyp', 'utf8'));

/** The file names that gyp gets from a command, `<!@(command)`. */
function expand(name) {
  const command = /^<!@\((.*)\)$/.exec(name);
  return command === null ? [name] : execSync(command[1], { encoding: 'utf8' }).trim().split(/\s+/);
}

/** Every source with its flags beyond the common ones, for a processor that gyp calls `arch`. */
function sourcesFor(arch) {
  const holds = (condition) => {
    const compared = /^target_arch=='(\w+)'$/.exec(condition);
    if (compared === null) throw new Error(`binding.gyp has a condition that is not understood: ${condition}`);
    return compared[1] === arch;
  };
  const conditional = gyp.conditions.flatMap(([condition, then]) => (holds(condition) ? then.targets : []));
  return [...gyp.targets, ...conditional].flatMap((target) =>
    [...new Set(target.sources.flatMap(expand))].map((source) => ({ source, flags: target.cflags_cc ?? [] })),
  );
}

const { defines, ldflags } = gyp.targets.find(({ target_name }) => target_name === 'sonospike');

function flagsOf(target) {
  const headers = ['node-addon-api', 'node-api-headers/include'].map((path) =>
    path.includes('/') ? join(dirname(require.resolve('node-api-headers')), 'include') : dirname(require.resolve(path)),
  );
  return [
    ...gyp.variables.core_flags,
    '-fPIC',
    ...['NAPI_CPP_EXCEPTIONS', 'NODE_GYP_MODULE_NAME=sonospike', ...defines].map((name) => `-D${name}`),
    ...(target.os === 'win32' ? ['-DNAPI_EXTERN=__declspec(dllimport)'] : []),
    ...headers.map((folder) => `-isystem${folder}`),
    ...gyp.target_defaults.include_dirs.map((folder) => `-I${folder}`),
  ];
}

/** The zig program, installed first where it is missing. */
function zig() {
  const folder = resolve(OUT, `zig-${ZIG_VERSION}`);
  const python = join(folder, 'bin/python');
  const find = () =>
    execFileSync(python, ['-c', 'import ziglang; print(ziglang.__path__[0])'], { encoding: 'utf8' }).trim();
  if (!existsSync(join(folder, 'installed'))) {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(join(folder, 'bin/pip'), ['install', '--quiet', `ziglang==${ZIG_VERSION}`], { stdio: 'inherit' });
    writeFileSync(join(folder, 'installed'), '');
  }
  return join(find(), 'zig');
}

/** Whether `object` was made by `command` from files that are older than it. */
function isFresh(object, command) {
  if (!existsSync(object) || !existsSync(`${object}.d`) || !existsSync(`${object}.command`)) return false;
  if (readFileSync(`${object}.command`, 'utf8') !== command) return false;
  const made = statSync(object).mtimeMs;
  const files = readFileSync(`${object}.d`, 'utf8').replace(/^.*?:\s/, '').split(/\\?\s+/).filter(Boolean);
  return files.every((file) => existsSync(file) && statSync(file).mtimeMs < made);
}

async function compile(compiler, target, { source, flags }) {
  const object = join(OUT, target.name, `${source.replace(/\.\w+$/, '')}.o`);
  mkdirSync(dirname(object), { recursive: true });
  const language = source.endsWith('.c') ? 'cc' : 'c++';
  const common = language === 'c++' ? flagsOf(target) : ['-O2'];
  const args = [language, '-target', target.triple, ...common, ...flags, '-MMD', '-MF', `${object}.d`];
  args.push('-c', source, '-o', object);
  const command = [compiler, ...args].join(' ');
  if (!isFresh(object, command)) {
    const { stderr } = await execute('nice', [compiler, ...args]);
    if (stderr) process.stderr.write(stderr);
    writeFileSync(`${object}.command`, command);
  }
  return object;
}

const LINKING = {
  linux: [
    ...ldflags,
    '-Wl,-s',
    '-Wl,--gc-sections',
    '-Wl,-z,relro,-z,now',
    '-Wl,--version-script=native/packages/exports.map',
  ],
  darwin: ['-Wl,-s', '-Wl,-undefined,dynamic_lookup', '-Wl,-dead_strip'],
  win32: ['-s'],
};

async function link(compiler, target, objects) {
  const output = addonOf(target);
  const args = ['c++', '-target', target.triple, '-shared', ...LINKING[target.os], ...objects, '-o', output];
  const { stderr } = await execute('nice', [compiler, ...args]);
  if (stderr) process.stderr.write(stderr);
  console.log(`${output}  ${(statSync(output).size / 1e6).toFixed(2)} MB`);
}

/** Calls `work` for every item, so many at a time; stops at the first failure. */
async function forEach(items, parallel, work) {
  const queue = [...items];
  const results = new Map();
  const serve = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      results.set(item, await work(item).catch((error) => {
        queue.length = 0;
        throw error;
      }));
    }
  };
  await Promise.all(Array.from({ length: parallel }, serve));
  return items.map((item) => results.get(item));
}

const targets = chosenTargets(process.argv.slice(2));
const jobs = Number(process.env.JOBS) || availableParallelism();
const compiler = zig();
for (const target of targets) {
  const sources = sourcesFor(target.cpu);
  mkdirSync(join(OUT, target.name), { recursive: true });
  if (target.os === 'win32') {
    const source = join(OUT, target.name, 'host.c');
    const version = /^NAPI_VERSION=(\d+)$/.exec(defines.find((define) => define.startsWith('NAPI_VERSION')))[1];
    writeFileSync(source, windowsHost(version));
    sources.push({ source, flags: [] });
  }
  const objects = await forEach(sources, jobs, (source) => compile(compiler, target, source));
  await link(compiler, target, objects);
}
