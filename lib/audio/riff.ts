import { SonospikeError } from '../support/errors.js';
import { wavefile } from './wavefile.js';

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
  const { view, container } = openContainer(bytes, file);
  const { chunks } = walkChunks(bytes, view, container, file);
  const { layout, sizes } = readHeader(bytes, view, container, chunks, file);
  const dataEnd = endOfData(layout.dataStart, sizes.data, sizes.riff, layout.blockAlign, bytes.length, file);
  return { ...layout, dataEnd };
}

/** A WAV of which the beginning is there. */
export interface WavBeginning {
  /** `dataEnd` is `dataStart`: the samples are still to come. */
  layout: WavLayout;
  /** Bytes of samples that the header promises; infinite where it does not know. */
  size: number;
}

/**
 * What the beginning of a WAV says, for one that comes bit by bit: its `data` chunk, behind which nothing is read, and
 * what stands before. Where more of it is needed first, the number of bytes from the start that are.
 * @param bytes at least 12
 * @throws SonospikeError ERR_WAV_INVALID
 */
export function readBeginning(bytes: Uint8Array, file: string | undefined): WavBeginning | number {
  const { view, container } = openContainer(bytes, file);
  const { chunks, next } = walkChunks(bytes, view, container, file);
  if (!chunks.has('data')) return next + 8;
  const { layout, sizes } = readHeader(bytes, view, container, chunks, file);
  const endless = STREAM_SIZES.has(sizes.data) || isNeverClosed(layout.dataStart, sizes.data, sizes.riff);
  return { layout: { ...layout, dataEnd: layout.dataStart }, size: endless ? Infinity : sizes.data };
}

function openContainer(bytes: Uint8Array, file: string | undefined): { view: DataView; container: string } {
  const container = bytes.length >= 12 ? fourCC(bytes, 0) : '';
  if (!['RIFF', 'RIFX', 'RF64', 'BW64'].includes(container) || fourCC(bytes, 8) !== 'WAVE') {
    throw invalid(file, 'it does not begin as a WAV file does (RIFF … WAVE)');
  }
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), container };
}

/** Everything but where the data ends, and the sizes as they are written. */
function readHeader(
  bytes: Uint8Array,
  view: DataView,
  container: string,
  chunks: ReadonlyMap<string, Chunk>,
  file: string | undefined,
) {
  const { format, data, ds64 } = requireChunks(chunks, bytes.length, file);
  const long = container === 'RF64' || container === 'BW64';
  if (long && ds64 === undefined) throw invalid(file, `it is an ${container} file without a ds64 chunk`);
  const header = parseHeader(bytes, container, format, long ? ds64 : undefined, file);
  const { fmt } = header;
  const bigEndian = container === 'RIFX';
  const layout = {
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
  };
  const sizes = long
    ? { riff: fromWords(header.ds64.riffSizeHigh, header.ds64.riffSizeLow), data: longDataSize(data, header) }
    : { riff: view.getUint32(4, !bigEndian), data: data.size };
  return { layout, sizes };
}

/**
 * The first chunk of each name, and where the next one would begin. What follows the first `fmt ` and `data` is of no
 * interest and not read.
 */
function walkChunks(
  bytes: Uint8Array,
  view: DataView,
  container: string,
  file: string | undefined,
): { chunks: Map<string, Chunk>; next: number } {
  const chunks = new Map<string, Chunk>();
  let next = 12;
  for (let count = 0; next + 8 <= bytes.length; count++) {
    if (count === MAX_CHUNKS) throw invalid(file, `it has more than ${MAX_CHUNKS} chunks`);
    const size = view.getUint32(next + 4, container !== 'RIFX');
    const chunk: Chunk = { id: fourCC(bytes, next), size, start: next + 8 };
    if (!chunks.has(chunk.id)) chunks.set(chunk.id, chunk);
    if (chunks.has('fmt ') && chunks.has('data')) break;
    // Chunks begin at even positions: an odd size is followed by one byte of padding.
    next = chunk.start + size + (size % 2);
  }
  return { chunks, next };
}

function requireChunks(chunks: ReadonlyMap<string, Chunk>, length: number, file: string | undefined) {
  const [format, data, ds64] = [chunks.get('fmt '), chunks.get('data'), chunks.get('ds64')];
  if (format === undefined) throw invalid(file, 'it has no "fmt " chunk');
  if (data === undefined) throw invalid(file, 'it has no "data" chunk');
  requireInside(format, 16, length, file);
  if (ds64 !== undefined) requireInside(ds64, 24, length, file);
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
    const wav = new (wavefile().WaveFile)();
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
 * A size of zero is an empty clip in a file that was closed, and means "unknown" in one that was not: there the RIFF
 * size does not reach past the data chunk's own header.
 */
function isNeverClosed(start: number, size: number, riffSize: number): boolean {
  return size === 0 && (riffSize + 8 <= start || STREAM_SIZES.has(riffSize));
}

/** Where the samples end. */
function endOfData(
  start: number,
  size: number,
  riffSize: number,
  blockAlign: number,
  length: number,
  file: string | undefined,
): number {
  const there = length - start;
  if (isNeverClosed(start, size, riffSize) || (STREAM_SIZES.has(size) && size > there)) {
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
