import { type Grid, heatMap, pooled } from './marks.js';
import type { Axis, Panel } from './panels.js';
import { text, threeDigits } from './svg.js';

export interface HeatOptions {
  title: string;
  note?: string;
  height: number;
  y: Axis;
  /** Values of the darkest and the lightest colour; left out: 0 and the greatest that is shown. */
  colours?: readonly [number, number];
  /** How the ends of the colour bar are called; left out: by their numbers. */
  ends?: readonly [string, string];
  /** Of the columns, in the unit of the shared axis. */
  span: readonly [number, number];
}

/** Cells of a heat map; more than these cannot be told apart, and would make the file large. */
const MOST_ROWS = 160;
const MOST_COLUMNS = 820;

/** A grid of numbers as colours, with a bar that says what they mean. */
export function heatPanel(grid: Grid, options: HeatOptions): Panel {
  const { title, note, height, y, span } = options;
  const shown = pooled(grid, MOST_ROWS, MOST_COLUMNS);
  const colours = options.colours ?? [0, greatest(shown)];
  const [low, high] = options.ends ?? [threeDigits(colours[0]), threeDigits(colours[1])];
  const thin = thinning(grid, shown);
  const notes = [note, thin].filter((each) => each !== undefined);
  return {
    title,
    ...(notes.length === 0 ? {} : { note: notes.join(' · ') }),
    height,
    y,
    draw({ area, x }) {
      const [from, to] = [x(span[0]), x(span[1])];
      return heatMap(shown, { ...area, x: from, width: to - from }, colours);
    },
    aside({ area }, margin) {
      const steps = 64;
      const ramp = { rows: steps, columns: 1, at: (row: number) => row / (steps - 1) };
      const bar = { x: margin.x, y: area.y, width: 10, height: area.height };
      return (
        heatMap(ramp, bar, [0, 1]) +
        text(margin.x + 15, area.y + 9, high, { class: 'muted' }) +
        text(margin.x + 15, area.y + area.height - 1, low, { class: 'muted' })
      );
    },
  };
}

/** Says so where a cell of a picture stands for several values. */
function thinning(grid: Grid, shown: Grid): string | undefined {
  const [high, wide] = [grid.rows / shown.rows, grid.columns / shown.columns];
  if (high === 1 && wide === 1) return undefined;
  const about = (count: number) => String(Number(count.toFixed(1)));
  const of = [...(high > 1 ? [`${about(high)} rows`] : []), ...(wide > 1 ? [`${about(wide)} steps`] : [])];
  return `thinned: a dot is the mean of ${of.join(' × ')}`;
}

/** 1 where nothing is greater than 0, so that there is a scale. */
function greatest({ rows, columns, at }: Grid): number {
  let most = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) most = Math.max(most, at(row, column));
  }
  return most || 1;
}
