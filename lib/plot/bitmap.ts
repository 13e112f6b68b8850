import { viridis } from './colours.js';

/**
 * An image of one byte a pixel, each an index into 256 colours from low to high of viridis, as the data URI of a PNG.
 * The pixels are stored, not compressed, so that no library is needed (RFC 1950 and 1951; W3C Portable Network
 * Graphics).
 * @param pixels [height, width], from the top
 */
export function pngDataUri(pixels: Uint8Array, width: number, height: number): string {
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    // Each row begins with the number of its filter, 0 for none.
    rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 3], 8); // bits a pixel; colours by index
  const bytes = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('PLTE', PALETTE),
    chunk('IDAT', stored(rows)),
    chunk('IEND', new Uint8Array()),
  ];
  return `data:image/png;base64,${base64(bytes)}`;
}

const PALETTE = Uint8Array.from(Array.from({ length: 256 }, (_, i) => viridis(i / 255)).flat());
const MOST_STORED = 65_535;

/** A zlib stream of stored blocks. */
function stored(data: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(data.length / MOST_STORED));
  const out = new Uint8Array(2 + blocks * 5 + data.length + 4);
  const view = new DataView(out.buffer);
  out.set([0x78, 0x01]);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const part = data.subarray(block * MOST_STORED, (block + 1) * MOST_STORED);
    out[at] = block === blocks - 1 ? 1 : 0;
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    out.set(part, at + 5);
    at += 5 + part.length;
  }
  view.setUint32(at, adler32(data));
  return out;
}

function adler32(data: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of data) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  let crc = 0xffffffff;
  for (const byte of out.subarray(4, 8 + data.length)) crc = CRC_TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  view.setUint32(8 + data.length, ~crc >>> 0);
  return out;
}

function base64(parts: readonly Uint8Array[]): string {
  let binary = '';
  for (const part of parts) {
    // In pieces, as the arguments of a call are limited.
    for (let i = 0; i < part.length; i += 8192) {
      binary += String.fromCharCode(...part.subarray(i, i + 8192));
    }
  }
  return btoa(binary);
}
