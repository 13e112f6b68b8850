import { relative } from 'node:path';
import { percent as percentOf } from '../support/text.js';

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

/** `0:03.4`: a time in a stream, to the tenth of a second. */
export function clock(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  return `${duration(Math.floor(tenths / 10))}.${tenths % 10}`;
}

/** `1 fold`, `3 folds` */
export function counted(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${n} ${what}s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function firingText(rates: readonly number[]): string {
  return rates.map((rate) => rate.toFixed(3)).join(' ');
}

/** Rows of cells in aligned columns: the first `left` of them to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[], left = 1): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, k) =>
    Math.max(...rows.map((row) => width(row[k] ?? ''))),
  );
  const align = (cell: string, k: number) => {
    const space = ' '.repeat(widths[k]! - width(cell));
    return k < left ? cell + space : space + cell;
  };
  return rows.map((row) => row.map(align).join('  ').trimEnd()).join('\n');
}

/** Characters as people count them; that of East Asian letters is the terminal's affair. */
function width(text: string): number {
  return Array.from(text).length;
}

/** A path as short as it can be said from here. */
export function shortPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short !== '' && short.length < file.length ? short : file;
}
