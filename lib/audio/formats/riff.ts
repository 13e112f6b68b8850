import type { SonospikeError } from '../../support/errors.js';
import wavefile from '../wavefile.cjs';
import { invalid as invalidFile } from './format.js';

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
  /** First byte of the samples. */
  dataStart: number;
}

interface Chunk {
  id: string;
  /** As written in the file, which may exceed what the file holds. */
  size: number;
  /** First byte of the chunk's contents. */
  start: number;
}

/**
 * The least size that stands for "unknown", as programs write it that stream and cannot come back to fill in the
 * length: 0x7fff0000 (GStreamer), 0x7ffff000 (sox), 0x7fffffff and 0x80000000 (arecord), 0xffffffff (most), each also
 * less the bytes of some header. No file that is read is as long.
 */
const UNKNOWN = 0x7fff0000;
/** How a WAV begins. */
export const CONTAINERS = ['RIFF', 'RIFX', 'RF64', 'BW64'];

const MAX_CHUNKS = 10_000;
const RF64_PLACEHOLDER = 0xffffffff;

/** The chunks that programs write around the samples. */
const KNOWN_CHUNKS = new Set(
  (
    'fmt |data|ds64|fact|LIST|JUNK|junk|bext|cue |smpl|inst|PEAK|id3 |ID3 |iXML|_PMX|axml|chna|cart|umid|minf|elm1|' +
    'regn|DISP|acid|afsp|PAD |FLLR|strc|plst|labl|note|levl|MARK|CSET|SNDM|LGWV|wavl|slnt'
  ).split('|'),
);
/** Bytes at the end of a file that are searched for chunks behind the samples. */
const MAX_TRAILER = 2 ** 20;

/**
 * Finds and checks the chunks of a WAV (RIFF, RIFX, RF64 or BW64).
 *
 * The `wavefile` package reads the header, but it is never given the file itself: on a damaged one it loops
 * over counts of up to 2^32, and in a RIFX it copies the whole file for each number. It gets a copy of the
 * chunks that matter, once their extents are known to lie inside the file.
 *
 * @returns the header, the byte after the last sample, and how many bytes of samples are surely missing
 * @throws SonospikeError ERR_AUDIO_INVALID
 */
export function readLayout(
  bytes: Uint8Array,
  file: string | undefined,
): { layout: WavLayout; dataEnd: number; missing: number } {
  const { view, container } = openContainer(bytes, file);
  const { chunks } = walkChunks(bytes, view, container, file);
  const { layout, sizes } = readHeader(bytes, view, container, chunks, file);
  return { layout, ...endOfData(bytes, layout, sizes) };
}

/** A WAV of which the beginning is there. */
export interface WavBeginning {
  layout: WavLayout;
  /** Bytes of samples that the header promises; infinite where it does not know. */
  size: number;
  /** Whether the samples are surely missing that are not there at the end. */
  sure: boolean;
}

/**
 * What the beginning of a WAV says, for one that comes bit by bit: its `data` chunk, behind which nothing is read, and
 * what stands before. Where more of it is needed first, the number of bytes from the start that are.
 * @param bytes at least 12
 * @throws SonospikeError ERR_AUDIO_INVALID
 */
export function readBeginning(bytes: Uint8Array, file: string | undefined): WavBeginning | number {
  const { view, container } = openContainer(bytes, file);
  const { chunks, next } = walkChunks(bytes, view, container, file);
  if (!chunks.has('data')) return next + 8;
  const { layout, sizes } = readHeader(bytes, view, container, chunks, file);
  // What follows an empty data chunk cannot be seen yet: it is empty if the file was closed.
  const open = sizes.data === 0 && (sizes.riff + 8 <= layout.dataStart || sizes.riff >= UNKNOWN);
  const size = open || sizes.data >= UNKNOWN ? Infinity : sizes.data;
  return { layout, size, sure: agree(layout.dataStart, sizes) };
}

function openContainer(bytes: Uint8Array, file: string | undefined): { view: DataView; container: string } {
  const container = bytes.length >= 12 ? fourCC(bytes, 0) : '';
  if (!CONTAINERS.includes(container) || fourCC(bytes, 8) !== 'WAVE') {
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
  const layout = layoutOf(header, container, format, data.start);
  const sizes = long
    ? { riff: fromWords(header.ds64.riffSizeHigh, header.ds64.riffSizeLow), data: longDataSize(data, header) }
    : { riff: view.getUint32(4, container !== 'RIFX'), data: data.size };
  return { layout, sizes };
}

function layoutOf({ fmt }: WavefileHeader, container: string, format: Chunk, dataStart: number): WavLayout {
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
    bigEndian: container === 'RIFX',
    dataStart,
  };
}

