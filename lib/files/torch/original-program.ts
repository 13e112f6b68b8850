import { presetSettings } from '../../settings/presets.js';
import type { ModelSettings } from '../../settings/settings.js';
import { parameterShapes } from '../../settings/shapes.js';
import type { Tensor, Tensors } from '../../support/tensor.js';
import { damaged } from '../damaged.js';
import { parseTorchFile, TorchTensor } from './torch-pickle.js';

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
/** Names in one of its layers, and ours. */
const LAYER_PARTS = { threshold: 'threshold', decay: 'decay', 'fc.weight': 'weight', 'fc.bias': 'bias' };

export interface OriginalCheckpoint {
  settings: ModelSettings;
  parameters: Tensors;
  /** What the program stored as its epoch; null if the file is a bare state_dict. */
  epoch: number | null;
}

/**
 * Reads a checkpoint of the original Python program: a dict of `epoch`, `model_state_dict` and
 * `optimizer_state_dict` (which is not looked at), or the model's state_dict alone. It gives the `original` preset for
 * the ten digits.
 * @param bytes the whole .pt file
 * @param file name of the file for error texts
 * @throws SonospikeError ERR_MODEL_INVALID; ERR_PICKLE_FORBIDDEN as `parseTorchFile`
 */
export function parseOriginalCheckpoint(bytes: Uint8Array, file?: string): OriginalCheckpoint {
  const root = asDict(parseTorchFile(bytes, file), 'the file', file);
  const settings = presetSettings('original', DIGITS);
  if (!root.has('model_state_dict')) {
    return { settings, parameters: readParameters(root, settings, file), epoch: null };
  }
  const parameters = readParameters(
    asDict(root.get('model_state_dict'), 'model_state_dict', file),
    settings,
    file,
  );
  const epoch = root.get('epoch') ?? null;
  if (epoch !== null && typeof epoch !== 'number') throw damaged(file, 'its epoch is not a number');
  return { settings, parameters, epoch };
}

/** Its name of each parameter, with our name and the shape. */
function parameterNames(settings: ModelSettings): { theirs: string; ours: string; shape: number[] }[] {
  const shapes = parameterShapes(settings);
  return settings.network.layers.flatMap((_, index) =>
    Object.entries(LAYER_PARTS).map(([theirs, part]) => {
      const ours = `layers.${index}.${part}`;
      return { theirs: `l${index + 1}.${theirs}`, ours, shape: shapes.get(ours)! };
    }),
  );
}

function readParameters(
  dict: Map<unknown, unknown>,
  settings: ModelSettings,
  file: string | undefined,
): Tensors {
  const parameters: Tensors = new Map();
  const names = parameterNames(settings);
  for (const { theirs, ours, shape } of names) {
    parameters.set(ours, readTensor(dict.get(theirs), theirs, shape, file));
  }
  const known = new Set<unknown>(names.map(({ theirs }) => theirs));
  const unknown = [...dict.keys()].find((key) => !known.has(key));
  if (unknown !== undefined)
    throw damaged(file, `it has a parameter ${String(unknown)}, unlike the original network`);
  return parameters;
}

function readTensor(value: unknown, name: string, shape: number[], file: string | undefined): Tensor {
  if (!(value instanceof TorchTensor)) throw damaged(file, `${name} is not a tensor of it`);
  if (value.shape.join() !== shape.join()) {
    throw damaged(file, `${name} has the shape [${value.shape}] instead of [${shape}]`);
  }
  if (value.dtype !== 'F32' && value.dtype !== 'F64')
    throw damaged(file, `${name} is not of floating-point numbers`);
  const data = Float32Array.from(value.data as Float32Array | Float64Array);
  if (!data.every(Number.isFinite)) throw damaged(file, `${name} has values that are not finite`);
  return { shape: [...shape], data };
}

function asDict(value: unknown, name: string, file: string | undefined): Map<unknown, unknown> {
  if (value instanceof Map) return value;
  throw damaged(file, `${name} does not hold a dict`);
}
