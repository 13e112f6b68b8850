import { invalid, nameOf, text } from './format.js';

/** A packet of an Ogg stream. */
export interface OggPacket {
  data: Uint8Array;
  /** Position in samples at the end of the page in which the packet ends, if it is the last of that page; else null. */
  position: number | null;
}

/** Whether bytes are an Ogg whose first packet begins with `magic`. */
export function isOggOf(head: Uint8Array, magic: string): boolean | 'more' {
  if (text(head, 0, 4) !== 'OggS') return false;
  if (head.length < 27 || head.length < 27 + head[26]! + magic.length) return 'more';
  const start = 27 + head[26]!;
  return text(head, start, start + magic.length) === magic;
}

/**
 * The packets of the first stream in an Ogg file (RFC 3533). Pages that are damaged are left out.
 * @throws SonospikeError ERR_AUDIO_INVALID
 */
export function readOgg(
  bytes: Uint8Array,
  kind: string,
  file: string | undefined,
): { packets: OggPacket[]; remarks: string[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packets: OggPacket[] = [];
  let open: Uint8Array[] = [];
  let serial: number | null = null;
  let [damaged, others] = [0, 0];
  for (let at = 0; at + 27 <= bytes.length; ) {
    const segments = bytes[at + 26]!;
    const start = at + 27 + segments;
    const lengths = bytes.subarray(at + 27, start);
    const end = lengths.reduce((sum, length) => sum + length, start);
    if (
      text(bytes, at, at + 4) !== 'OggS' ||
      end > bytes.length ||
      view.getUint32(at + 22, true) !== checksum(bytes, at, end)
    ) {
      if (end <= bytes.length) damaged++;
      const next = whole.indexOf('OggS', at + 1, 'latin1');
      if (next < 0) break;
      at = next;
      continue;
    }
    serial ??= view.getUint32(at + 14, true);
    if (view.getUint32(at + 14, true) !== serial) {
      if (bytes[at + 5]! & 2) others++;
      at = end;
      continue;
    }
    // A packet that goes on from the last page, which was not there, is lost.
    let lost = (bytes[at + 5]! & 1) !== 0 && open.length === 0;
    if ((bytes[at + 5]! & 1) === 0) open = [];
    const first = packets.length;
    let from = start;
    let to = start;
    for (const length of lengths) {
      to += length;
      if (length === 255) continue;
      const data =
        open.length === 0 ? bytes.subarray(from, to) : Buffer.concat([...open, bytes.subarray(from, to)]);
      if (!lost) packets.push({ data, position: null });
      lost = false;
      open = [];
      from = to;
    }
    if (to > from) open.push(bytes.subarray(from, to));
    const position = view.getBigInt64(at + 6, true);
    if (packets.length > first && position >= 0n) packets.at(-1)!.position = Number(position);
    at = end;
  }
  if (packets.length === 0) throw invalid(file, kind, 'it has no whole packet');
  const remarks: string[] = [];
  if (damaged > 0) remarks.push(`${nameOf(file)} is damaged: ${damaged} pages of its ${kind} are left out.`);
  if (others > 0)
    remarks.push(`${nameOf(file)} has ${others} more streams behind the first, which are not read.`);
  return { packets, remarks };
}

const CRC32 = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/** The CRC of a page, its own field taken as 0. */
function checksum(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    const byte = i >= start + 22 && i < start + 26 ? 0 : bytes[i]!;
    crc = (crc << 8) ^ CRC32[(crc >>> 24) ^ byte]!;
  }
  return crc >>> 0;
}
