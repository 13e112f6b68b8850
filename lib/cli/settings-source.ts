import { readFile } from 'node:fs/promises';
import { isOldSettings, migrateSettings } from '../files/migrations.js';
import { isJsonObject } from '../files/strict-json.js';
import { type Augmentation, DEFAULT_AUGMENTATION, validateAugmentation } from '../settings/augmentation.js';
import { type SettingsOptions, withChanges } from '../settings/change.js';
import type { EncodingName } from '../settings/choices.js';
import { assign, mergeSettings, readAssignment } from '../settings/paths.js';
import { presetSettings } from '../settings/presets.js';
import type { ModelSettings } from '../settings/settings.js';
import { validateSettings } from '../settings/validate.js';
import { fileError, SonospikeError } from '../support/errors.js';
import { nearest } from '../support/nearest.js';
import { decodeText } from '../support/text.js';

/** What settings are made from, the later over the earlier. */
export interface SettingsSource {
  preset: string;
  labels: readonly string[];
  /** JSON files with some of the settings, which are put over the preset's one after the other, or with all of them. */
  file?: string | readonly string[] | undefined;
  /** `NAME=VALUE`, as `readAssignment` takes them. */
  set?: readonly string[] | undefined;
  /** Changes that concern several fields, made before those of `set`. */
  changes?: SettingsOptions;
}

/**
 * Settings of a preset, with those of a file and those that are set one by one over them.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_UNKNOWN_PRESET, ERR_FILE_*
 */
export async function makeSettings(source: SettingsSource): Promise<ModelSettings> {
  const { preset, labels, file = [], set = [], changes = {} } = source;
  let base = presetSettings(preset, labels);
  for (const each of [file].flat()) base = await overSettings(base, each);
  const assignments = set.map(readAssignment);
  // An encoding brings the scaling and the threshold that suit it.
  const encodings = assignments.filter(({ path }) => path === 'encoding.type').map(({ value }) => value);
  const encoding = encodings.at(-1) as EncodingName | undefined;
  const changed = withChanges(base, { ...changes, ...(encoding === undefined ? {} : { encoding }) });
  if (assignments.length === 0) return changed;
  return validateSettings(assign(changed, assignments), '', {
    code: 'ERR_INVALID_OPTION',
  });
}

/** The settings of a file, put over others. */
async function overSettings(base: ModelSettings, file: string): Promise<ModelSettings> {
  const { labels } = base;
  const json = await readJson(file);
  const given = isOldSettings(json) ? migrateSettings(json, 1) : json;
  const blame = { code: 'ERR_INVALID_OPTION', file } as const;
  if (!isJsonObject(given)) return validateSettings(given, '', blame);
  // Whole settings are taken as they are: what they leave out, they do without, whatever the preset has.
  const whole = isWhole({ labels, ...given });
  return validateSettings(whole ? { labels, ...given } : mergeSettings(base, given), '', blame);
}

function isWhole(settings: object): boolean {
  try {
    validateSettings(settings, '');
    return true;
  } catch {
    return false;
  }
}

/** `none`, `default` or a JSON file. */
export async function readAugmentation(value: string): Promise<Augmentation | null> {
  if (value === 'none') return null;
  if (value === 'default') return DEFAULT_AUGMENTATION;
  const json = await readJson(value).catch((error) => {
    const meant = nearest(value, ['none', 'default']);
    if (meant === null || error.code !== 'ERR_FILE_NOT_FOUND') throw error;
    const message = `--augmentation is ${JSON.stringify(value)}, and there is no such file. Did you mean ${meant}?`;
    throw new SonospikeError('ERR_INVALID_OPTION', message, { file: value, cause: error });
  });
  return validateAugmentation(json, 'augmentation', {
    code: 'ERR_INVALID_OPTION',
    file: value,
  });
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(decodeText(await readFile(file)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fileError(error, file, 'read');
    throw new SonospikeError('ERR_INVALID_OPTION', `${file} is not JSON (${error.message}).`, {
      file,
      cause: error,
    });
  }
}
