/** Samples in a row at full scale that count as clipping: one or two can be there by chance. */
const RUN = 3;
/** Clipped stretches that are kept; older ones are dropped. */
const REMEMBERED = 1000;

/**
 * Whether any channel is cut off at full scale: three samples in a row are at least `extreme` in magnitude. The
 * channels are judged before they are mixed, since the mean of a clipped and a silent channel is at half scale.
 * @param interleaved one sample of every channel after the other
 */
export function isClipped(interleaved: Float32Array, channels: number, extreme: number): boolean {
  if (!mayBeClipped(interleaved, channels, extreme)) return false;
  const clipping = new Clipping(channels, extreme);
  clipping.add(interleaved);
  return clipping.found;
}

/** Whether any sample of every third frame is at full scale. Each run of three has one of those. */
function mayBeClipped(interleaved: Float32Array, channels: number, extreme: number): boolean {
  for (let channel = 0; channel < channels; channel++) {
    for (let i = channel; i < interleaved.length; i += RUN * channels) {
      if (Math.abs(interleaved[i]!) >= extreme) return true;
    }
  }
  return false;
}

/** Where a sound that comes in pieces is clipped. */
export class Clipping {
  /** Length of the run at full scale that each channel is in. */
  readonly #runs: Uint32Array;
  /** First frame of clipped stretches and the frame after the last, in order. */
  readonly #stretches: [start: number, end: number][] = [];
  #frame = 0;

  constructor(
    channels: number,
    readonly extreme: number,
  ) {
    this.#runs = new Uint32Array(channels);
  }

  get found(): boolean {
    return this.#stretches.length > 0;
  }

  /** @param interleaved whole frames */
  add(interleaved: Float32Array): void {
    const { extreme } = this;
    const channels = this.#runs.length;
    for (let i = 0, channel = 0; i < interleaved.length; i++) {
      const sample = interleaved[i]!;
      if (sample >= extreme || sample <= -extreme) {
        if (++this.#runs[channel]! >= RUN)
          this.#note(this.#frame - this.#runs[channel]! + 1, this.#frame + 1);
      } else {
        this.#runs[channel] = 0;
      }
      if (++channel === channels) {
        channel = 0;
        this.#frame++;
      }
    }
  }

  /** Whether the sound is clipped anywhere from frame `start` to frame `end`. */
  between(start: number, end: number): boolean {
    return this.#stretches.some(([first, last]) => first < end && last > start);
  }

  #note(start: number, end: number): void {
    const last = this.#stretches.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else this.#stretches.push([start, end]);
    if (this.#stretches.length > REMEMBERED) this.#stretches.shift();
  }
}
