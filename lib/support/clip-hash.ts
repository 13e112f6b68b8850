import { createHash } from 'node:crypto';

/** Bytes of a hash. Of a million clips one that is not among them is taken for one of them once in a million times. */
export const HASH_BYTES = 5;

/** A short hash of what a sound file decodes to: the same for a copy, and for the same samples in another format. */
export function clipHash(samples: Float32Array, sampleRate: number): number {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return createHash('sha256').update(`${sampleRate}\n`).update(bytes).digest().readUIntBE(0, HASH_BYTES);
}

/** Hashes without repetition, in ascending order so that they do not tell the order of the clips: [n, HASH_BYTES]. */
export function packHashes(hashes: Iterable<number>): Uint8Array {
  const sorted = Float64Array.from(new Set(hashes)).sort();
  const bytes = Buffer.alloc(sorted.length * HASH_BYTES);
  for (const [i, hash] of sorted.entries()) bytes.writeUIntBE(hash, i * HASH_BYTES, HASH_BYTES);
  return new Uint8Array(bytes);
}

/** What `packHashes` has packed. */
export function unpackHashes(packed: Uint8Array): Set<number> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const hashes = new Set<number>();
  for (let at = 0; at < bytes.length; at += HASH_BYTES) hashes.add(bytes.readUIntBE(at, HASH_BYTES));
  return hashes;
}
