import type { ConfidenceSettings } from '../settings/confidence.js';
import type { ModelSettings } from '../settings/settings.js';
import { parameterShapes } from '../settings/shapes.js';
import { validateSettings } from '../settings/validate.js';
import { validateConfidence } from '../settings/validate-confidence.js';
import { HASH_BYTES } from '../support/clip-hash.js';
import { SonospikeError } from '../support/errors.js';
import type { Tensors } from '../support/tensor.js';
import { writeFileAtomic } from './atomic-file.js';
import { damaged } from './damaged.js';
import { elementCount, type RawTensor } from './dtypes.js';
import { readWhole } from './files.js';
import { FORMAT_VERSION, migrateSettings, migrateTensors } from './migrations.js';
import { encodeSafetensors, parseSafetensors } from './safetensors.js';
import { isJsonObject, parseStrictJson } from './strict-json.js';

const FORMAT = 'sonospike';
const ZIP_START = Buffer.from('PK\u0003\u0004');
const STATE_PREFIX = 'state.';
/** Tensor of the hashes of the clips that the model was trained on. */
const HASHES = 'training.clip_hashes';

/** What a model file holds. */
export interface ModelFile {
  settings: ModelSettings;
  /** By the names and with the shapes of `parameterShapes(settings)`. */
  parameters: Tensors;
  /** Where the model comes from: preset, data, split, accuracy. Any JSON. */
  training: Record<string, unknown> | null;
  /** How sure it is of its answers; null where that was not measured. */
  confidence: ConfidenceSettings | null;
  /** Hashes of the clips that the model was trained on, as `packHashes` gives them; missing where they are not told. */
  clipHashes?: Uint8Array | null;
  /** Present in checkpoints: what training needs to go on. */
  state: CheckpointState | null;
}

export interface CheckpointState {
  /** Counters and options; any JSON. */
  json: Record<string, unknown>;
  /** Moments of the optimizer, by any names. */
  tensors: Tensors;
}

/**
 * Reads a model or checkpoint file of sonospike, or the original program's .pt (told by its first bytes).
 * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_MODEL_INVALID, ERR_MODEL_VERSION,
 * ERR_PICKLE_FORBIDDEN
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const tooLarge = (bytes: number) => damaged(path, `it has ${bytes} bytes, more than any model`);
  const bytes = await readWhole(path, 'a model is one file', tooLarge);
  return parseModelFile(bytes, path);
}

/**
 * The same for the bytes of such a file.
 * @param file name of the file for error texts
 * @throws SonospikeError ERR_MODEL_INVALID, ERR_MODEL_VERSION, ERR_PICKLE_FORBIDDEN
 */
export async function parseModelFile(bytes: Uint8Array, file?: string): Promise<ModelFile> {
  return isZip(bytes) ? readOriginal(bytes, file) : decodeModel(bytes, file);
}

