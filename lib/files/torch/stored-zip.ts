import { crc32 } from 'node:zlib';
import { damaged } from '../damaged.js';

const END_RECORD = { signature: 0x06054b50, size: 22 };
const CENTRAL_ENTRY = { signature: 0x02014b50, size: 46 };
const LOCAL_ENTRY = { signature: 0x04034b50, size: 30 };
const MAX_COMMENT = 0xffff;
const ENCRYPTED = 1;

interface Entry {
  localOffset: number;
  size: number;
  crc: number;
}

/**
 * A zip archive whose entries are stored without compression, as PyTorch writes them. Anything else (compressed
 * or encrypted entries, zip64, several disks, two entries of one name) is refused.
 */
export class StoredZip {
  private readonly entries = new Map<string, Entry>();
  private readonly view: DataView;

  /** @throws SonospikeError ERR_MODEL_INVALID */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string | undefined,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.readDirectory(this.findEnd());
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  /**
   * The bytes of an entry, not copied; undefined if there is none of that name.
   * @throws SonospikeError ERR_MODEL_INVALID if they do not match their checksum
   */
  read(name: string): Uint8Array | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    const start = this.dataStart(entry, name);
    const data = this.bytes.subarray(start, start + entry.size);
    if (crc32(data) !== entry.crc) throw this.fail(`the checksum of its part ${name} is wrong`);
    return data;
  }

  private fail(what: string) {
    return damaged(this.file, what);
  }

  /** Position of the end record: the last one whose comment reaches exactly to the end of the file. */
  private findEnd(): number {
    const last = this.bytes.length - END_RECORD.size;
    for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
      if (this.view.getUint32(at, true) !== END_RECORD.signature) continue;
      if (this.view.getUint16(at + 20, true) === last - at) return at;
    }
    throw this.fail('it has no zip directory (was it cut off?)');
  }

  private readDirectory(end: number): void {
    const count = this.view.getUint16(end + 10, true);
    const size = this.view.getUint32(end + 12, true);
    const offset = this.view.getUint32(end + 16, true);
    if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
      throw this.fail('its zip directory is in the zip64 form, which is not read');
    }
    if (this.view.getUint32(end + 4, true) !== 0 || this.view.getUint16(end + 8, true) !== count) {
      throw this.fail('it is a part of a zip of several parts');
    }
    if (offset + size > end) throw this.fail('its zip directory lies outside of the file');
    let at = offset;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const { next, entrySize } = this.readEntry(at, offset + size);
      at = next;
      total += entrySize;
    }
    if (at !== offset + size) throw this.fail('its zip directory has bytes that belong to no entry');
    // Without this, many entries over the same bytes would make a small file slow to check.
    if (total > this.bytes.length) throw this.fail('its parts overlap');
  }

  private readEntry(at: number, end: number): { next: number; entrySize: number } {
    const view = this.view;
    if (at + CENTRAL_ENTRY.size > end || view.getUint32(at, true) !== CENTRAL_ENTRY.signature) {
      throw this.fail('its zip directory is broken');
    }
    const nameEnd = at + CENTRAL_ENTRY.size + view.getUint16(at + 28, true);
    const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw this.fail('its zip directory is broken');
    const name = this.text(at + CENTRAL_ENTRY.size, nameEnd);
    const compressedSize = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    if (view.getUint16(at + 8, true) & ENCRYPTED) throw this.fail(`its part ${name} is encrypted`);
    if (view.getUint16(at + 10, true) !== 0 || compressedSize !== size) {
      throw this.fail(`its part ${name} is compressed; PyTorch stores parts as they are`);
    }
    if (this.entries.has(name)) throw this.fail(`it has two parts named ${name}`);
    const localOffset = view.getUint32(at + 42, true);
    this.entries.set(name, { localOffset, size, crc: view.getUint32(at + 16, true) });
    return { next, entrySize: size };
  }

  private dataStart({ localOffset, size }: Entry, name: string): number {
    const view = this.view;
    const headerEnd = localOffset + LOCAL_ENTRY.size;
    if (headerEnd > this.bytes.length || view.getUint32(localOffset, true) !== LOCAL_ENTRY.signature) {
      throw this.fail(`its part ${name} is not where the zip directory says`);
    }
    const nameEnd = headerEnd + view.getUint16(localOffset + 26, true);
    const start = nameEnd + view.getUint16(localOffset + 28, true);
    if (start + size > this.bytes.length) throw this.fail(`its part ${name} is cut off`);
    if (this.text(headerEnd, nameEnd) !== name) throw this.fail(`its part ${name} has two names`);
    return start;
  }

  private text(begin: number, end: number): string {
    return new TextDecoder().decode(this.bytes.subarray(begin, end));
  }
}