/** The layout of samples that a `fmt ` chunk describes outside of a WAV, as in a Wave64. */
export function readFormat(
  bytes: Uint8Array,
  start: number,
  size: number,
  dataStart: number,
  file: string | undefined,
): WavLayout {
  const format = { id: 'fmt ', start, size };
  requireInside(format, 16, bytes.length, file);
  return layoutOf(parseHeader(bytes, 'RIFF', format, undefined, file), 'RIFF', format, dataStart);
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
    next = chunk.start + size;
    // Chunks begin at even positions: an odd size is followed by one byte of padding, which some writers forget.
    if (size % 2 === 1 && !(next + 8 <= bytes.length && KNOWN_CHUNKS.has(fourCC(bytes, next)))) next++;
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
let last: { container: string; format: Uint8Array; fields: WavefileHeader } | undefined;

function isLast(container: string, format: Uint8Array): boolean {
  if (last?.container !== container || last.format.length !== format.length) return false;
  for (let i = 0; i < format.length; i++) if (last.format[i] !== format[i]) return false;
  return true;
}

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
  const kept = bytes.subarray(format.start, format.start + formatSize);
  if (ds64 === undefined && isLast(container, kept)) return last!.fields;
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
  try {
    const wav = new (wavefile().WaveFile)();
    wav.fromBuffer(header, false);
    const fields = wav as unknown as WavefileHeader;
    if (ds64 === undefined) last = { container, format: kept.slice(), fields };
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

/** Whether the size of the file in its header bears out that of its samples. */
function agree(dataStart: number, { riff, data }: Sizes): boolean {
  return data < UNKNOWN && riff < UNKNOWN && riff + 8 >= dataStart + data;
}

interface Sizes {
  riff: number;
  data: number;
}

/** Where the samples end, and how many bytes of them are surely missing. */
function endOfData(
  bytes: Uint8Array,
  { dataStart }: WavLayout,
  sizes: Sizes,
): { dataEnd: number; missing: number } {
  const there = bytes.length - dataStart;
  const { data, riff } = sizes;
  if (data > 0 && data <= there) return { dataEnd: dataStart + data, missing: 0 };
  if (data === 0 && riff + 8 > dataStart && riff < UNKNOWN && endsWithChunks(bytes, dataStart, new Set())) {
    return { dataEnd: dataStart, missing: 0 };
  }
  if (data === 0 || data >= UNKNOWN) return { dataEnd: startOfTrailer(bytes, dataStart), missing: 0 };
  // A header that promises a few bytes too many is no proof that they were ever there.
  return { dataEnd: bytes.length, missing: agree(dataStart, sizes) ? data - there : 0 };
}

/** Where the chunks begin that a writer put behind samples of unknown length; the end of the file if it has none. */
function startOfTrailer(bytes: Uint8Array, dataStart: number): number {
  const first = Math.max(dataStart, bytes.length - MAX_TRAILER);
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dead = new Set<number>();
  let found = bytes.length;
  for (const id of ['LIST', 'id3 ', 'ID3 ', 'bext', 'cue ', 'smpl', 'iXML', '_PMX', 'afsp']) {
    for (
      let at = end.indexOf(id, first, 'latin1');
      at >= 0 && at < found;
      at = end.indexOf(id, at + 1, 'latin1')
    ) {
      if (endsWithChunks(bytes, at, dead)) found = at;
    }
  }
  return found;
}

/**
 * Whether nothing but whole chunks lies from `start` to the end of the file.
 * @param dead positions from which that is not so; those that are found out are added
 */
function endsWithChunks(bytes: Uint8Array, start: number, dead: Set<number>): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const passed: number[] = [];
  let at = start;
  while (at + 8 <= bytes.length && !dead.has(at) && KNOWN_CHUNKS.has(fourCC(bytes, at))) {
    passed.push(at);
    const size = view.getUint32(at + 4, true);
    at += 8 + size + (size % 2);
  }
  // The last byte of padding may be missing.
  if (at === bytes.length || at === bytes.length + 1) return true;
  for (const position of passed) dead.add(position);
  return false;
}

/** An ERR_AUDIO_INVALID about `file`; `what` completes "… is not a valid WAV file: ". */
export function invalid(file: string | undefined, what: string, cause?: unknown): SonospikeError {
  return invalidFile(file, 'WAV', what, cause);
}

export function fourCC(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
}

function putFourCC(bytes: Uint8Array, at: number, id: string): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = id.charCodeAt(i);
}
