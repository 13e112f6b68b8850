import { type AudioFormat, cutOff, type DecodedAudio, invalid, text } from './format.js';
import { readFormat } from './riff.js';
import { decodeLayout } from './wav.js';

/**
 * Sony Wave64: a WAV whose chunks have 16-byte GUIDs for names and 64-bit sizes, which include the 24 bytes of name and
 * size, and begin at multiples of 8 (Sony Pictures Digital, "Sony Wave64 file format", 2003).
 */
export const w64: AudioFormat = {
  name: 'Wave64',
  extensions: ['.w64'],
  sniff: (head) => text(head, 0, 12) === 'riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb',
  decode,
};

/** The last 12 bytes of the GUIDs of `wave`, `fmt ` and `data`; their names are the first 4. */
const GUID_TAIL = '\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a';
const HEADER = 24;
const MAX_CHUNKS = 10_000;

function decode(bytes: Uint8Array, file: string | undefined): DecodedAudio {
  if (bytes.length < 40 || text(bytes, 24, 40) !== `wave${GUID_TAIL}`) {
    throw invalid(file, 'Wave64', 'it does not begin as one does (riff … wave)');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: { start: number; size: number } | null = null;
  let at = 40;
  for (let count = 0; at + HEADER <= bytes.length && count < MAX_CHUNKS; count++) {
    const id = text(bytes, at, at + 16);
    // A size of 0, or one that is not known, lasts to the end of the file.
    const claimed = Number(view.getBigUint64(at + 16, true)) - HEADER;
    const start = at + HEADER;
    if (id === `fmt ${GUID_TAIL}`) format = { start, size: claimed };
    if (id === `data${GUID_TAIL}`) {
      if (format === null) break;
      const layout = readFormat(bytes, format.start, format.size, start, file);
      const there = bytes.length - start;
      const known = claimed > 0 && claimed < 2 ** 31;
      const size = known ? Math.min(claimed, there) : there;
      const whole = Number(view.getBigUint64(16, true)) >= start + claimed;
      const remarks = known && claimed > there && whole ? [cutOff(file, claimed, there)] : [];
      return decodeLayout(bytes, layout, start + size, file, remarks);
    }
    if (claimed < 0) break;
    at = start + Math.ceil(claimed / 8) * 8;
  }
  throw invalid(file, 'Wave64', format === null ? 'it has no "fmt " chunk' : 'it has no "data" chunk');
}
