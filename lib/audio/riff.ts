import wavefile from 'wavefile';
import { SonospikeError } from '../errors.js';

/** The fields of a WAV's `fmt ` chunk, named as in the specification, and where its data lies. */
export interface WavLayout {
  /** 1 PCM, 3 float, 6 A-law, 7 mu-law, 0xfffe WAVE_FORMAT_EXTENSIBLE. */
  audioFormat: number;
  channels: number;
  /** Hz. */
  sampleRate: number;
  /** Bytes in a frame, that is in one sample of every channel. */
  blockAlign: number;
  bitsPerSample: number;
  /** Bytes of the `fmt ` chunk. */
  formatSize: number;
  /** Of WAVE_FORMAT_EXTENSIBLE only: bytes that follow the first 18 of the chunk. */
  extensionSize: number;
  validBits: number;
  /** The sub-format GUID as four little-endian words; empty when there is none. */
  subformat: number[];
  bigEndian: boolean;
  /** First byte of the samples, and the byte after the last. */
  dataStart: number;
  dataEnd: number;
}

interface Chunk {
  id: string;
  /** As written in the file, which may exceed what the file holds. */
  size: number;
  /** First byte of the chunk's contents. */
  start: number;
}

/**
 * Sizes that programs write when they stream and cannot come back to fill in the length: most, sox, arecord.
 * Such a chunk lasts until the end of the file, as ffmpeg and libsndfile read it.
 */
const STREAM_SIZES = new Set([0xffffffff, 0x7ffff000, 0x80000000, 0x7fffffff]);
const MAX_CHUNKS = 10_000;
const RF64_PLACEHOLDER = 0xffffffff;

/**
 * Finds and checks the chunks of a WAV (RIFF, RIFX, RF64 or BW64).
 *
 * The `wavefile` package reads the header, but it is never given the file itself: on a damaged one it loops
 * over counts of up to 2^32, and in a RIFX it copies the whole file for each number. It gets a copy of the
 * chunks that matter, once their extents are known to lie inside the file.
 *
 * @throws SonospikeError ERR_WAV_INVALID
 */
export function readLayout(bytes: Uint8Array, file: string | undefined): WavLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const container = bytes.length >= 12 ? fourCC(bytes, 0) : '';
  if (!['RIFF', 'RIFX', 'RF64', 'BW64'].includes(container) || fourCC(bytes, 8) !== 'WAVE') {
    throw invalid(file, 'it does not begin as a WAV file does (RIFF … WAVE)');
  }
  const bigEndian = container === 'RIFX';
  const long = container === 'RF64' || container === 'BW64';
  const { format, data, ds64 } = findChunks(bytes, view, bigEndian, file);
  if (long && ds64 === undefined) throw invalid(file, `it is an ${container} file without a ds64 chunk`);

  const header = parseHeader(bytes, container, format, long ? ds64 : undefined, file);
  const { fmt } = header;
  const riffSize = view.getUint32(4, !bigEndian);
  const sizes = long
    ? { riff: fromWords(header.ds64.riffSizeHigh, header.ds64.riffSizeLow), data: longDataSize(data, header) }
    : { riff: riffSize, data: data.size };
  return {
    audioFormat: fmt.audioFormat,
    channels: fmt.numChannels,
    sampleRate: fmt.sampleRate,
    blockAlign: fmt.blockAlign,
    bitsPerSample: fmt.bitsPerSample,
    formatSize: format.size,
    extensionSize: fmt.cbSize,
    validBits: fmt.validBitsPerSample,
    subformat: fmt.subformat,
    bigEndian,
    dataStart: data.start,
    dataEnd: endOfData(data.start, sizes.data, sizes.riff, fmt.blockAlign, bytes.length, file),
  };
}

/** The first `fmt `, `data` and `ds64` chunk; what follows the first two is of no interest and not read. */
function findChunks(bytes: Uint8Array, view: DataView, bigEndian: boolean, file: string | undefined) {
  const found = new Map<string, Chunk>();
  let at = 12;
  for (let count = 0; at + 8 <= bytes.length; count++) {
    if (count === MAX_CHUNKS) throw invalid(file, `it has more than ${MAX_CHUNKS} chunks`);
    const chunk: Chunk = { id: fourCC(bytes, at), size: view.getUint32(at + 4, !bigEndian), start: at + 8 };
    if (!found.has(chunk.id)) found.set(chunk.id, chunk);
    if (found.has('fmt ') && found.has('data')) break;
    // Chunks begin at even positions: an odd size is followed by one byte of padding.
    at = chunk.start + chunk.size + (chunk.size % 2);
  }
  const [format, data, ds64] = [found.get('fmt '), found.get('data'), found.get('ds64')];
  if (format === undefined) throw invalid(file, 'it has no "fmt " chunk');
  if (data === undefined) throw invalid(file, 'it has no "data" chunk');
  requireInside(format, 16, bytes.length, file);
  if (ds64 !== undefined) requireInside(ds64, 24, bytes.length, file);
  return { format, data, ds64 };
}

