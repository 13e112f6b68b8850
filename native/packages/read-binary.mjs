// Reads what check.mjs asks of a shared library: ELF (Linux), Mach-O (macOS) and PE (Windows), all 64-bit and little-endian.
// Formats: System V ABI and GNU symbol versions; Apple's mach-o/loader.h and cs_blobs.h; Microsoft's PE/COFF specification.
import { createHash } from 'node:crypto';

const MACHINES = {
  elf: { 0x3e: 'x64', 0xb7: 'arm64' },
  macho: { 0x01000007: 'x64', 0x0100000c: 'arm64' },
  pe: { 0x8664: 'x64', 0xaa64: 'arm64' },
};

/**
 * `stays`: that the library is never unloaded.
 * @returns {{ format: string, cpu: string, needed: string[], exported: string[], imported: string[], versions: string[], signed?: string, oldest?: string, stays?: boolean }}
 */
export function readBinary(bytes) {
  if (bytes.readUInt32BE(0) === 0x7f454c46) return readElf(bytes);
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return readMachO(bytes);
  if (bytes.toString('latin1', 0, 2) === 'MZ') return readPe(bytes);
  throw new Error('This is no ELF, Mach-O or PE file.');
}

function textAt(bytes, offset) {
  return bytes.toString('utf8', offset, bytes.indexOf(0, offset));
}

function readElf(bytes) {
  const u64 = (offset) => Number(bytes.readBigUInt64LE(offset));
  const [table, size, count] = [u64(0x28), bytes.readUInt16LE(0x3a), bytes.readUInt16LE(0x3c)];
  const sections = Array.from({ length: count }, (_, i) => {
    const at = table + i * size;
    return { type: bytes.readUInt32LE(at + 4), offset: u64(at + 24), size: u64(at + 32), link: bytes.readUInt32LE(at + 40) };
  });
  const DYNSYM = 11, DYNAMIC = 6, VERNEED = 0x6ffffffe, NEEDED = 1n, FLAGS_1 = 0x6ffffffbn, NODELETE = 8n;
  const find = (type) => sections.find((section) => section.type === type);
  const stringsOf = (section) => sections[section.link].offset;
  const symbols = find(DYNSYM);
  const [exported, imported] = [[], []];
  for (let at = symbols.offset + 24; at < symbols.offset + symbols.size; at += 24) {
    const defined = bytes.readUInt16LE(at + 6) !== 0;
    (defined ? exported : imported).push(textAt(bytes, stringsOf(symbols) + bytes.readUInt32LE(at)));
  }
  const dynamic = find(DYNAMIC);
  const needed = [];
  let stays = false;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    const tag = bytes.readBigInt64LE(at);
    if (tag === NEEDED) needed.push(textAt(bytes, stringsOf(dynamic) + u64(at + 8)));
    if (tag === FLAGS_1) stays = (bytes.readBigUInt64LE(at + 8) & NODELETE) !== 0n;
  }
  const versions = [];
  const verneed = find(VERNEED);
  for (let at = verneed?.offset, more = verneed !== undefined; more; ) {
    for (let each = at + bytes.readUInt32LE(at + 8), left = bytes.readUInt16LE(at + 2); left > 0; left--) {
      versions.push(textAt(bytes, stringsOf(verneed) + bytes.readUInt32LE(each + 8)));
      each += bytes.readUInt32LE(each + 12);
    }
    const next = bytes.readUInt32LE(at + 12);
    more = next !== 0;
    at += next;
  }
  return { format: 'elf', cpu: MACHINES.elf[bytes.readUInt16LE(18)], needed, exported, imported, versions, stays };
}

