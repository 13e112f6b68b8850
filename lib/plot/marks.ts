import { pngDataUri } from './bitmap.js';
import type { Area } from './figure.js';
import type { Scale } from './scale.js';
import { element, short } from './svg.js';

/** Values by row and column, row 0 at the bottom. */
export interface Grid {
  rows: number;
  columns: number;
  at(row: number, column: number): number;
}

/**
 * A grid of as few rows and columns as are allowed, whose values are means of blocks of another's: of as near the same
 * size as whole rows and columns can be, so that what is drawn stays where it was.
 */
export function pooled(grid: Grid, mostRows: number, mostColumns: number): Grid {
  const rows = Math.min(grid.rows, mostRows);
  const columns = Math.min(grid.columns, mostColumns);
  if (rows === grid.rows && columns === grid.columns) return grid;
  const sums = new Float64Array(rows * columns);
  const counts = new Uint32Array(rows * columns);
  for (let row = 0; row < grid.rows; row++) {
    const first = Math.floor((row * rows) / grid.rows) * columns;
    for (let column = 0; column < grid.columns; column++) {
      const cell = first + Math.floor((column * columns) / grid.columns);
      sums[cell]! += grid.at(row, column);
      counts[cell]!++;
    }
  }
  return {
    rows,
    columns,
    at: (row, column) => sums[row * columns + column]! / counts[row * columns + column]!,
  };
}

/** A grid as an image in viridis over the area; values beyond the domain get the colours of its ends. */
export function heatMap(grid: Grid, area: Area, [low, high]: readonly [number, number]): string {
  const { rows, columns } = grid;
  const pixels = new Uint8Array(rows * columns);
  const span = high - low || 1;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const share = (grid.at(row, column) - low) / span;
      pixels[(rows - 1 - row) * columns + column] = Math.round(255 * Math.min(1, Math.max(0, share)));
    }
  }
  // Where several values fall into a pixel of the screen, one of them alone would mislead.
  const sharp = columns <= area.width && rows <= area.height;
  return element('image', {
    ...area,
    preserveAspectRatio: 'none',
    class: sharp ? 'pixels' : undefined,
    href: pngDataUri(pixels, columns, rows),
  });
}

/** Spikes (values above 0) as one path, a dash for each run of them in a row. */
export function rasterPath(grid: Grid, area: Area, colour: string): string {
  const { rows, columns } = grid;
  const parts: string[] = [];
  for (let row = 0; row < rows; row++) {
    let end = -1; // of the run before in this row
    for (let column = 0; column < columns; column++) {
      if (!(grid.at(row, column) > 0)) continue;
      const start = column;
      while (column < columns && grid.at(row, column) > 0) column++;
      parts.push(`${end < 0 ? `M${start} ${row}` : `m${start - end} 0`}h${column - start}`);
      end = column;
    }
  }
  if (parts.length === 0) return '';
  const [sx, sy] = [area.width / columns, area.height / rows];
  return element('path', {
    class: `raster ${colour}`,
    // From steps and neurons to pixels; row 0 lies half a row above the lower edge.
    transform: `matrix(${precise(sx)} 0 0 ${precise(-sy)} ${short(area.x)} ${short(area.y + area.height - sy / 2)})`,
    // Rows that are lower than a pixel are drawn a pixel high, so that a single spike is seen.
    'stroke-width': precise(Math.max(0.9, 1 / sy)),
    d: parts.join(''),
  });
}

/** How many dashes `rasterPath` draws. */
export function countRuns({ rows, columns, at }: Grid): number {
  let runs = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (at(row, column) > 0 && !(column > 0 && at(row, column - 1) > 0)) runs++;
    }
  }
  return runs;
}

function precise(value: number): string {
  return String(Number(value.toPrecision(6)));
}

export interface LineOptions {
  width?: number;
  class?: string;
  opacity?: number;
}

/** A line through points, broken where a value is not finite. */
export function linePath(points: Iterable<readonly [number, number]>, options: LineOptions = {}): string {
  let d = '';
  let open = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      open = false;
      continue;
    }
    d += `${open ? 'L' : 'M'}${tenths(x)} ${tenths(y)}`;
    open = true;
  }
  if (d === '') return '';
  const { width = 1.5, class: name = 'ink', opacity } = options;
  return element('path', {
    class: `line ${name}`,
    'stroke-width': width,
    'stroke-opacity': opacity,
    // A single point is seen as a dot.
    'stroke-linecap': 'round',
    d: d.includes('L') ? d : `${d}h0`,
  });
}

function tenths(value: number): string {
  return short(Math.round(value * 10) / 10);
}

/**
 * The points of a line through evenly spaced values; of many, the least and the greatest of each stretch that is about
 * a pixel wide.
 */
export function* thinned(
  values: { length: number; at(i: number): number },
  x: (i: number) => number,
  y: Scale,
): Generator<[number, number]> {
  if (values.length === 0) return;
  const pixels = Math.abs(x(values.length - 1) - x(0));
  const size = Math.max(1, Math.floor(values.length / Math.max(1, pixels)));
  if (size < 3) {
    for (let i = 0; i < values.length; i++) yield [x(i), y(values.at(i))];
    return;
  }
  for (let first = 0; first < values.length; first += size) {
    const end = Math.min(values.length, first + size);
    let [low, high] = [first, first];
    for (let i = first; i < end; i++) {
      if (values.at(i) < values.at(low)) low = i;
      if (values.at(i) > values.at(high)) high = i;
    }
    for (const i of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
      yield [x(i), y(values.at(i))];
    }
  }
}

/** A waveform as one upright dash for each pixel, from the least to the greatest of its samples. */
export function envelope(
  samples: ArrayLike<number>,
  [first, end]: readonly [number, number],
  x: (sample: number) => number,
  y: Scale,
): string {
  const [left, right] = [Math.round(x(first)), Math.max(Math.round(x(first)) + 1, Math.round(x(end)))];
  const d: string[] = [];
  const perPixel = (end - first) / (right - left);
  for (let pixel = left; pixel < right; pixel++) {
    const from = Math.floor(first + (pixel - left) * perPixel);
    const to = Math.max(from + 1, Math.floor(first + (pixel + 1 - left) * perPixel));
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    // One beyond, so that neighbours meet.
    for (let i = from; i <= to && i < end; i++) {
      low = Math.min(low, samples[i]!);
      high = Math.max(high, samples[i]!);
    }
    if (!(low <= high)) continue;
    const [upper, lower] = [y(high), y(low)];
    d.push(`M${pixel}.5 ${tenths(upper - 0.5)}V${tenths(lower + 0.5)}`);
  }
  return d.length === 0 ? '' : element('path', { class: 'line blue', d: d.join('') });
}