function requireInside(chunk: Chunk, least: number, length: number, file: string | undefined): void {
  if (chunk.size < least) {
    throw invalid(file, `its "${chunk.id}" chunk has ${chunk.size} bytes, and at least ${least} are needed`);
  }
  if (chunk.start + chunk.size > length) {
    throw invalid(file, `its "${chunk.id}" chunk is cut off by the end of the file`);
  }
}

interface WavefileHeader {
  fmt: {
    audioFormat: number;
    numChannels: number;
    sampleRate: number;
    blockAlign: number;
    bitsPerSample: number;
    cbSize: number;
    validBitsPerSample: number;
    subformat: number[];
  };
  ds64: { riffSizeHigh: number; riffSizeLow: number; dataSizeHigh: number; dataSizeLow: number };
}

/** Clips mostly come in one format, and `wavefile` makes 14 KB of objects for each header that it reads. */
let lastHeader: { bytes: Uint8Array; fields: WavefileHeader } | undefined;

/** Lets `wavefile` read a WAV of the format chunk (and ds64) and an empty data chunk. */
function parseHeader(
  bytes: Uint8Array,
  container: string,
  format: Chunk,
  ds64: Chunk | undefined,
  file: string | undefined,
): WavefileHeader {
  // A format chunk has 40 bytes with an extension, else 16 or 18; of ds64 the first 24 are used.
  const formatSize = format.size >= 40 ? 40 : Math.min(format.size, 18);
  const parts: [Chunk, number][] = [[format, formatSize]];
  if (ds64 !== undefined) parts.unshift([ds64, 24]);
  const length = parts.reduce((sum, [, size]) => sum + 8 + size + (size % 2), 12 + 8);
  const header = new Uint8Array(length);
  const view = new DataView(header.buffer);
  const bigEndian = container === 'RIFX';
  putFourCC(header, 0, container === 'BW64' ? 'RF64' : container);
  view.setUint32(4, length - 8, !bigEndian);
  putFourCC(header, 8, 'WAVE');
  let at = 12;
  for (const [chunk, size] of parts) {
    putFourCC(header, at, chunk.id);
    view.setUint32(at + 4, size, !bigEndian);
    header.set(bytes.subarray(chunk.start, chunk.start + size), at + 8);
    at += 8 + size + (size % 2);
  }
  putFourCC(header, at, 'data');
  if (lastHeader && Buffer.compare(lastHeader.bytes, header) === 0) return lastHeader.fields;
  try {
    const wav = new wavefile.WaveFile();
    wav.fromBuffer(header, false);
    const fields = wav as unknown as WavefileHeader;
    lastHeader = { bytes: header, fields };
    return fields;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid(file, `its header cannot be read (${reason})`, error);
  }
}

/** EBU Tech 3306 puts the low word of a ds64 size first; `wavefile` names the first word "high". */
function fromWords(first: number, second: number): number {
  return second * 2 ** 32 + first;
}

function longDataSize(data: Chunk, { ds64 }: WavefileHeader): number {
  return data.size === RF64_PLACEHOLDER ? fromWords(ds64.dataSizeHigh, ds64.dataSizeLow) : data.size;
}

/**
 * Where the samples end. A size of zero is an empty clip in a file that was closed, and means "unknown" in one
 * that was not: there the RIFF size does not reach past the data chunk's own header.
 */
function endOfData(
  start: number,
  size: number,
  riffSize: number,
  blockAlign: number,
  length: number,
  file: string | undefined,
): number {
  const there = length - start;
  const neverClosed = size === 0 && (riffSize + 8 <= start || STREAM_SIZES.has(riffSize));
  if (neverClosed || (STREAM_SIZES.has(size) && size > there)) {
    // A stream may break off inside a frame.
    return start + there - (blockAlign > 0 ? there % blockAlign : 0);
  }
  if (size > there) {
    throw invalid(
      file,
      `its data is cut off: the header promises ${size} bytes of samples and ${there} are there, ${size - there} too few`,
    );
  }
  return start + size;
}

/** An ERR_WAV_INVALID about `file`; `what` completes "… is not a valid WAV file: ". */
export function invalid(file: string | undefined, what: string, cause?: unknown): SonospikeError {
  const message = `${file ?? 'The audio'} is not a valid WAV file: ${what}.`;
  return new SonospikeError('ERR_WAV_INVALID', message, { file, cause });
}

function fourCC(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
}

function putFourCC(bytes: Uint8Array, at: number, id: string): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = id.charCodeAt(i);
}
