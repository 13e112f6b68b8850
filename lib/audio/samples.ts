import { endianness } from 'node:os';
import { A_LAW, MU_LAW } from './g711.js';

/** How samples are written in the file: what one number looks like. */
export type SampleEncoding =
  | 'pcm8' // unsigned
  | 'pcm16'
  | 'pcm24'
  | 'pcm32'
  | 'float32'
  | 'float64'
  | 'a-law'
  | 'mu-law';

const UNSIGNED_8 = Float32Array.from({ length: 256 }, (_, value) => (value - 128) / 128);
const HOST_IS_BIG_ENDIAN = endianness() === 'BE';

/**
 * The samples in `bytes` as numbers, channels still interleaved. Integers are scaled to [-1, 1); floats are
 * taken as they are. The length of `bytes` is a multiple of a sample's.
 */
export function decodeSamples(bytes: Uint8Array, encoding: SampleEncoding, bigEndian: boolean): Float32Array {
  switch (encoding) {
    case 'pcm8':
      return lookUp(bytes, UNSIGNED_8);
    case 'a-law':
      return lookUp(bytes, A_LAW);
    case 'mu-law':
      return lookUp(bytes, MU_LAW);
    case 'pcm24':
      return decode24(bytes, bigEndian);
    case 'pcm16':
      return scaled(view(Int16Array, bytes, bigEndian), 2 ** -15);
    case 'pcm32':
      return scaled(view(Int32Array, bytes, bigEndian), 2 ** -31);
    case 'float32':
      return new Float32Array(view(Float32Array, bytes, bigEndian));
    case 'float64':
      return new Float32Array(view(Float64Array, bytes, bigEndian));
  }
}

/** The mean over the channels of interleaved samples. */
export function mixToMono(interleaved: Float32Array, channels: number): Float32Array {
  if (channels === 1) return interleaved;
  const mono = new Float32Array(interleaved.length / channels);
  for (let frame = 0, at = 0; frame < mono.length; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += interleaved[at++]!;
    mono[frame] = sum / channels;
  }
  return mono;
}

function lookUp(codes: Uint8Array, table: Float32Array): Float32Array {
  const out = new Float32Array(codes.length);
  for (let i = 0; i < out.length; i++) out[i] = table[codes[i]!]!;
  return out;
}

function scaled(values: Int16Array | Int32Array, factor: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i]! * factor;
  return out;
}

function decode24(bytes: Uint8Array, bigEndian: boolean): Float32Array {
  const out = new Float32Array(bytes.length / 3);
  const [low, high] = bigEndian ? [2, 0] : [0, 2];
  for (let i = 0, at = 0; i < out.length; i++, at += 3) {
    // The top byte goes to the top of the 32-bit word, which makes the sign right.
    const value = (bytes[at + high]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + low]! << 8);
    out[i] = value * 2 ** -31;
  }
  return out;
}

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The bytes as numbers: where they lie if they are in this machine's order and place, else in a copy. */
function view<T>(Type: ArrayType<T>, bytes: Uint8Array, bigEndian: boolean): T {
  const width = Type.BYTES_PER_ELEMENT;
  const swapped = bigEndian !== HOST_IS_BIG_ENDIAN;
  const source = swapped || bytes.byteOffset % width !== 0 ? new Uint8Array(bytes) : bytes;
  if (swapped) {
    const buffer = Buffer.from(source.buffer);
    if (width === 2) buffer.swap16();
    else if (width === 4) buffer.swap32();
    else buffer.swap64();
  }
  return new Type(source.buffer, source.byteOffset, source.length / width);
}
