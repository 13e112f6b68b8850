import { decodeFrames, FlacError, type FlacInfo, readStreamInfo } from './flac-decoder.js';
import {
  type AudioFormat,
  type DecodedAudio,
  empty,
  fromInterleaved,
  invalid,
  nameOf,
  requireRate,
  requireShort,
  text,
} from './format.js';
import { isOggOf, readOgg } from './ogg.js';

/** FLAC (RFC 9639), of 4 to 32 bits, as a file of its own or in Ogg. Its samples are those of a WAV, to the bit. */
export const flac: AudioFormat = {
  name: 'FLAC',
  extensions: ['.flac', '.fla'],
  sniff: (head) => text(head, 0, 4) === 'fLaC' || text(head, tagEnd(head), tagEnd(head) + 4) === 'fLaC',
  decode: (bytes, file) => decodeFlac(bytes, tagEnd(bytes), file),
  threaded: true,
};

/** Samples of all channels that are decoded at most. */
const MAX_SAMPLES = 2 ** 29;

/** FLAC in Ogg: the same blocks and frames, one a packet. */
export const oggFlac: AudioFormat = {
  name: 'Ogg FLAC',
  extensions: ['.oga'],
  sniff: (head) => isOggOf(head, '\x7fFLAC'),
  decode: (bytes, file) => {
    const { packets } = readOgg(bytes, 'Ogg FLAC', file);
    // Before the first block are the version of the mapping and the number of header packets.
    const [first, ...others] = packets.map(({ data }) => data);
    return decodeFlac(Buffer.concat([first!.subarray(9), ...others]), 0, file);
  },
  threaded: true,
};

/** Where the sound begins behind an ID3v2 tag, which some programs write before it. */
export function tagEnd(bytes: Uint8Array): number {
  if (text(bytes, 0, 3) !== 'ID3' || bytes.length < 10) return 0;
  const size = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + (bytes[at]! & 127), 0);
  return 10 + size + (bytes[5]! & 0x10 ? 10 : 0);
}

function decodeFlac(bytes: Uint8Array, start: number, file: string | undefined): DecodedAudio {
  try {
    const { info, frames } = readBlocks(bytes, start);
    requireRate(info.sampleRate, 'FLAC', file);
    const { channels, bitsPerSample, sampleRate, total } = info;
    const parts: Float32Array[] = [];
    let count = 0;
    const scale = 2 ** (1 - bitsPerSample);
    const end = decodeFrames(bytes, frames, info, (samples, length) => {
      const part = new Float32Array(length * channels);
      for (let channel = 0; channel < channels; channel++) {
        const own = samples[channel]!;
        for (let i = 0, at = channel; i < length; i++, at += channels) part[at] = own[i]! * scale;
      }
      parts.push(part);
      count += length;
      // A few bytes can stand for many equal samples.
      requireShort(count * channels > MAX_SAMPLES ? Infinity : count / sampleRate, file);
    });
    if (count === 0)
      throw total > 0 || end < bytes.length
        ? new FlacError('it is cut off before its first samples')
        : empty(file);
    const missing = total - count;
    const remarks =
      missing > 0
        ? [
            `${nameOf(file)} is cut off: its header promises ${total} samples and ${count} are there, ${missing} too few.`,
          ]
        : [];
    // Recordings of more than 16 bits are often made from 16-bit ones.
    const extreme = 1 - 2 ** (1 - Math.min(16, bitsPerSample));
    return fromInterleaved(joined(parts, count * channels), { channels, sampleRate, extreme }, remarks);
  } catch (error) {
    if (error instanceof FlacError) throw invalid(file, 'FLAC', error.message);
    throw error;
  }
}

/** Reads the blocks before the frames; of use is the first alone. */
function readBlocks(bytes: Uint8Array, start: number): { info: FlacInfo; frames: number } {
  let info: FlacInfo | null = null;
  let at = start + 4;
  for (let last = false; !last; ) {
    if (at + 4 > bytes.length) throw new FlacError('it is cut off before its first samples');
    const [flags, high, middle, low] = bytes.subarray(at, at + 4);
    last = (flags! & 0x80) !== 0;
    if ((flags! & 0x7f) === 0) info ??= readStreamInfo(bytes, at + 4);
    at += 4 + ((high! << 16) | (middle! << 8) | low!);
  }
  if (info === null) throw new FlacError('it has no STREAMINFO block');
  return { info, frames: at };
}

function joined(parts: readonly Float32Array[], length: number): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
