import { damaged } from '../damaged.js';
import {
  type DType,
  elementCount,
  itemSize,
  newArray,
  type RawTensor,
  type TypedArray,
  typedView,
} from '../dtypes.js';
import { StoredZip } from './stored-zip.js';
import { PickleGlobal, type PickleHost, unpickle } from './unpickle.js';

/** A tensor of a PyTorch file, made contiguous (row-major). */
export class TorchTensor implements RawTensor {
  constructor(
    readonly dtype: DType,
    readonly shape: number[],
    readonly data: TypedArray,
  ) {}
}

const STORAGES = new Map<string, DType>([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);
const MAX_DIMENSIONS = 16;
/** Tensors may share a storage, and a strided one is copied: how many times the file's size copies may take. */
const MAX_COPIED = 4;
/** A state_dict's pickle takes kilobytes; a byte of it can make an object of 200, and that must fit Node's heap. */
const MAX_PICKLE_BYTES = 4 * 2 ** 20;
const PICKLE_NAME = '/data.pkl';

class Storage {
  constructor(
    readonly dtype: DType,
    readonly data: TypedArray,
  ) {}
}

/**
 * Reads a file written by PyTorch's `torch.save` (1.6 or later): dicts as Map, lists and tuples as arrays,
 * numbers (bigint beyond 2^53), strings, booleans, null, and `TorchTensor`. No code in the file is ever run.
 * @param bytes the whole file; tensors may be views of it
 * @param file name of the file for error texts
 * @throws SonospikeError ERR_MODEL_INVALID if it is damaged; ERR_PICKLE_FORBIDDEN if it holds anything else
 */
export function parseTorchFile(bytes: Uint8Array, file?: string): unknown {
  return new TorchFile(bytes, file).root();
}

class TorchFile implements PickleHost {
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  private readonly zip: StoredZip;
  private readonly folder: string;
  private readonly storages = new Map<string, Storage>();
  private copyBudget: number;

  constructor(
    bytes: Uint8Array,
    readonly file: string | undefined,
  ) {
    this.zip = new StoredZip(bytes, file);
    this.folder = this.findFolder();
    this.copyBudget = MAX_COPIED * bytes.length;
    this.globals = this.allowedGlobals();
  }

  root(): unknown {
    const order = this.zip.read(`${this.folder}/byteorder`);
    if (order !== undefined && new TextDecoder().decode(order) !== 'little') {
      throw this.fail('its numbers are big-endian, which is not read');
    }
    const pickle = this.zip.read(this.folder + PICKLE_NAME)!;
    if (pickle.length > MAX_PICKLE_BYTES)
      throw this.fail(`its pickle has ${pickle.length} bytes, which is too many`);
    return unpickle(pickle, this);
  }

  /** A storage: `('storage', class, key, device, number of elements)`. */
  persistentLoad(id: unknown): Storage {
    if (!Array.isArray(id) || id.length !== 5 || id[0] !== 'storage')
      throw this.fail('a storage has no valid id');
    const [, type, key, , count] = id as unknown[];
    const dtype = type instanceof PickleGlobal ? STORAGES.get(type.name) : undefined;
    if (dtype === undefined || typeof key !== 'string') throw this.fail('a storage has no valid id');
    const storage = this.storages.get(key) ?? this.readStorage(key, dtype);
    if (storage.dtype !== dtype) throw this.fail(`storage ${key} has two element types`);
    if (storage.data.length !== count) {
      throw this.fail(`storage ${key} has ${storage.data.length} elements instead of ${String(count)}`);
    }
    return storage;
  }

  private readStorage(key: string, dtype: DType): Storage {
    const bytes = this.zip.read(`${this.folder}/data/${key}`);
    if (bytes === undefined) throw this.fail(`storage ${key} is missing`);
    if (bytes.length % itemSize(dtype) !== 0)
      throw this.fail(`storage ${key} does not hold whole ${dtype} numbers`);
    const storage = new Storage(dtype, typedView(dtype, bytes));
    this.storages.set(key, storage);
    return storage;
  }

  private fail(what: string) {
    return damaged(this.file, what);
  }

  /** torch.save puts everything in one folder, named after the file. */
  private findFolder(): string {
    const pickles = this.zip.names.filter(
      (name) => name.endsWith(PICKLE_NAME) && name.split('/').length === 2,
    );
    if (pickles.length !== 1) throw this.fail('it is a zip archive, but not one written by torch.save');
    return pickles[0]!.slice(0, -PICKLE_NAME.length);
  }

  private allowedGlobals(): ReadonlyMap<string, PickleGlobal> {
    const globals = [
      new PickleGlobal('collections.OrderedDict', (args) => this.orderedDict(args)),
      new PickleGlobal('torch._utils._rebuild_tensor_v2', (args) => this.rebuildTensor(args)),
      new PickleGlobal('torch._utils._rebuild_parameter', (args) => this.rebuildParameter(args)),
      ...Array.from(STORAGES.keys(), (name) => new PickleGlobal(name, null)),
    ];
    return new Map(globals.map((global) => [global.name, global]));
  }

  private orderedDict(args: readonly unknown[]): Map<unknown, unknown> {
    if (args.length !== 0) throw this.fail('an OrderedDict is made from items, which PyTorch does not do');
    return new Map();
  }

  /** `_rebuild_parameter(tensor, requires_grad, backward_hooks)` */
  private rebuildParameter(args: readonly unknown[]): TorchTensor {
    const tensor = args[0];
    if (!(tensor instanceof TorchTensor)) throw this.fail('a parameter has no tensor');
    return tensor;
  }

  /** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`, in elements. */
  private rebuildTensor(args: readonly unknown[]): TorchTensor {
    const [storage, offset, shape, strides] = args;
    if (!(storage instanceof Storage)) throw this.fail('a tensor has no storage');
    const count = elementCount(shape);
    if (Number.isNaN(count) || Number.isNaN(elementCount([offset])))
      throw this.fail('a tensor has no valid size');
    if (!isStrides(strides, (shape as number[]).length)) throw this.fail('a tensor has no valid strides');
    const sizes = [...(shape as number[])];
    const start = offset as number;
    const last = sizes.reduce((at, size, axis) => at + (size - 1) * strides[axis]!, start);
    // The comparison is also false for sums that are not exact: those are far beyond any storage.
    if (count > 0 && !(last < storage.data.length)) throw this.fail('a tensor lies outside of its storage');
    if (count === 0) return new TorchTensor(storage.dtype, sizes, storage.data.subarray(0, 0));
    if (isContiguous(sizes, strides)) {
      return new TorchTensor(storage.dtype, sizes, storage.data.subarray(start, start + count));
    }
    this.copyBudget -= count * itemSize(storage.dtype);
    if (this.copyBudget < 0) throw this.fail('its tensors take far more memory than the file');
    return new TorchTensor(storage.dtype, sizes, gather(storage.dtype, storage.data, start, sizes, strides));
  }
}

function isStrides(value: unknown, dimensions: number): value is number[] {
  if (!Array.isArray(value) || value.length !== dimensions || dimensions > MAX_DIMENSIONS) return false;
  return value.every((stride) => Number.isSafeInteger(stride) && stride >= 0);
}

function isContiguous(shape: number[], strides: number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The elements in row-major order, by an odometer over the axes. */
function gather(
  dtype: DType,
  from: TypedArray,
  start: number,
  shape: number[],
  strides: number[],
): TypedArray {
  const values = newArray(dtype, elementCount(shape));
  const position = shape.map(() => 0);
  let at = start;
  for (let index = 0; index < values.length; index++) {
    values[index] = from[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++position[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
  return values;
}
