import { constants } from 'node:fs';
import { access, open, readFile, stat } from 'node:fs/promises';
import { dirname, format, parse, resolve } from 'node:path';
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

export interface TrainFiles {
  out: string;
  checkpoint: string;
  /** The checkpoint to go on from. */
  resume: string | undefined;
  /** What to say of them once the training begins. */
  notes: string[];
}

/**
 * The files of a training. Refuses those that cannot be written now, rather than after the first epoch, and those
 * that are there already and no models.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_FILE_WRITE, ERR_FILE_NOT_FOUND
 */
export async function chooseFiles(named: {
  out: string;
  checkpoint?: string;
  resume?: string;
}): Promise<TrainFiles> {
  const { out } = named;
  const checkpoint = named.checkpoint ?? (named.resume || besideModel(out));
  if (resolve(out) === resolve(checkpoint)) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      `The model and the checkpoint would both be ${out}; name different files with --out and --checkpoint.`,
    );
  }
  const [outThere, checkpointThere] = [await writable(out), await writable(checkpoint)];
  const notes: string[] = [];
  const resume = named.resume || (named.resume === '' && checkpointThere ? checkpoint : undefined);
  if (named.resume === '' && resume === undefined) {
    notes.push(`There is no checkpoint ${checkpoint} to go on from: starting anew.`);
  }
  if (resume === undefined) {
    const replaced = [...(outThere ? [out] : []), ...(checkpointThere ? [checkpoint] : [])];
    notes.push(...replaced.map((file) => `Replacing ${file}, which is there already.`));
  } else {
    notes.push(`Going on from ${resume}.`);
  }
  return { out, checkpoint, resume, notes };
}

/** `digits.safetensors` → `digits.checkpoint.safetensors` */
function besideModel(out: string): string {
  const { dir, name, ext } = parse(out);
  return format({ dir, name: `${name}.checkpoint`, ext });
}

/** Whether the file is there; an error if it cannot be written. */
async function writable(file: string): Promise<boolean> {
  try {
    await access(dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw fileError(error, file, 'write');
  }
  const found = await stat(file).catch(() => null);
  if (found === null) return false;
  if (!found.isDirectory() && (!found.isFile() || (await looksLikeModel(file)))) return true;
  const what = found.isDirectory()
    ? 'it is a directory'
    : 'it is there already, and no model; name another file';
  throw new SonospikeError('ERR_FILE_WRITE', `Cannot write ${file}: ${what}.`, { file });
}

/** The header of a safetensors file begins behind eight bytes. An empty file may be replaced. */
async function looksLikeModel(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return true;
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(9), 0, 9, 0);
    return bytesRead === 0 || buffer[8] === '{'.charCodeAt(0);
  } finally {
    await handle.close();
  }
}

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
