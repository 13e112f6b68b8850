import { SonospikeError } from '../support/errors.js';
import { invalid, readLayout, type WavLayout } from './riff.js';
import { decodeSamples, mixToMono, type SampleEncoding } from './samples.js';

export interface DecodedWav {
  /** Mono, the mean of the channels; [-1, 1) for integer encodings, as written for float. */
  samples: Float32Array;
  /** Hz. */
  sampleRate: number;
  /** Channels in the file. */
  channels: number;
  /** Seconds. */
  duration: number;
}

/** Hz. Twice the highest rate that audio hardware has, and far above anything speech needs. */
export const MAX_SAMPLE_RATE = 768_000;

const EXTENSIBLE = 0xfffe;

/** The GUID xxxxxxxx-0000-0010-8000-00aa00389b71, whose first word is an ordinary format number. */
const GUID_TAIL = [0x00100000, 0xaa000080, 0x719b3800];

const FORMAT_NAMES: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
  255: 'AAC',
};

/**
 * Decodes a WAV file: 8-, 16-, 24- and 32-bit PCM, 32- and 64-bit float, A-law and mu-law, plain or as
 * WAVE_FORMAT_EXTENSIBLE, in RIFF, RIFX or RF64, with any number of channels.
 *
 * A data chunk of unknown length, as programs write that record into a pipe, lasts to the end of the file.
 *
 * @param file The name of the file, for errors.
 * @throws SonospikeError ERR_WAV_INVALID, ERR_WAV_UNSUPPORTED, ERR_AUDIO_EMPTY, ERR_AUDIO_NOT_FINITE
 */
export function decodeWav(bytes: Uint8Array, file?: string): DecodedWav {
  if (bytes.length === 0) {
    throw new SonospikeError('ERR_AUDIO_EMPTY', `${nameOf(file)} is empty: it has no bytes at all.`, {
      file,
    });
  }
  const layout = readLayout(bytes, file);
  const encoding = checkedEncoding(layout, file);
  if (layout.dataEnd === layout.dataStart) {
    throw new SonospikeError('ERR_AUDIO_EMPTY', `${nameOf(file)} holds no samples.`, { file });
  }
  const data = bytes.subarray(layout.dataStart, layout.dataEnd);
  const interleaved = decodeSamples(data, encoding, layout.bigEndian);
  if (encoding === 'float32' || encoding === 'float64') requireFinite(interleaved, file);
  const samples = mixToMono(interleaved, layout.channels);
  const { sampleRate, channels } = layout;
  return { samples, sampleRate, channels, duration: samples.length / sampleRate };
}

/**
 * How the samples are written, in a WAV whose header agrees with itself.
 * @throws SonospikeError ERR_WAV_INVALID, ERR_WAV_UNSUPPORTED
 */
export function checkedEncoding(layout: WavLayout, file: string | undefined): SampleEncoding {
  const encoding = encodingOf(layout, file);
  checkConsistency(layout, encoding, file);
  return encoding;
}

/** Its power spectrum still fits in float32, with room to spare; full scale is 1. */
const LOUDEST = 1e12;

/**
 * @param first position of the first of them, for the error
 * @throws SonospikeError ERR_AUDIO_NOT_FINITE
 */
export function requireFinite(samples: Float32Array, file: string | undefined, first = 0): void {
  for (let i = 0; i < samples.length; i++) {
    if (!(Math.abs(samples[i]!) <= LOUDEST)) {
      const what = Number.isFinite(samples[i]) ? 'is far beyond full scale' : 'is not a finite number';
      const message = `${nameOf(file)} has a sample that ${what} (${samples[i]}, at position ${first + i}).`;
      throw new SonospikeError('ERR_AUDIO_NOT_FINITE', message, { file });
    }
  }
}

