import { endianness } from 'node:os';
import { A_LAW, MU_LAW } from './g711.js';

/** How one sample is written in the file. */
export type SampleEncoding =
  | 'uint8'
  | 'int8'
  | 'pcm16'
  | 'pcm24'
  | 'pcm24-in-32' // 24 bits at the low end of 32, sign-extended or with zeros above (ALSA's S24_LE)
  | 'pcm32'
  | 'float32'
  | 'float64'
  | 'a-law'
  | 'mu-law';

/** Bytes of one sample of one channel. */
export const SAMPLE_BYTES: Readonly<Record<SampleEncoding, number>> = {
  uint8: 1,
  int8: 1,
  pcm16: 2,
  pcm24: 3,
  'pcm24-in-32': 4,
  pcm32: 4,
  float32: 4,
  float64: 8,
  'a-law': 1,
  'mu-law': 1,
};

/** The largest 16-bit sample. Recordings of more bits are often made from 16-bit ones. */
const FULL_SCALE = 32767 / 32768;

/** The magnitude at which a recording in this encoding is cut off. */
export function fullScale(encoding: SampleEncoding): number {
  switch (encoding) {
    case 'uint8':
    case 'int8':
      return 127 / 128;
    case 'a-law':
      return 32256 / 32768;
    case 'mu-law':
      return 32124 / 32768;
    default:
      return FULL_SCALE;
  }
}

const UNSIGNED_8 = Float32Array.from({ length: 256 }, (_, value) => (value - 128) / 128);
const SIGNED_8 = Float32Array.from({ length: 256 }, (_, value) => ((value << 24) >> 24) / 128);
const HOST_IS_BIG_ENDIAN = endianness() === 'BE';

/**
 * The samples in `bytes` as numbers, channels still interleaved. Integers are scaled to [-1, 1); floats are
 * taken as they are. The length of `bytes` is a multiple of a sample's.
 */
export function decodeSamples(bytes: Uint8Array, encoding: SampleEncoding, bigEndian: boolean): Float32Array {
  switch (encoding) {
    case 'uint8':
      return lookUp(bytes, UNSIGNED_8);
    case 'int8':
      return lookUp(bytes, SIGNED_8);
    case 'a-law':
      return lookUp(bytes, A_LAW);
    case 'mu-law':
      return lookUp(bytes, MU_LAW);
    case 'pcm24':
      return decode24(bytes, bigEndian);
    case 'pcm24-in-32':
      return decode24In32(view(Int32Array, bytes, bigEndian));
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

/**
 * Where 24-bit samples lie in words of 32 bits: at the low end (ALSA), at the high end (as the WAV specification
 * asks), or `null` if the words hold neither.
 */
export function alignmentOf24In32(bytes: Uint8Array, bigEndian: boolean): 'low' | 'high' | null {
  const words = view(Int32Array, bytes, bigEndian);
  let [low, high] = [true, true];
  for (let i = 0; i < words.length && (low || high); i++) {
    const word = words[i]!;
    // Above the 24 bits lie copies of the sign, or zeros.
    const top = word >> 23;
    low &&= top === 0 || top === -1 || top === 1;
    high &&= (word & 0xff) === 0;
  }
  return low ? 'low' : high ? 'high' : null;
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

function decode24In32(words: Int32Array): Float32Array {
  const out = new Float32Array(words.length);
  for (let i = 0; i < out.length; i++) out[i] = (words[i]! << 8) * 2 ** -31;
  return out;
}

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The bytes as numbers: in place if they have this machine's byte order and alignment, else as a copy. */
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
