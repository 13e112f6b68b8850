/** A ring buffer of the last samples of a sound. */
export class Tape {
  readonly #ring: Float32Array;
  #length = 0;

  /** @param kept samples */
  constructor(kept: number) {
    this.#ring = new Float32Array(kept);
  }

  /** Samples that were added, also those that are no longer kept. */
  get length(): number {
    return this.#length;
  }

  add(samples: Float32Array): void {
    const size = this.#ring.length;
    const kept = samples.subarray(Math.max(0, samples.length - size));
    const at = (this.#length + samples.length - kept.length) % size;
    const first = kept.subarray(0, size - at);
    this.#ring.set(first, at);
    this.#ring.set(kept.subarray(first.length), 0);
    this.#length += samples.length;
  }

  /** A copy of the samples from `start` to `end`, counted from the first that was added, as far as they are kept. */
  cut(start: number, end: number): Float32Array {
    const size = this.#ring.length;
    const from = Math.max(0, this.#length - size, start);
    const to = Math.min(this.#length, end);
    const samples = new Float32Array(Math.max(0, to - from));
    const at = from % size;
    const first = this.#ring.subarray(at, at + samples.length);
    samples.set(first);
    samples.set(this.#ring.subarray(0, samples.length - first.length), first.length);
    return samples;
  }
}
