import { requireFile } from '../support/package-files.js';
import type { NativeAddon } from './addon.js';
import { type AddonFile, findAddon } from './addon-file.js';
import { loadFailed, nothingToLoad } from './missing.js';

let loaded: { addon: NativeAddon; from: AddonFile } | undefined;

/**
 * The addon, loaded at the first use.
 * @throws SonospikeError ERR_NATIVE_MISSING
 */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded.addon;
}

/**
 * Where the addon was loaded from.
 * @throws SonospikeError ERR_NATIVE_MISSING
 */
export function addonFile(): AddonFile {
  loaded ??= load();
  return loaded.from;
}

function load(): { addon: NativeAddon; from: AddonFile } {
  const from = findAddon();
  if (from === null) throw nothingToLoad();
  try {
    return { addon: requireFile(from.file) as NativeAddon, from };
  } catch (error) {
    throw loadFailed(error, from);
  }
}
