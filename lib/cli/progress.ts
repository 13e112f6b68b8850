import { cutEnd } from './text-width.js';

const BAR = 20;
const USUAL_COLUMNS = 80;
const INTERVAL = 80; // ms

/** Columns to write in: one less than there are, as a line that fills the last one wraps on some terminals. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return (stream.columns || USUAL_COLUMNS) - 1;
}

/** A line at the foot of a terminal that is drawn over and over; nothing where stderr is not a terminal. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  #drawn = false;
  #last = 0;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** Whether there is someone to see it move. */
  get animated(): boolean {
    return this.#stream.isTTY === true;
  }

  /** `share` is from 0 to 1, or null where the end is not known. */
  update(title: string, share: number | null, details = ''): void {
    const now = performance.now();
    if (!this.animated || now - this.#last < INTERVAL) return;
    this.#last = now;
    const bar = share === null ? '' : `${drawBar(share)} `;
    this.#stream.write(`\r\x1b[K${cutEnd(`${title} ${bar}${details}`, columnsOf(this.#stream))}`);
    this.#drawn = true;
  }

  /** Takes the line away before something else is written. */
  clear(): void {
    if (!this.#drawn) return;
    this.#stream.write('\r\x1b[K');
    this.#drawn = false;
    this.#last = 0;
  }
}

/** dB below full scale that a meter begins at. */
const METER_FROM = -60;

/** A level in dB below full scale, drawn. */
export function meter(level: number): string {
  const full = Math.round(Math.min(1, Math.max(0, 1 - level / METER_FROM)) * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${level.toFixed(0)} dB`;
}

function drawBar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)}${percent}`;
}