function readMachO(bytes) {
  const found = { format: 'macho', cpu: MACHINES.macho[bytes.readUInt32LE(4)], needed: [], exported: [], imported: [], versions: [], signed: 'no' };
  const SYMTAB = 0x2, LOAD_DYLIB = 0xc, CODE_SIGNATURE = 0x1d, BUILD_VERSION = 0x32;
  let at = 32;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const command = bytes.readUInt32LE(at);
    if (command === LOAD_DYLIB) found.needed.push(textAt(bytes, at + bytes.readUInt32LE(at + 8)));
    if (command === BUILD_VERSION) found.oldest = `${bytes.readUInt16LE(at + 14)}.${bytes[at + 13]}`;
    if (command === CODE_SIGNATURE) found.signed = checkSignature(bytes, bytes.readUInt32LE(at + 8));
    if (command === SYMTAB) {
      const [symbols, count, strings] = [8, 12, 16].map((field) => bytes.readUInt32LE(at + field));
      for (let i = 0; i < count; i++) {
        const symbol = symbols + 16 * i;
        const EXTERNAL = 0x01, PRIVATE = 0x10, SECTION = 0x0e;
        const type = bytes[symbol + 4];
        if ((type & EXTERNAL) === 0 || (type & PRIVATE) !== 0) continue;
        const name = textAt(bytes, strings + bytes.readUInt32LE(symbol)).replace(/^_/, '');
        ((type & SECTION) === SECTION ? found.exported : found.imported).push(name);
      }
    }
    at += bytes.readUInt32LE(at + 4);
  }
  return found;
}

/** "ad hoc" where the code directory says so and every page has the hash that it gives. */
function checkSignature(bytes, start) {
  const SUPER_BLOB = 0xfade0cc0, CODE_DIRECTORY = 0xfade0c02, AD_HOC = 0x2, SHA256 = 2;
  if (bytes.readUInt32BE(start) !== SUPER_BLOB) return 'damaged';
  for (let i = 0; i < bytes.readUInt32BE(start + 8); i++) {
    const directory = start + bytes.readUInt32BE(start + 16 + 8 * i);
    if (bytes.readUInt32BE(directory) !== CODE_DIRECTORY) continue;
    const field = (offset) => bytes.readUInt32BE(directory + offset);
    const [flags, hashes, slots, limit, hashSize, hashType] = [field(12), field(16), field(28), field(32), bytes[directory + 36], bytes[directory + 37]];
    const pageSize = 2 ** bytes[directory + 39];
    if (hashType !== SHA256) return 'with another hash than SHA-256';
    for (let slot = 0; slot < slots; slot++) {
      const page = bytes.subarray(slot * pageSize, Math.min((slot + 1) * pageSize, limit));
      const stored = directory + hashes + slot * hashSize;
      const hash = createHash('sha256').update(page).digest();
      if (!hash.equals(bytes.subarray(stored, stored + hashSize))) return `wrong in page ${slot}`;
    }
    return (flags & AD_HOC) !== 0 ? 'ad hoc' : 'yes';
  }
  return 'damaged';
}

function readPe(bytes) {
  const header = bytes.readUInt32LE(0x3c);
  const sections = header + 24 + bytes.readUInt16LE(header + 20);
  const fileOffset = (address) => {
    for (let i = 0; i < bytes.readUInt16LE(header + 6); i++) {
      const at = sections + 40 * i;
      const [start, size, raw] = [bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20)];
      if (address >= start && address < start + size) return raw + address - start;
    }
    throw new Error(`No section holds the address ${address}.`);
  };
  const directory = (index) => bytes.readUInt32LE(header + 24 + 112 + 8 * index);
  const exported = [];
  const exports = fileOffset(directory(0));
  const names = fileOffset(bytes.readUInt32LE(exports + 32));
  for (let i = 0; i < bytes.readUInt32LE(exports + 24); i++) {
    exported.push(textAt(bytes, fileOffset(bytes.readUInt32LE(names + 4 * i))));
  }
  const needed = [];
  for (let at = fileOffset(directory(1)); bytes.readUInt32LE(at + 12) !== 0; at += 20) {
    needed.push(textAt(bytes, fileOffset(bytes.readUInt32LE(at + 12))));
  }
  return { format: 'pe', cpu: MACHINES.pe[bytes.readUInt16LE(header + 4)], needed, exported, imported: [], versions: [] };
}
