/**
 * Messages between the page and its server, over a WebSocket: a text message is JSON; a binary one is JSON with arrays
 * behind it, so that thousands of samples or potentials need no digits. In a browser and in Node alike.
 *
 * A binary message is, in little-endian: the bytes of the JSON (uint32), the JSON in UTF-8 with spaces up to a multiple
 * of 4, and the arrays that its `arrays` names, in order, each filled up to a multiple of 4 bytes.
 */

/** `f32`: float32; `u8`: bytes; `bits`: zeros and ones, eight to the byte, the first in the lowest bit. */
export type ArrayKind = (typeof KINDS)[number];

const KINDS = ['f32', 'u8', 'bits'] as const;

/** In a message of zeros and ones each is a byte; on the way it is a bit. */
export type NumberArray = Float32Array | Uint8Array;

export interface Packed {
  header: Record<string, unknown>;
  arrays: Record<string, NumberArray>;
}

interface ArrayEntry {
  name: string;
  kind: ArrayKind;
  length: number;
}

/** What is wrong with a message that is none. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

const MAX_ARRAYS = 64;
const MAX_HEADER_BYTES = 2 ** 20;

/** A binary message; arrays of bytes that `bits` names hold zeros and ones only. */
export function pack(
  header: object,
  arrays: Readonly<Record<string, NumberArray>>,
  bits: readonly string[] = [],
): Uint8Array<ArrayBuffer> {
  const entries: ArrayEntry[] = Object.entries(arrays).map(([name, { length, BYTES_PER_ELEMENT }]) => ({
    name,
    kind: BYTES_PER_ELEMENT === 4 ? 'f32' : bits.includes(name) ? 'bits' : 'u8',
    length,
  }));
  const json = new TextEncoder().encode(JSON.stringify({ ...header, arrays: entries }));
  const start = 4 + padded(json.length);
  const size = entries.reduce((sum, entry) => sum + padded(byteLength(entry)), start);
  const message = new Uint8Array(size);
  new DataView(message.buffer).setUint32(0, padded(json.length), true);
  message.fill(0x20, 4, start).set(json, 4);
  let at = start;
  for (const entry of entries) {
    const { name, kind } = entry;
    const array = arrays[name]!;
    if (kind === 'bits') packBits(array, message.subarray(at));
    else message.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += padded(byteLength(entry));
  }
  return message;
}

/**
 * Reads a binary message, also one that means harm. Arrays look into `message` where they can.
 * @param kinds those that are taken: `bits` need eight times the memory of the message
 * @throws MessageError
 */
export function unpack(message: Uint8Array, kinds: readonly ArrayKind[] = KINDS): Packed {
  // Float32Array wants to begin at a multiple of 4. (The slice of a Buffer would be no copy.)
  const bytes = message.byteOffset % 4 === 0 ? message : new Uint8Array(message);
  if (bytes.length < 4) throw new MessageError('it is too short');
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (headerBytes % 4 !== 0 || headerBytes > Math.min(MAX_HEADER_BYTES, bytes.length - 4)) {
    throw new MessageError('its header does not fit');
  }
  const header = parse(new TextDecoder().decode(bytes.subarray(4, 4 + headerBytes)));
  const arrays: Packed['arrays'] = {};
  let at = 4 + headerBytes;
  for (const entry of arrayEntries(header.arrays, kinds)) {
    const end = at + byteLength(entry);
    if (end > bytes.length) throw new MessageError('an array goes beyond its end');
    arrays[entry.name] = readArray(entry, bytes.subarray(at, end));
    at += padded(byteLength(entry));
  }
  if (at !== bytes.length) throw new MessageError('its arrays end before it does');
  return { header, arrays };
}

/**
 * The object of a text message, or of the header of a binary one.
 * @throws MessageError
 */
export function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MessageError('it is not JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new MessageError('it is not an object');
}

function arrayEntries(value: unknown, kinds: readonly ArrayKind[]): ArrayEntry[] {
  if (!Array.isArray(value) || value.length > MAX_ARRAYS) throw new MessageError('it names no arrays');
  return value.map((entry: Partial<ArrayEntry> | null) => {
    const { name, kind, length } = entry ?? {};
    if (typeof name !== 'string' || name === '__proto__') throw new MessageError('an array has no name');
    if (kind === undefined || !kinds.includes(kind)) throw new MessageError('an array is of no known kind');
    if (!Number.isSafeInteger(length) || length! < 0) throw new MessageError('an array has no length');
    return { name, kind, length: length! };
  });
}

function readArray({ kind, length }: ArrayEntry, bytes: Uint8Array): NumberArray {
  if (kind === 'f32') return new Float32Array(bytes.buffer, bytes.byteOffset, length);
  return kind === 'u8' ? bytes : Uint8Array.from({ length }, (_, i) => (bytes[i >> 3]! >> (i & 7)) & 1);
}

function packBits(values: NumberArray, out: Uint8Array): void {
  for (let i = 0; i < values.length; i++) if (values[i]) out[i >> 3]! |= 1 << (i & 7);
}

function byteLength({ kind, length }: ArrayEntry): number {
  if (kind === 'f32') return 4 * length;
  return kind === 'u8' ? length : Math.ceil(length / 8);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