/** Whether a file begins as a zip does, which a `.pt` of PyTorch is. */
function isZip(bytes: Uint8Array): boolean {
  return ZIP_START.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads the bytes of a model file of sonospike; the result shares no memory with them.
 * @param file name of the file for error texts
 * @throws SonospikeError ERR_MODEL_INVALID, ERR_MODEL_VERSION
 */
export function decodeModel(bytes: Uint8Array, file?: string): ModelFile {
  if (bytes.length === 0) throw damaged(file, 'it is empty');
  const { metadata, tensors } = parseSafetensors(bytes, file);
  const version = formatVersion(metadata, file);
  const blame = { code: 'ERR_MODEL_INVALID', file } as const;
  const stored = readJson(metadata, 'settings', file);
  const settings = validateSettings(migrateSettings(stored, version), 'settings', blame, { stored: true });
  const confidence = readJson(metadata, 'confidence', file);
  const json = readJson(metadata, 'state', file);
  const model: ModelFile = {
    settings,
    parameters: new Map(),
    training: readJson(metadata, 'training', file),
    confidence: confidence && validateConfidence(confidence, 'confidence', blame),
    state: json && { json, tensors: new Map() },
  };
  for (const [name, tensor] of tensors) {
    if (name === HASHES) {
      model.clipHashes = readHashes(tensor, file);
      continue;
    }
    const target = name.startsWith(STATE_PREFIX) ? model.state?.tensors : model.parameters;
    if (target === undefined) throw damaged(file, `it has a tensor ${name}, but no training state`);
    if (!(tensor.data instanceof Float32Array)) throw damaged(file, `tensor ${name} is not of type F32`);
    const shortName = target === model.parameters ? name : name.slice(STATE_PREFIX.length);
    target.set(shortName, { shape: tensor.shape, data: tensor.data.slice() });
  }
  checkTensors(model, (what) => damaged(file, what));
  migrateTensors(stored, [model.parameters, ...(model.state ? [model.state.tensors] : [])]);
  return model;
}

function readHashes({ dtype, shape, data }: RawTensor, file: string | undefined): Uint8Array {
  if (dtype === 'U8' && shape.length === 2 && shape[1] === HASH_BYTES)
    return new Uint8Array(data as Uint8Array);
  throw damaged(file, `tensor ${HASHES} is ${dtype} [${shape}], not U8 [clips, ${HASH_BYTES}]`);
}

/** The reader of `.pt` files is loaded only for one. */
async function readOriginal(bytes: Uint8Array, file: string | undefined): Promise<ModelFile> {
  const { parseOriginalCheckpoint } = await import('./torch/original-program.js');
  const { settings, parameters, epoch } = parseOriginalCheckpoint(bytes, file);
  return { settings, parameters, training: { preset: 'original', epoch }, confidence: null, state: null };
}

function formatVersion(metadata: Record<string, string>, file: string | undefined): number {
  if (metadata.format !== FORMAT) throw damaged(file, 'it is a safetensors file, but not one of sonospike');
  const version = metadata.version;
  if (version === undefined || !/^(0|[1-9]\d{0,8})$/.test(version))
    throw damaged(file, 'it has no format version');
  const number = Number(version);
  if (1 <= number && number <= FORMAT_VERSION) return number;
  const advice =
    number > FORMAT_VERSION
      ? 'a newer sonospike wrote it: update sonospike to read it'
      : 'it is too old to be read: train the model again';
  const subject = file ?? 'The data';
  throw new SonospikeError(
    'ERR_MODEL_VERSION',
    `${subject} has format version ${version}, and this sonospike reads versions 1 to ${FORMAT_VERSION}; ${advice}.`,
    { file },
  );
}

/** The object that is stored as JSON under `key`; null if there is none. */
function readJson(
  metadata: Record<string, string>,
  key: string,
  file: string | undefined,
): Record<string, unknown> | null {
  const text = metadata[key];
  if (text === undefined) return null;
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    throw damaged(file, `its ${key} are not valid JSON (${(error as Error).message})`, error);
  }
  if (!isJsonObject(value)) throw damaged(file, `its ${key} are not a JSON object`);
  return value;
}

/** Every parameter there with its shape, none that is not known, and only finite numbers. */
function checkTensors(
  { settings, parameters, state }: ModelFile,
  fail: (what: string) => SonospikeError,
): void {
  const shapes = parameterShapes(settings);
  for (const [name, shape] of shapes) {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw fail(`tensor ${name} is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw fail(`tensor ${name} has the shape [${tensor.shape}], but the settings give [${shape}]`);
    }
    if (tensor.data.length !== elementCount(shape))
      throw fail(`tensor ${name} has ${tensor.data.length} values`);
  }
  for (const name of parameters.keys()) {
    if (!shapes.has(name)) throw fail(`it has a tensor ${name}, which the settings do not name`);
  }
  for (const [name, { data }] of [...parameters, ...(state?.tensors ?? [])]) {
    if (!data.every(Number.isFinite)) throw fail(`tensor ${name} has values that are not finite`);
  }
}

/**
 * A model file as chunks to be written one after the other. Tensor data is not copied.
 * @throws SonospikeError ERR_MODEL_INVALID if the parameters are not those of the settings or are not finite,
 * as such a file could not be read again
 */
export function encodeModel(model: ModelFile): Uint8Array[] {
  checkTensors(
    model,
    (what) => new SonospikeError('ERR_MODEL_INVALID', `The model cannot be saved: ${what}.`),
  );
  const metadata: Record<string, string> = {
    format: FORMAT,
    version: String(FORMAT_VERSION),
    settings: JSON.stringify(model.settings),
  };
  if (model.training !== null) metadata.training = JSON.stringify(model.training);
  if (model.confidence !== null) metadata.confidence = JSON.stringify(model.confidence);
  if (model.state !== null) metadata.state = JSON.stringify(model.state.json);
  const tensors = new Map<string, RawTensor>();
  for (const [name, tensor] of model.parameters) tensors.set(name, { dtype: 'F32', ...tensor });
  for (const [name, tensor] of model.state?.tensors ?? []) {
    tensors.set(STATE_PREFIX + name, { dtype: 'F32', ...tensor });
  }
  const hashes = model.clipHashes;
  if (hashes)
    tensors.set(HASHES, { dtype: 'U8', shape: [hashes.length / HASH_BYTES, HASH_BYTES], data: hashes });
  return encodeSafetensors(metadata, tensors);
}

/**
 * Writes a model file through `writeFileAtomic`: interrupted at any point, the earlier file is intact.
 * @throws SonospikeError ERR_FILE_WRITE; ERR_MODEL_INVALID as `encodeModel`
 */
export async function writeModelFile(path: string, model: ModelFile): Promise<void> {
  await writeFileAtomic(path, encodeModel(model));
}
