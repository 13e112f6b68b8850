/**
 * The platforms that have a package with a compiled addon.
 *
 * - `name`: of the package, behind "@sonospike/", and of its folder
 * - `os`, `cpu`, `libc`: what npm, pnpm and Yarn compare with the machine before they install the package
 * - `triple`: what zig calls the platform, with the oldest version of libc or macOS that the addon must run on
 */
export const TARGETS = [
  { name: 'linux-x64', os: 'linux', cpu: 'x64', libc: 'glibc', triple: 'x86_64-linux-gnu.2.28' },
  { name: 'linux-arm64', os: 'linux', cpu: 'arm64', libc: 'glibc', triple: 'aarch64-linux-gnu.2.28' },
  { name: 'linuxmusl-x64', os: 'linux', cpu: 'x64', libc: 'musl', triple: 'x86_64-linux-musl' },
  { name: 'linuxmusl-arm64', os: 'linux', cpu: 'arm64', libc: 'musl', triple: 'aarch64-linux-musl' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', triple: 'x86_64-macos.12.0' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', triple: 'aarch64-macos.12.0' },
  { name: 'win32-x64', os: 'win32', cpu: 'x64', triple: 'x86_64-windows-gnu' },
];

/** The targets of these names; all of them where none is given. */
export function chosenTargets(names) {
  const unknown = names.filter((name) => !TARGETS.some((target) => target.name === name));
  if (unknown.length > 0) {
    throw new Error(`No platform is called ${unknown.join(', ')}. Known: ${TARGETS.map(({ name }) => name).join(', ')}.`);
  }
  return names.length === 0 ? TARGETS : TARGETS.filter(({ name }) => names.includes(name));
}

/** Where build.mjs leaves the addon of a target, relative to the top of the repository. */
export const addonOf = ({ name }) => `build-packages/${name}/sonospike.node`;
