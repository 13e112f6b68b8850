// Error texts for a native addon that is not there or cannot be loaded: each cause has its own advice.
import { basename, dirname, join } from 'node:path';
import { SonospikeError } from '../support/errors.js';
import { packageFile, packageFolder, packageManifest } from '../support/package-files.js';
import { isThere, mayRead } from '../support/permission.js';
import { packageVersion } from '../support/version.js';
import { type AddonFile, glibcVersion, PLATFORMS, platformName, platformPackage } from './addon-file.js';

/** The oldest glibc that the addons of the packages are linked for. */
export const OLDEST_GLIBC = '2.28';

function missing(text: string, cause?: unknown): SonospikeError {
  return new SonospikeError('ERR_NATIVE_MISSING', text, { cause });
}

/** Where the packages of the platforms are installed; undefined in a checkout. */
function packagesFolder(): string | undefined {
  const above = dirname(packageFolder());
  return basename(above) === 'node_modules' ? join(above, '@sonospike') : undefined;
}

/** The error where `findAddon` finds nothing. */
export function nothingToLoad(): SonospikeError {
  const platform = platformName();
  const place = packagesFolder() ?? packageFile('build');
  if (!mayRead(place)) {
    return missing(
      `Node was started with --permission and may not look for the native addon in ${place}; start it with ` +
        `--allow-addons and --allow-fs-read=${dirname(place)} too.`,
    );
  }
  if (packageManifest() !== null && isThere(packageFile('binding.gyp'))) {
    return missing(
      `The native addon of this checkout is not compiled. Run "npm run build" in ${packageFolder()} ` +
        '(it needs a C++20 compiler, make and Python 3).',
    );
  }
  if (!PLATFORMS.some((known) => known === platform)) {
    return missing(
      `There is no compiled addon for ${platform}. There is one for ${PLATFORMS.join(', ')}. To compile it, get the ` +
        'package @sonospike/sources, run "npm install && npm run build" in it, and name the file ' +
        'build/Release/sonospike.node in the environment variable SONOSPIKE_ADDON.',
    );
  }
  const name = platformPackage();
  const version = packageManifest() === null ? '' : `@${packageVersion()}`;
  return missing(
    `The package ${name}, which holds the native addon for this machine, is not installed. It is an optional dependency ` +
      'of sonospike. Causes: it was left out (npm --omit=optional, pnpm --no-optional, Yarn --ignore-optional); node_modules or ' +
      'a lock file come from another platform; or a bundle was moved away from its node_modules. Run ' +
      `"npm install ${name}${version}", or name the file of the addon in the environment variable SONOSPIKE_ADDON.`,
  );
}

/** The error for what `require` threw. */
export function loadFailed(error: unknown, { file, reason }: AddonFile): SonospikeError {
  const text = error instanceof Error ? error.message : String(error);
  const message = text.split('\n')[0]!;
  const advice = adviceFor(message, (error as NodeJS.ErrnoException | null)?.code, file);
  return missing(
    `The native addon ${file} cannot be loaded (${message}). It was chosen because ${reason}. ${advice}`,
    error,
  );
}

function adviceFor(message: string, code: string | undefined, file: string): string {
  if (code === 'ERR_DLOPEN_DISABLED') {
    return process.execArgv.includes('--no-addons')
      ? 'Node was started with --no-addons; start it without.'
      : 'Node was started with --permission; start it with --allow-addons too.';
  }
  if (code === 'ERR_ACCESS_DENIED') {
    return `Node was started with --permission; start it with --allow-addons and --allow-fs-read=${dirname(file)} too.`;
  }
  if (/Requires (ffi|read) access/.test(message)) {
    return 'Start Deno with --allow-ffi, --allow-read and --allow-env.';
  }
  if (!isThere(file)) return 'There is no such file.';
  const libc = /version [`'](GLIBC(?:XX)?_[\d.]+)' not found/.exec(message);
  if (libc !== null) {
    return (
      `It needs ${libc[1]}, and this system has glibc ${glibcVersion() ?? '(unknown)'}. The addons of the packages need ` +
      `glibc ${OLDEST_GLIBC} or newer (Debian 10, Ubuntu 20.04, RHEL 8); on an older system compile @sonospike/sources.`
    );
  }
  if (/Error relocating|ld-linux|ld-musl|libc\.musl|libc\.so: invalid ELF header/.test(message)) {
    return `It is for another libc than this system's (this is ${platformName()}). Install the packages on this system.`;
  }
  if (
    /wrong ELF class|invalid ELF header|incompatible architecture|not a mach-o|not a valid Win32/i.test(
      message,
    )
  ) {
    return `It is for another platform than this one (${platformName()}). Install the packages on this machine.`;
  }
  return 'Install the packages again on this machine; if it stays so, please report this message with the output of "node -p process.report.getReport().header".';
}
