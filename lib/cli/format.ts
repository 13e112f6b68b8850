import { relative } from 'node:path';
import { percent as percentOf } from '../support/text.js';
import { printable, textWidth } from './text-width.js';

/** A share as text; null: `-`. */
export function percent(share: number | null): string {
  return share === null ? '-' : percentOf(share);
}

/** An accuracy with its 95% interval and the number of clips. */
export function accuracyText(of: { accuracy: number; interval: [number, number]; clips: number }): string {
  const [low, high] = of.interval;
  return `${percent(of.accuracy)} (95% interval ${percent(low)} to ${percent(high)}, ${of.clips} clips)`;
}

/** `0:07`, `12:30`, `2:05:00` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** A time as people say it: `12 seconds`, `4 minutes`, `2.5 hours`. */
export function aboutTime(seconds: number): string {
  if (seconds < 90) return counted(Math.max(1, Math.round(seconds)), 'second');
  if (seconds < 90 * 60) return counted(Math.round(seconds / 60), 'minute');
  return `${(seconds / 3600).toFixed(1)} hours`;
}

/** `1 fold`, `3 folds` */
export function counted(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${n} ${what}s`;
}

/** `0:03.4`: a time in a stream, to the tenth of a second. */
export function clock(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  return `${duration(Math.floor(tenths / 10))}.${tenths % 10}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function firingText(rates: readonly number[]): string {
  return rates.map((rate) => rate.toFixed(3)).join(' ');
}

/** Rows of cells in aligned columns: the first `left` of them to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[], left = 1): string {
  const cells = rows.map((row) => row.map(printable));
  const columns = Math.max(...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, k) =>
    Math.max(...cells.map((row) => textWidth(row[k] ?? ''))),
  );
  const align = (cell: string, k: number) =>
    k < left ? padTo(cell, widths[k]!) : ' '.repeat(widths[k]! - textWidth(cell)) + cell;
  return cells.map((row) => row.map(align).join('  ').trimEnd()).join('\n');
}

/** A text with spaces behind it, up to a number of columns. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** A path as short as it can be said from here. */
export function shortPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short !== '' && short.length < file.length ? short : file;
}