/** What a sample looks like, from the format number and the bits of its container. */
function encodingOf(layout: WavLayout, file: string | undefined): SampleEncoding {
  const format = layout.audioFormat === EXTENSIBLE ? resolveSubformat(layout, file) : layout.audioFormat;
  // Samples of 12 or 20 bits are left-justified in the next whole number of bytes, so they scale as it does.
  const container = Math.ceil(layout.bitsPerSample / 8) * 8;
  if (format === 1) {
    if (layout.bitsPerSample === 0) throw invalid(file, 'it claims samples of 0 bits');
    if (container === 8) return 'pcm8';
    if (container === 16) return 'pcm16';
    if (container === 24) return 'pcm24';
    if (container === 32) return 'pcm32';
  } else if (format === 3) {
    if (layout.bitsPerSample === 32) return 'float32';
    if (layout.bitsPerSample === 64) return 'float64';
  } else if (format === 6 || format === 7) {
    if (layout.bitsPerSample === 8) return format === 6 ? 'a-law' : 'mu-law';
  } else {
    throw unsupported(file, FORMAT_NAMES[format] ?? `encoded in format ${format}`);
  }
  const kind = format === 1 ? 'PCM' : format === 3 ? 'float' : 'A-law or mu-law';
  throw unsupported(file, `${layout.bitsPerSample}-bit ${kind}`);
}

function resolveSubformat(layout: WavLayout, file: string | undefined): number {
  if (layout.formatSize < 40 || layout.extensionSize < 22) {
    throw invalid(file, 'its WAVE_FORMAT_EXTENSIBLE header is too short for a sub-format');
  }
  if (layout.bigEndian) throw unsupported(file, 'WAVE_FORMAT_EXTENSIBLE in a big-endian (RIFX) file');
  const { bitsPerSample, validBits } = layout;
  if (validBits > bitsPerSample || bitsPerSample % 8 !== 0) {
    throw invalid(file, `it claims ${validBits} valid bits in samples of ${bitsPerSample} bits`);
  }
  const [format, ...tail] = layout.subformat;
  if (format === undefined || tail.some((word, i) => word !== GUID_TAIL[i])) {
    throw unsupported(file, 'WAVE_FORMAT_EXTENSIBLE with a sub-format of its own');
  }
  return format;
}

const SAMPLE_BYTES: Readonly<Record<SampleEncoding, number>> = {
  pcm8: 1,
  pcm16: 2,
  pcm24: 3,
  pcm32: 4,
  float32: 4,
  float64: 8,
  'a-law': 1,
  'mu-law': 1,
};

/** The byte rate is not checked: it follows from the rest, and many writers get it wrong. */
function checkConsistency(layout: WavLayout, encoding: SampleEncoding, file: string | undefined): void {
  const { channels, sampleRate, blockAlign, dataStart, dataEnd } = layout;
  if (channels === 0) throw invalid(file, 'it claims to have no channels');
  if (sampleRate < 1 || sampleRate > MAX_SAMPLE_RATE) {
    throw invalid(file, `its sample rate is ${sampleRate} Hz, and 1 to ${MAX_SAMPLE_RATE} are possible`);
  }
  const frame = channels * SAMPLE_BYTES[encoding];
  if (blockAlign !== frame) {
    const expected = `${channels} channels of ${SAMPLE_BYTES[encoding]} bytes make ${frame}`;
    throw invalid(file, `its header claims ${blockAlign} bytes a frame, but ${expected}`);
  }
  if ((dataEnd - dataStart) % frame !== 0) {
    const size = dataEnd - dataStart;
    throw invalid(file, `its data of ${size} bytes is not a whole number of frames of ${frame} bytes`);
  }
}

function unsupported(file: string | undefined, what: string): SonospikeError {
  const message =
    `${nameOf(file)} is ${what}, which is not read. Convert it to 16-bit PCM, ` +
    'for example with: ffmpeg -i in.wav -c:a pcm_s16le out.wav';
  return new SonospikeError('ERR_WAV_UNSUPPORTED', message, { file });
}

function nameOf(file: string | undefined): string {
  return file ?? 'The audio';
}
