import { type Area, type Block, bar, margins, named } from './figure.js';
import { type Axis, heading, headingHeight, xAxis } from './panels.js';
import { linearScale, type Scale } from './scale.js';
import { FONT } from './style.js';
import { fitText, line, text, textWidth } from './svg.js';

/** A row of a chart whose rows have names. */
export interface Row {
  label: string;
  /** In words, beside what is drawn. */
  value: string;
  strong?: boolean;
  /** Draws within the row, and tells where the value is to stand; left out: in the margin on the right. */
  draw(area: Area, x: Scale): { drawn: string; end?: number };
}

export interface RowOptions {
  title: string;
  note?: string;
  /** Of the values. */
  x: Axis;
  /** A value that is marked in all rows. */
  rule?: number;
  width: number;
}

const ROW = 17;
const AXIS = 34;
/** Of the whole width, for the names at most. */
const NAMES = 0.28;

/** Rows with a name on the left, all on one scale. */
export function rowChart(rows: readonly Row[], { title, note, x: axis, rule, width }: RowOptions): Block {
  const { left: least, right: usual } = margins(width);
  const widest = (of: 'label' | 'value') =>
    Math.max(0, ...rows.map((row) => textWidth(row[of], FONT.body) * 1.12));
  const left = Math.max(least, Math.min(widest('label') + 14, width * NAMES));
  const right = Math.max(usual, widest('value') + 14);
  const head = note === undefined ? { title } : { title, note };
  const above = headingHeight(head, width) + 5;
  return {
    height: above + rows.length * ROW + AXIS,
    draw(top) {
      const area = { x: left, y: top + above, width: width - left - right, height: rows.length * ROW };
      const x = linearScale(axis.domain, [area.x, area.x + area.width]);
      const rules = axis.ticks.map(({ value }) =>
        line(x(value), area.y, x(value), area.y + area.height, 'grid'),
      );
      const drawn = rows.map((row, i) => drawRow(row, { ...area, y: area.y + i * ROW, height: ROW }, x));
      return (
        heading(head, top, width) +
        rules.join('') +
        (rule === undefined
          ? ''
          : line(x(rule), area.y, x(rule), area.y + area.height, 'line dashed faint')) +
        drawn.join('') +
        line(area.x, area.y, area.x, area.y + area.height, 'axis') +
        xAxis(axis, area)
      );
    },
  };
}

function drawRow({ label, value, strong, draw }: Row, area: Area, x: Scale): string {
  const base = area.y + ROW / 2 + 3.8;
  const shown = fitText(label, FONT.body * 1.12, area.x - 14);
  const { drawn, end = area.x + area.width + 8 } = draw(area, x);
  return named(
    `${label}: ${value}`,
    text(area.x - 7, base, shown, { anchor: 'end', ...(strong ? { class: 'strong' } : {}) }) +
      drawn +
      text(end, base, value, { class: strong ? 'strong' : 'muted' }),
  );
}

/** A bar from zero. */
export function barMark(value: number, colour: string): Row['draw'] {
  return (area, x) => {
    const [from, to] = [x(Math.max(0, x.domain[0])), x(value)];
    const rect = {
      x: Math.min(from, to),
      y: area.y + 3,
      width: Math.abs(to - from),
      height: area.height - 6,
    };
    return { drawn: rect.width > 0 ? bar(rect, colour) : '', end: Math.max(from, to) + 6 };
  };
}

/** A dot with the interval that it lies in, and smaller dots for what it is the mean of. */
export function dotMark(
  value: number,
  [low, high]: readonly [number, number],
  colour: string,
  parts: readonly number[] = [],
): Row['draw'] {
  return (area, x) => {
    const y = area.y + area.height / 2;
    const circle = (at: number, radius: number, opacity: number) =>
      `<circle class="${colour}" cx="${round(x(at))}" cy="${y}" r="${radius}" fill="currentColor" fill-opacity="${opacity}"/>`;
    const drawn =
      `<path class="line ${colour}" stroke-width="1.5" d="M${round(x(low))} ${y}H${round(x(high))}"/>` +
      parts.map((part) => circle(part, 2.2, 0.6)).join('') +
      circle(value, 4, 1);
    return { drawn };
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
