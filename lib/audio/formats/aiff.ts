import { SAMPLE_BYTES, type SampleEncoding } from '../pcm.js';
import {
  type AudioFormat,
  cutOff,
  type DecodedAudio,
  decodePcm,
  invalid,
  requireRate,
  text,
  unsupported,
} from './format.js';

/**
 * AIFF, and AIFF-C without compression or with A-law or mu-law (Apple, "Audio Interchange File Format", version 1.3,
 * 1989, and the draft of AIFF-C, 1991).
 */
export const aiff: AudioFormat = {
  name: 'AIFF',
  extensions: ['.aif', '.aiff', '.aifc'],
  sniff: (head) => text(head, 0, 4) === 'FORM' && /^AIF[FC]$/.test(text(head, 8, 12)),
  decode,
};

/** Types of compression: the encoding, and whether the bytes are in the order of a WAV. */
const COMPRESSIONS: Readonly<Record<string, [SampleEncoding | 'pcm', little?: boolean]>> = {
  NONE: ['pcm'],
  twos: ['pcm'],
  sowt: ['pcm', true],
  'raw ': ['uint8'],
  in24: ['pcm24'],
  in32: ['pcm32'],
  '42ni': ['pcm24', true],
  '23ni': ['pcm32', true],
  fl32: ['float32'],
  FL32: ['float32'],
  fl64: ['float64'],
  FL64: ['float64'],
  alaw: ['a-law'],
  ALAW: ['a-law'],
  ulaw: ['mu-law'],
  ULAW: ['mu-law'],
};

/** PCM by its whole bytes. */
const PCM: readonly SampleEncoding[] = ['int8', 'pcm16', 'pcm24', 'pcm32'];

interface Common {
  encoding: SampleEncoding;
  little: boolean;
  channels: number;
  frames: number;
  sampleRate: number;
}

function decode(bytes: Uint8Array, file: string | undefined): DecodedAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let common: Common | null = null;
  let sound: { start: number; size: number } | null = null;
  for (let at = 12; at + 8 <= bytes.length && (common === null || sound === null); ) {
    const id = text(bytes, at, at + 4);
    const size = view.getUint32(at + 4);
    const start = at + 8;
    if (id === 'COMM') common = readCommon(bytes, view, start, size, file);
    if (id === 'SSND' && start + 8 <= bytes.length) {
      const offset = view.getUint32(start);
      sound = { start: Math.min(bytes.length, start + 8 + offset), size: size - 8 - offset };
    }
    at = start + size + (size % 2);
  }
  if (common === null) throw invalid(file, 'AIFF', 'it has no "COMM" chunk');
  if (sound === null) throw invalid(file, 'AIFF', 'it has no "SSND" chunk');
  const { encoding, little, channels, frames, sampleRate } = common;
  const frame = channels * SAMPLE_BYTES[encoding];
  const there = bytes.length - sound.start;
  // A writer that could not come back leaves the number of frames, or the size of the chunk, at 0 or at its limit.
  const promised = frames * frame;
  const size = Math.min(there, sound.size > 0 ? sound.size : there, promised > 0 ? promised : there);
  const missing = promised < 2 ** 31 && Math.min(sound.size, promised) > there;
  const remarks = missing ? [cutOff(file, promised, there)] : [];
  const data = bytes.subarray(sound.start, sound.start + size - (size % frame));
  return decodePcm(data, { encoding, bigEndian: !little, channels, sampleRate }, file, remarks);
}

function readCommon(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  size: number,
  file: string | undefined,
): Common {
  const compressed = text(bytes, 8, 12) === 'AIFC';
  const least = compressed ? 22 : 18;
  if (size < least || start + least > bytes.length)
    throw invalid(file, 'AIFF', 'its "COMM" chunk is cut off');
  const channels = view.getUint16(start);
  const bits = view.getUint16(start + 6);
  const sampleRate = Math.round(extended(view, start + 8));
  if (channels === 0) throw invalid(file, 'AIFF', 'it claims to have no channels');
  requireRate(sampleRate, 'AIFF', file);
  const type = compressed ? text(bytes, start + 18, start + 22) : 'NONE';
  const [kind, little = false] = COMPRESSIONS[type] ?? [null];
  if (kind === null) throw unsupported(file, `AIFF-C compressed as ${JSON.stringify(type)}`);
  const encoding = kind === 'pcm' ? PCM[Math.ceil(bits / 8) - 1] : kind;
  if (encoding === undefined) throw unsupported(file, `AIFF of ${bits} bits`);
  return { encoding, little, channels, frames: view.getUint32(start + 2), sampleRate };
}

/** An 80-bit IEEE 754 number: sign, 15 bits of exponent, 64 of mantissa with its leading one. */
function extended(view: DataView, at: number): number {
  const exponent = (view.getUint16(at) & 0x7fff) - 16383 - 63;
  return Number(view.getBigUint64(at + 2)) * 2 ** exponent;
}
