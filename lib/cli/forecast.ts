import { aboutTime } from './format.js';
import type { Output } from './output.js';

/** Seconds that are measured before a time is said. */
const MEASURED = 2;
/** Seconds; of what ends sooner nothing is said. */
const WORTH = 5;

/** Says once how long something takes, from what was done of it in its first seconds. */
export class Forecast {
  readonly #out: Output;
  readonly #what: string;
  #began: { at: number; share: number } | null = null;
  #said = false;

  /** @param what the subject of the sentence: `The training` */
  constructor(out: Output, what: string) {
    this.#out = out;
    this.#what = what;
  }

  /** `share` of the whole that is done, from 0 to 1; the time counts from the first call. */
  update(share: number): void {
    const now = performance.now();
    this.#began ??= { at: now, share };
    const seconds = (now - this.#began.at) / 1000;
    const done = share - this.#began.share;
    if (this.#said || seconds < MEASURED || done <= 0) return;
    this.#said = true;
    const left = (seconds * (1 - share)) / done;
    if (left < WORTH) return;
    const measured = `measured over its first ${seconds.toFixed(0)} seconds`;
    this.#out.note(`${this.#what} will take about ${aboutTime(seconds + left)} (${measured}).`);
  }
}
