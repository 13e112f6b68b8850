import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageFolder, resolveFile } from '../support/package-files.js';
import { isThere } from '../support/permission.js';

/** The platforms that have a package with a compiled addon; native/packages/targets.mjs says how each is compiled. */
export const PLATFORMS = [
  'linux-x64',
  'linux-arm64',
  'linuxmusl-x64',
  'linuxmusl-arm64',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64',
] as const;

/** A compiled addon, and why it is the one that is loaded. */
export interface AddonFile {
  file: string;
  reason: string;
}

/** This platform as the packages name it: Linux with musl in place of glibc is a platform of its own. */
export function platformName(): string {
  const system = process.platform === 'linux' && usesMusl() ? 'linuxmusl' : process.platform;
  return `${system}-${process.arch}`;
}

/** The package with the compiled addon of this platform. */
export function platformPackage(): string {
  return `@sonospike/${platformName()}`;
}

/**
 * The addon to load: that of the environment variable SONOSPIKE_ADDON, else one that was compiled in this checkout,
 * else that of the platform's package. Null where there is none.
 */
export function findAddon(): AddonFile | null {
  const given = process.env.SONOSPIKE_ADDON;
  if (given) return { file: resolve(given), reason: 'the environment variable SONOSPIKE_ADDON names it' };
  const folder = packageFolder();
  const built = join(folder, 'build/Release/sonospike.node');
  if (isThere(built)) return { file: built, reason: 'it was compiled in this folder' };
  const prebuild = findPrebuild(join(folder, 'prebuilds', `${process.platform}-${process.arch}`));
  if (prebuild !== undefined) return { file: prebuild, reason: 'prebuildify made it for this platform' };
  const packaged = resolveFile(`${platformPackage()}/sonospike.node`);
  if (packaged !== undefined)
    return { file: packaged, reason: `it is that of the package ${platformPackage()}` };
  return null;
}

/** prebuildify puts the name of the libc into the name of the file, as in `sonospike.glibc.node`. */
function findPrebuild(folder: string): string | undefined {
  if (!isThere(folder)) return undefined;
  const other = usesMusl() ? '.glibc.' : '.musl.';
  const name = readdirSync(folder).find((each) => each.endsWith('.node') && !each.includes(other));
  return name === undefined ? undefined : join(folder, name);
}

interface ReportHeader {
  glibcVersionRuntime?: string;
}

/** The version of glibc that this process runs on; undefined on other systems and where it cannot be asked for. */
export function glibcVersion(): string | undefined {
  return reportHeader()?.glibcVersionRuntime;
}

let header: ReportHeader | null | undefined;

function reportHeader(): ReportHeader | null {
  if (header !== undefined) return header;
  try {
    const { report } = process;
    (report as { excludeNetwork?: boolean }).excludeNetwork = true; // names of hosts take seconds to look up
    header = (report.getReport() as unknown as { header: ReportHeader }).header ?? null;
  } catch {
    header = null;
  }
  return header;
}

/** A runtime without reports (Deno) that is on Linux is taken to be on glibc, which is what it is compiled for. */
function usesMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const known = reportHeader();
  return known !== null && 'nodejsVersion' in known && known.glibcVersionRuntime === undefined;
}
