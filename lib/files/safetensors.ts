import { damaged } from './damaged.js';
import { elementCount, isDType, itemSize, type RawTensor, typedView } from './dtypes.js';
import { isJsonObject, parseStrictJson } from './strict-json.js';

/**
 * The specification allows 100 MB, but headers of models take kilobytes, and 100 MB of brackets parsed as JSON
 * would take gigabytes and half a minute.
 */
const MAX_HEADER_BYTES = 8_000_000;
const LENGTH_BYTES = 8;

export interface Safetensors {
  /** Without a prototype: any key may be looked up. */
  metadata: Record<string, string>;
  tensors: Map<string, RawTensor>;
}

interface Span {
  name: string;
  begin: number;
  end: number;
}

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors, "Format"), as strictly as its
 * specification: every byte of the data belongs to exactly one tensor.
 * @param bytes the whole file; tensors are views of it where alignment allows
 * @param file name of the file for error texts
 * @throws SonospikeError ERR_MODEL_INVALID
 */
export function parseSafetensors(bytes: Uint8Array, file?: string): Safetensors {
  const { header, data } = splitHeader(bytes, file);
  const metadata = readMetadata(header.__metadata__, file);
  const tensors = new Map<string, RawTensor>();
  const spans: Span[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { tensor, span } = readEntry(name, entry, data, file);
    tensors.set(name, tensor);
    spans.push(span);
  }
  checkCoverage(spans, data.length, file);
  return { metadata, tensors };
}

function splitHeader(bytes: Uint8Array, file: string | undefined) {
  if (bytes.length < LENGTH_BYTES) throw damaged(file, `it has only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    throw damaged(file, `its header would have ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed`);
  }
  const dataStart = LENGTH_BYTES + length;
  if (dataStart > bytes.length) {
    throw damaged(file, `its header should have ${length} bytes, but the file ends after ${bytes.length}`);
  }
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart), file);
  return { header, data: bytes.subarray(dataStart) };
}

function parseHeader(bytes: Uint8Array, file: string | undefined): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw damaged(file, 'its header does not begin with "{"');
  let header: unknown;
  try {
    header = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw damaged(file, `its header is not valid JSON (${(error as Error).message})`, error);
  }
  if (!isJsonObject(header)) throw damaged(file, 'its header is not a JSON object');
  return header;
}

function readMetadata(value: unknown, file: string | undefined): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  if (value === undefined) return metadata;
  if (!isJsonObject(value)) throw damaged(file, '"__metadata__" is not an object');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw damaged(file, `${key} of "__metadata__" is not a string`);
    metadata[key] = text;
  }
  return metadata;
}

function readEntry(name: string, entry: unknown, data: Uint8Array, file: string | undefined) {
  const fail = (what: string) => damaged(file, `tensor ${name} ${what}`);
  if (!isJsonObject(entry)) throw fail('is not described by an object');
  const unknown = Object.keys(entry).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key));
  if (unknown !== undefined) throw fail(`has an unknown field ${unknown}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !isDType(dtype)) {
    throw fail(`has the element type ${typeof dtype === 'string' ? dtype : typeof dtype}, which is not read`);
  }
  const count = elementCount(shape);
  if (Number.isNaN(count)) throw fail('has no valid shape');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every((at) => Number.isSafeInteger(at))) {
    throw fail('has no valid data_offsets');
  }
  const [begin, end] = offsets as [number, number];
  if (begin < 0 || begin > end || end > data.length) {
    throw fail(`should lie at bytes ${begin} to ${end} of ${data.length}`);
  }
  if (count * itemSize(dtype) !== end - begin) {
    throw fail(`has ${end - begin} bytes, but ${dtype} [${shape}] takes ${count * itemSize(dtype)}`);
  }
  const values = typedView(dtype, data.subarray(begin, end));
  return { tensor: { dtype, shape: shape as number[], data: values }, span: { name, begin, end } };
}

/** Misaligned tensors are copied, so overlap would also let a small file take much memory. */
function checkCoverage(spans: Span[], size: number, file: string | undefined): void {
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of spans) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps the one before it' : 'leaves a gap before it';
      throw damaged(file, `tensor ${name} ${what}`);
    }
    covered = end;
  }
  if (covered !== size) throw damaged(file, `its tensors take ${covered} bytes, but it holds ${size}`);
}

/**
 * A safetensors file as chunks to be written one after the other. The header is padded and tensors with
 * wider elements come first, so that every tensor is aligned.
 * @param tensors their data is not copied: it must not change until the chunks are written
 */
export function encodeSafetensors(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, RawTensor>,
): Uint8Array[] {
  const sorted = [...tensors].sort(([, a], [, b]) => itemSize(b.dtype) - itemSize(a.dtype));
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  const blobs: Uint8Array[] = [];
  let at = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    entries.push([name, { dtype, shape, data_offsets: [at, at + data.byteLength] }]);
    blobs.push(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
    at += data.byteLength;
  }
  // fromEntries defines a key such as "__proto__" instead of setting the prototype.
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, LENGTH_BYTES);
  return [head, ...blobs];
}
