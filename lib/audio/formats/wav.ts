import type { SonospikeError } from '../../support/errors.js';
import { alignmentOf24In32, SAMPLE_BYTES, type SampleEncoding } from '../pcm.js';
import {
  type AudioFormat,
  cutOff,
  type DecodedAudio,
  decodePcm,
  empty,
  type PcmBeginning,
  requireRate,
  unsupported,
} from './format.js';
import { CONTAINERS, fourCC, invalid, readBeginning, readLayout, type WavLayout } from './riff.js';

/**
 * WAV: 8-, 16-, 24- and 32-bit PCM, 32- and 64-bit float, A-law and mu-law, plain or as WAVE_FORMAT_EXTENSIBLE, in
 * RIFF, RIFX, RF64 or BW64, with any number of channels.
 *
 * A data chunk of unknown length, as programs write that record into a pipe, lasts to the end of the file.
 */
export const wav: AudioFormat = {
  name: 'WAV',
  extensions: ['.wav', '.wave', '.bwf', '.rf64'],
  sniff: (head) => CONTAINERS.includes(fourCC(head, 0)),
  decode: decodeWav,
  begin: beginWav,
};

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
 * @param file The name of the file, for errors.
 * @throws SonospikeError ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED, ERR_AUDIO_EMPTY, ERR_AUDIO_NOT_FINITE
 */
export function decodeWav(bytes: Uint8Array, file?: string): DecodedAudio {
  if (bytes.length === 0) throw empty(file, 'is empty: it has no bytes at all');
  const { layout, dataEnd, missing } = readLayout(bytes, file);
  const there = dataEnd - layout.dataStart;
  const remarks = missing > 0 ? [cutOff(file, there + missing, there)] : [];
  return decodeLayout(bytes, layout, dataEnd, file, remarks);
}

/**
 * The samples of a file whose `fmt ` chunk and data have been found.
 * @throws SonospikeError as `decodeWav`
 */
export function decodeLayout(
  bytes: Uint8Array,
  layout: WavLayout,
  dataEnd: number,
  file: string | undefined,
  remarks: string[],
): DecodedAudio {
  let encoding = checkedEncoding(layout, file);
  const { channels, sampleRate, bigEndian, blockAlign, dataStart } = layout;
  // A file may break off within a frame.
  const data = bytes.subarray(dataStart, dataEnd - ((dataEnd - dataStart) % blockAlign));
  if (encoding === 'pcm24-in-32') {
    const alignment = alignmentOf24In32(data, bigEndian);
    if (alignment === null) throw unsupported24In32(file);
    if (alignment === 'high') encoding = 'pcm32';
  }
  return decodePcm(data, { encoding, bigEndian, channels, sampleRate }, file, remarks);
}

/**
 * What the beginning of a WAV says; where more of it is needed first, the number of bytes from the start that are.
 * @throws SonospikeError ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED
 */
function beginWav(head: Uint8Array, file: string | undefined): PcmBeginning | number {
  const found = readBeginning(head, file);
  if (typeof found === 'number') return found;
  const { layout, size, sure } = found;
  const encoding = checkedEncoding(layout, file);
  const { channels, sampleRate, bigEndian, dataStart } = layout;
  return { encoding, bigEndian, channels, sampleRate, dataStart, size, sure };
}

/** An error for 24-bit samples in words of 32 bits that are justified neither to the left nor to the right. */
export function unsupported24In32(file: string | undefined): SonospikeError {
  const what = '24-bit PCM in words of 32 bits that hold more than that';
  const error = unsupported(file, what);
  error.message += ' With arecord, record with -f S24_3LE or -f S32_LE.';
  return error;
}

/**
 * How the samples are written, in a WAV whose header agrees with itself.
 * @throws SonospikeError ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED
 */
export function checkedEncoding(layout: WavLayout, file: string | undefined): SampleEncoding {
  const encoding = encodingOf(layout, file);
  // The byte rate is not checked: it follows from the rest, and many writers get it wrong.
  const { channels, sampleRate, blockAlign } = layout;
  if (channels === 0) throw invalid(file, 'it claims to have no channels');
  requireRate(sampleRate, 'WAV', file);
  const width = SAMPLE_BYTES[encoding];
  if (blockAlign === channels * width) return encoding;
  if (encoding === 'pcm24' && blockAlign === channels * 4) return 'pcm24-in-32';
  const expected = `${channels} channels of ${width} bytes make ${channels * width}`;
  throw invalid(file, `its header claims ${blockAlign} bytes a frame, but ${expected}`);
}

/** What a sample looks like, from the format number and the bits of its container. */
function encodingOf(layout: WavLayout, file: string | undefined): SampleEncoding {
  const format = layout.audioFormat === EXTENSIBLE ? resolveSubformat(layout, file) : layout.audioFormat;
  // Samples of 12 or 20 bits are left-justified in the next whole number of bytes, so they scale as it does.
  const container = Math.ceil(layout.bitsPerSample / 8) * 8;
  if (format === 1) {
    if (layout.bitsPerSample === 0) throw invalid(file, 'it claims samples of 0 bits');
    if (container === 8) return 'uint8';
    if (container === 16) return 'pcm16';
    if (container === 24) return 'pcm24';
    if (container === 32) return 'pcm32';
  } else if (format === 3) {
    if (layout.bitsPerSample === 32) return 'float32';
    if (layout.bitsPerSample === 64) return 'float64';
  } else if (format === 6 || format === 7) {
    if (layout.bitsPerSample === 8) return format === 6 ? 'a-law' : 'mu-law';
  } else {
    throw unsupported(file, `a WAV of ${FORMAT_NAMES[format] ?? `format ${format}`}`);
  }
  const kind = format === 1 ? 'PCM' : format === 3 ? 'float' : 'A-law or mu-law';
  throw unsupported(file, `a WAV of ${layout.bitsPerSample}-bit ${kind}`);
}

function resolveSubformat(layout: WavLayout, file: string | undefined): number {
  if (layout.formatSize < 40 || layout.extensionSize < 22) {
    throw invalid(file, 'its WAVE_FORMAT_EXTENSIBLE header is too short for a sub-format');
  }
  if (layout.bigEndian) throw unsupported(file, 'a big-endian WAV (RIFX) of WAVE_FORMAT_EXTENSIBLE');
  const { bitsPerSample, validBits } = layout;
  if (validBits > bitsPerSample || bitsPerSample % 8 !== 0) {
    throw invalid(file, `it claims ${validBits} valid bits in samples of ${bitsPerSample} bits`);
  }
  const [format, ...tail] = layout.subformat;
  if (format === undefined || tail.some((word, i) => word !== GUID_TAIL[i])) {
    throw unsupported(file, 'a WAV of WAVE_FORMAT_EXTENSIBLE with a sub-format of its own');
  }
  return format;
}
