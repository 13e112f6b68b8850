/**
 * Random numbers for test signals: sfc32 (C. Doty-Humphrey, PractRand), seeded by text. The same on every machine but
 * for the last bits of the normal ones, which go through the platform's logarithm and cosine.
 */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: string) {
    this.#state = Uint32Array.from([1, 2, 3, 4], (k) => hash32(`${k}\0${seed}`));
    for (let i = 0; i < 16; i++) this.#next();
  }

  /** Evenly from `min` to below `max`. */
  uniform(min = 0, max = 1): number {
    return min + (max - min) * (this.#next() / 2 ** 32);
  }

  /** A whole number from `min` to `max`. */
  integer(min: number, max: number): number {
    return Math.floor(this.uniform(min, max + 1));
  }

  /** Mean 0 and standard deviation 1 (G. Box and M. Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  #next(): number {
    const s = this.#state;
    const out = (s[0]! + s[1]! + s[3]!) >>> 0;
    s[3]!++;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = s[2]! + (s[2]! << 3);
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + out;
    return out;
  }
}

/**
 * A 32-bit hash of text: FNV-1a over its UTF-8 bytes, then the finalizer of MurmurHash3 so that every bit counts.
 * Splits are drawn by sorting on it: the same on every platform, whatever the order of the files.
 */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
