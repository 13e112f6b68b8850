/**
 * The element types of stored tensors, named as in safetensors. Data is little-endian in every format read
 * here, and so is every machine that sonospike is built for: bytes are viewed in place, never swapped.
 */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export type DType = keyof typeof ARRAYS;
export type TypedArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** An array of any element type, row-major; `data` may share memory with the file it was read from. */
export interface RawTensor {
  dtype: DType;
  shape: number[];
  data: TypedArray;
}

export function isDType(name: string): name is DType {
  return Object.hasOwn(ARRAYS, name);
}

/** Bytes of one element. */
export function itemSize(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** `length` zeros. */
export function newArray(dtype: DType, length: number): TypedArray {
  return new ARRAYS[dtype](length);
}

/** The bytes as elements of `dtype`: a view, or a copy where the bytes are not aligned for one. */
export function typedView(dtype: DType, bytes: Uint8Array): TypedArray {
  const size = itemSize(dtype);
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new ARRAYS[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size);
}

/** Number of elements of `shape`, or NaN if it is not an array of sizes or the number is beyond 2^53. */
export function elementCount(shape: unknown): number {
  if (!Array.isArray(shape)) return Number.NaN;
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return Number.NaN;
    count *= size;
    if (!Number.isSafeInteger(count)) return Number.NaN;
  }
  return count;
}
