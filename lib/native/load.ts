import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SonospikeError } from '../support/errors.js';
import type { NativeAddon } from './addon.js';

let loaded: NativeAddon | undefined;

/** The addon, loaded at the first use. Throws `ERR_NATIVE_MISSING`. */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  const require = createRequire(import.meta.url);
  const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
  try {
    return (require('node-gyp-build') as (dir: string) => NativeAddon)(root);
  } catch (cause) {
    const { platform, arch } = process;
    throw new SonospikeError(
      'ERR_NATIVE_MISSING',
      `The native part of sonospike is not there for ${platform}-${arch}, Node ${process.versions.node}. ` +
        `Run "npm rebuild sonospike" on a machine with a C++20 compiler (Debian: apt-get install g++ make python3), ` +
        `or install with scripts allowed. (${cause instanceof Error ? cause.message.split('\n')[0] : cause})`,
      { cause },
    );
  }
}
