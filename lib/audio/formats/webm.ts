import { type AudioFormat, type DecodedAudio, invalid, text, unsupported } from './format.js';
import { decodeOpus, OPUS_PACKAGE } from './opus-decoder.js';

/** Opus in WebM or Matroska (RFC 9559), as browsers record it: the first audio track, decoded to 48 kHz. */
export const webm: AudioFormat = {
  name: 'WebM',
  extensions: ['.webm', '.weba', '.mka', '.mkv'],
  sniff: (head) => text(head, 0, 4) === '\x1aE\xdf\xa3',
  decodeLater,
  needs: OPUS_PACKAGE,
  threaded: true,
};

/** The elements that are looked into. */
const MASTERS = new Set([0x18538067, 0x1654ae6b, 0xae, 0xe1, 0x1f43b675, 0xa0]);
const [TRACK, TRACK_NUMBER, CODEC, CODEC_PRIVATE] = [0xae, 0xd7, 0x86, 0x63a2];
const [SIMPLE_BLOCK, BLOCK, DISCARD_PADDING] = [0xa3, 0xa1, 0x75a2];

interface Track {
  number: number;
  codec: string;
  head: Uint8Array;
}

async function decodeLater(bytes: Uint8Array, file: string | undefined): Promise<DecodedAudio> {
  const { tracks, blocks, padding } = readElements(bytes);
  const track = tracks.find(({ codec }) => codec.startsWith('A_'));
  if (track === undefined) throw invalid(file, 'WebM', 'it has no track of sound');
  if (track.codec !== 'A_OPUS') throw unsupported(file, `WebM or Matroska with the codec ${track.codec}`);
  const packets = blocks.filter(({ number }) => number === track.number);
  if (packets.some(({ laced }) => laced)) throw unsupported(file, 'WebM with laced blocks');
  if (packets.length === 0) throw invalid(file, 'WebM', 'it has no packets of sound');
  const data = packets.map((packet) => packet.data);
  const discarded = Math.round(padding * 48_000);
  const length = discarded > 0 ? data.reduce((sum, packet) => sum + samplesOf(packet), 0) - discarded : null;
  return decodeOpus(track.head, data, length, 'WebM', file, []);
}

/** Goes through the elements in order, into those that hold others. Their ends are not needed, and often not known. */
function readElements(bytes: Uint8Array) {
  const tracks: Track[] = [];
  const blocks: { number: number; laced: boolean; data: Uint8Array }[] = [];
  let padding = 0;
  for (let at = 0; at < bytes.length; ) {
    const idLength = Math.clz32(bytes[at]!) - 23;
    if (idLength > 4) break;
    const id = unsigned(bytes, at, at + idLength);
    const size = readSize(bytes, at + idLength);
    if (size === null) break;
    const { start } = size;
    if (MASTERS.has(id)) {
      if (id === TRACK) tracks.push({ number: 0, codec: '', head: new Uint8Array() });
      at = start;
      continue;
    }
    const end = start + size.value;
    if (end > bytes.length) break;
    const track = tracks.at(-1);
    if (track && id === TRACK_NUMBER) track.number = unsigned(bytes, start, end);
    if (track && id === CODEC) track.codec = text(bytes, start, end).replace(/\0+$/, '');
    if (track && id === CODEC_PRIVATE) track.head = bytes.subarray(start, end);
    if (id === SIMPLE_BLOCK || id === BLOCK) {
      const number = readSize(bytes, start);
      if (number !== null) {
        // Behind the track's number are 2 bytes of time and the flags.
        const flags = bytes[number.start + 2]!;
        const data = bytes.subarray(number.start + 3, end);
        blocks.push({ number: number.value, laced: (flags & 0x06) !== 0, data });
      }
    }
    if (id === DISCARD_PADDING) padding = unsigned(bytes, start, end) / 1e9;
    at = end;
  }
  return { tracks, blocks, padding };
}

/** A number of variable length whose first set bit tells how long it is; infinite where all others are set. */
function readSize(bytes: Uint8Array, at: number): { value: number; start: number } | null {
  const length = Math.clz32(bytes[at] ?? 0) - 23;
  if (length > 8 || at + length > bytes.length) return null;
  const first = bytes[at]! & (2 ** (8 - length) - 1);
  const value = first * 2 ** (8 * (length - 1)) + unsigned(bytes, at + 1, at + length);
  return { value: value >= 2 ** (7 * length) - 1 ? Infinity : value, start: at + length };
}

function unsigned(bytes: Uint8Array, start: number, end: number): number {
  return bytes.subarray(start, end).reduce((value, byte) => value * 256 + byte, 0);
}

/** Samples at 48 kHz in an Opus packet (RFC 6716, section 3.1). */
function samplesOf(packet: Uint8Array): number {
  const config = packet[0]! >> 3;
  let frame = [480, 960, 1920, 2880][config & 3]!;
  if (config >= 12) frame = [480, 960][config & 1]!;
  if (config >= 16) frame = [120, 240, 480, 960][config & 3]!;
  const code = packet[0]! & 3;
  return frame * (code === 0 ? 1 : code === 3 ? packet[1]! & 63 : 2);
}
