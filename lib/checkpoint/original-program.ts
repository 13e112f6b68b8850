import { presetSettings } from '../presets.js';
import type { ModelSettings } from '../settings.js';
import type { Tensor, Tensors } from '../tensor.js';
import { parameterShapes } from '../validation.js';
import { damaged } from './damaged.js';
import { parseTorchFile, TorchTensor } from './torch-pickle.js';

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
/** Names in one of its layers, in the order that its optimizer counts parameters in. */
const LAYER_PARTS = { threshold: 'threshold', decay: 'decay', 'fc.weight': 'weight', 'fc.bias': 'bias' };

/** State of torch.optim.Adam; moments by the names of our parameters. */
export interface AdamState {
  /** Optimizer steps done. */
  step: number;
  learningRate: number;
  betas: [number, number];
  epsilon: number;
  weightDecay: number;
  /** `exp_avg` and `exp_avg_sq`. */
  firstMoments: Tensors;
  secondMoments: Tensors;
}

export interface OriginalCheckpoint {
  settings: ModelSettings;
  parameters: Tensors;
  /** What the program stored as its epoch; null if the file is a bare state_dict. */
  epoch: number | null;
  adam: AdamState | null;
}

/**
 * Reads a checkpoint of the original Python program: a dict of `epoch`, `model_state_dict` and
 * `optimizer_state_dict`, or the model's state_dict alone. It gives the `original` preset for the ten digits.
 * @param bytes the whole .pt file
 * @param file name of the file for error texts
 * @throws SonospikeError ERR_MODEL_INVALID; ERR_PICKLE_FORBIDDEN as `parseTorchFile`
 */
export function parseOriginalCheckpoint(bytes: Uint8Array, file?: string): OriginalCheckpoint {
  const root = asDict(parseTorchFile(bytes, file), 'the file', file);
  const settings = presetSettings('original', DIGITS);
  if (!root.has('model_state_dict')) {
    return { settings, parameters: readParameters(root, settings, file), epoch: null, adam: null };
  }
  const parameters = readParameters(
    asDict(root.get('model_state_dict'), 'model_state_dict', file),
    settings,
    file,
  );
  const epoch = root.get('epoch') ?? null;
  if (epoch !== null && typeof epoch !== 'number') throw damaged(file, 'its epoch is not a number');
  const optimizer = root.get('optimizer_state_dict') ?? null;
  const adam =
    optimizer === null ? null : readAdam(asDict(optimizer, 'optimizer_state_dict', file), settings, file);
  return { settings, parameters, epoch, adam };
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

function readAdam(
  dict: Map<unknown, unknown>,
  settings: ModelSettings,
  file: string | undefined,
): AdamState | null {
  const state = asDict(dict.get('state'), 'the optimizer state', file);
  if (state.size === 0) return null;
  const groups = dict.get('param_groups');
  if (!Array.isArray(groups) || groups.length !== 1)
    throw damaged(file, 'its optimizer has no single param_group');
  const group = asDict(groups[0], 'param_group', file);
  const betas = group.get('betas');
  if (!Array.isArray(betas)) throw damaged(file, 'its optimizer has no betas');
  const steps = new Set<number>();
  const firstMoments: Tensors = new Map();
  const secondMoments: Tensors = new Map();
  for (const [index, { theirs, ours, shape }] of parameterNames(settings).entries()) {
    const moments = asDict(state.get(index), `the optimizer state of ${theirs}`, file);
    firstMoments.set(ours, readTensor(moments.get('exp_avg'), `exp_avg of ${theirs}`, shape, file));
    secondMoments.set(ours, readTensor(moments.get('exp_avg_sq'), `exp_avg_sq of ${theirs}`, shape, file));
    steps.add(readStep(moments.get('step'), file));
  }
  if (steps.size !== 1) throw damaged(file, 'its parameters have had different numbers of optimizer steps');
  return {
    step: [...steps][0]!,
    learningRate: finite(group.get('lr'), 'learning rate', file),
    betas: [finite(betas[0], 'beta', file), finite(betas[1], 'beta', file)],
    epsilon: finite(group.get('eps'), 'eps', file),
    weightDecay: finite(group.get('weight_decay'), 'weight decay', file),
    firstMoments,
    secondMoments,
  };
}

/** PyTorch before 1.12 stored a number, since then a tensor of no dimensions. */
function readStep(value: unknown, file: string | undefined): number {
  const step = value instanceof TorchTensor ? readTensor(value, 'optimizer step', [], file).data[0] : value;
  if (!Number.isSafeInteger(step) || (step as number) < 0)
    throw damaged(file, 'its optimizer step is not a count');
  return step as number;
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

function finite(value: unknown, name: string, file: string | undefined): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw damaged(file, `its ${name} is not a finite number`);
}
