import { type Area, type Block, EDGE, margins, named } from './figure.js';
import { linearScale, type Scale, type Tick } from './scale.js';
import { FONT } from './style.js';
import { element, escapeXml, fitText, line, text, textWidth, wrapText } from './svg.js';

export interface Axis {
  domain: readonly [number, number];
  ticks: readonly Tick[];
  /** What is measured, with its unit. */
  label: string;
}

/** Where a panel draws. */
export interface Frame {
  area: Area;
  x: Scale;
  y: Scale;
}

/** One of several plots that share an axis. */
export interface Panel {
  title: string;
  /** After the title, or below it where there is no room: figures that are best read as such. */
  note?: string;
  /** Of the plot area, pixels. */
  height: number;
  y: Axis;
  /** Whether lines across mark the ticks of y. */
  ruled?: boolean;
  /** What is seen, above the lines of the grid. */
  draw(frame: Frame): string;
  /** In the margin on the right, which begins at `x`. */
  aside?(frame: Frame, margin: { x: number; width: number }): string;
}

/** Size that is as wide as the bold one of headings. */
const BOLD = FONT.heading * 1.12;
const GAP = 10;
const HEADING = 19;
const NOTE = 15;
const BETWEEN = 12;
const AXIS = 34;

/** Panels below each other, with one axis below the last. */
export function panelStack(panels: readonly Panel[], x: Axis, width: number): Block {
  const { left, right } = margins(width);
  const inner = width - left - right;
  const heads = panels.map((panel) => headingHeight(panel, width));
  const height =
    panels.reduce((sum, panel, i) => sum + heads[i]! + panel.height, 0) +
    BETWEEN * (panels.length - 1) +
    AXIS;
  return {
    height,
    draw(top) {
      let at = top;
      const drawn = panels.map((panel, i) => {
        const area = { x: left, y: at + heads[i]!, width: inner, height: panel.height };
        const out = heading(panel, at, width) + drawPanel(panel, x, area, right);
        at += heads[i]! + panel.height + BETWEEN;
        return named(panel.note === undefined ? panel.title : `${panel.title}: ${panel.note}`, out);
      });
      return drawn.join('') + xAxis(x, { x: left, y: top, width: inner, height: height - AXIS });
    },
  };
}

type Titled = Pick<Panel, 'title' | 'note'>;

/** Where a heading begins, and how wide it may be: on a narrow figure all the width is needed. */
function headingSpan(width: number): { x: number; width: number } {
  const x = width < 600 ? EDGE : margins(width).left;
  return { x, width: width - x - EDGE };
}

/** The lines of a note that has no room after the title. */
function noteLines({ title, note }: Titled, width: number): string[] {
  if (note === undefined) return [];
  const beside = textWidth(title, BOLD) + GAP + textWidth(note, FONT.body) <= width;
  return beside ? [] : wrapText(note, FONT.body, width);
}

/** Of a title with its note, on a figure of that width. */
export function headingHeight(of: Titled, width: number): number {
  return HEADING + NOTE * noteLines(of, headingSpan(width).width).length;
}

/** A title and, where there is room, the note after it; else below. */
export function heading(of: Titled, top: number, figureWidth: number): string {
  const { title, note } = of;
  const { x, width } = headingSpan(figureWidth);
  const below = noteLines(of, width);
  // In the same line of text, as only who draws it knows how wide the title is.
  const beside =
    note === undefined || below.length > 0
      ? ''
      : element('tspan', { class: 'note', dx: GAP }, escapeXml(note));
  const head = element(
    'text',
    { x, y: top + 12, class: 'heading' },
    escapeXml(fitText(title, BOLD, width)) + beside,
  );
  return head + below.map((each, i) => text(x, top + 12 + (i + 1) * NOTE, each, { class: 'muted' })).join('');
}

function drawPanel(panel: Panel, xOf: Axis, area: Area, right: number): string {
  const x = linearScale(xOf.domain, [area.x, area.x + area.width]);
  const y = linearScale(panel.y.domain, [area.y + area.height, area.y]);
  const rules = [
    ...xOf.ticks.map(({ value }) => line(x(value), area.y, x(value), area.y + area.height, 'grid')),
    ...(panel.ruled
      ? panel.y.ticks.map(({ value }) => line(area.x, y(value), area.x + area.width, y(value), 'grid'))
      : []),
  ];
  const frame = { area, x, y };
  const aside = panel.aside?.(frame, { x: area.x + area.width + 8, width: right - 12 }) ?? '';
  return rules.join('') + panel.draw(frame) + border(area) + yAxis(panel.y, area, y) + aside;
}

function border({ x, y, width, height }: Area): string {
  return line(x, y, x, y + height, 'axis') + line(x, y + height, x + width, y + height, 'axis');
}

/** Ticks and label to the left of an area. */
function yAxis(axis: Axis, area: Area, y: Scale): string {
  const spaced = apart(axis.ticks, y, FONT.body + 1);
  const labels = spaced.map(({ value, label }) => {
    // At the ends the labels stay within the area, so that those of panels below each other do not meet.
    const middle = Math.min(area.y + area.height - 3.5, Math.max(area.y + 4, y(value)));
    return (
      line(area.x - 4, y(value), area.x, y(value), 'axis') +
      text(area.x - 7, middle + 3.8, label, { anchor: 'end', class: 'muted' })
    );
  });
  const middle = area.y + area.height / 2;
  const size = textWidth(axis.label, FONT.body);
  const label = size <= area.height + 24 ? axis.label : fitText(axis.label, FONT.body, area.height + 24);
  return labels.join('') + text(11, middle, label, { anchor: 'middle', rotate: -90, class: 'muted' });
}

/** Ticks and label below an area. */
export function xAxis(axis: Axis, area: Area): string {
  const x = linearScale(axis.domain, [area.x, area.x + area.width]);
  const bottom = area.y + area.height;
  const labels = apart(
    axis.ticks,
    x,
    8 + Math.max(0, ...axis.ticks.map(({ label }) => textWidth(label, FONT.body))),
  ).map(
    ({ value, label }) =>
      line(x(value), bottom, x(value), bottom + 4, 'axis') +
      text(x(value), bottom + 15, label, { anchor: 'middle', class: 'muted' }),
  );
  return (
    labels.join('') +
    text(area.x + area.width / 2, bottom + 30, axis.label, { anchor: 'middle', class: 'muted' })
  );
}

/** Ticks that leave at least so many pixels between them. */
function apart(all: readonly Tick[], scale: Scale, pixels: number): Tick[] {
  const kept: Tick[] = [];
  for (const tick of all) {
    const last = kept.at(-1);
    if (last === undefined || Math.abs(scale(tick.value) - scale(last.value)) >= pixels) kept.push(tick);
  }
  return kept;
}

export interface EndLabel {
  label: string;
  /** Where it would stand best. */
  y: number;
  class: string;
}

/** Labels at the ends of lines, moved apart where they would meet, as little as can be. */
export function endLabels(
  labels: readonly EndLabel[],
  area: Area,
  margin: { x: number; width: number },
): string {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  const places = moveApart(
    sorted.map(({ y }) => y),
    FONT.body + 2,
    [area.y + 4, area.y + area.height - 6],
  );
  return sorted
    .map(({ label, class: name }, i) =>
      text(margin.x, places[i]! + 3.8, fitText(label, FONT.body * 1.12, margin.width), { class: name }),
    )
    .join('');
}

/**
 * Places near those wanted, which are in order, with `height` between them: the least squares, by pooling neighbours
 * that would meet. Where all have room they lie within the range, else they go beyond its end.
 */
export function moveApart(
  wanted: readonly number[],
  height: number,
  [least, most]: readonly [number, number],
): number[] {
  const pools: { first: number; mean: number; count: number }[] = [];
  for (const [i, place] of wanted.entries()) {
    let pool = { first: i, mean: place - i * height, count: 1 };
    for (let above = pools.at(-1); above !== undefined && above.mean > pool.mean; above = pools.at(-1)) {
      pools.pop();
      const count = above.count + pool.count;
      pool = { first: above.first, mean: (above.mean * above.count + pool.mean * pool.count) / count, count };
    }
    pools.push(pool);
  }
  const last = most - (wanted.length - 1) * height;
  return pools.flatMap(({ first, mean, count }) =>
    Array.from({ length: count }, (_, k) => Math.max(least, Math.min(last, mean)) + (first + k) * height),
  );
}

/** What colours mean, in a row: swatches with their names, as far as there is room. */
export function legend(
  entries: readonly { label: string; class: string }[],
  x: number,
  y: number,
  width: number,
): string {
  let at = x;
  let out = '';
  for (const { label, class: name } of entries) {
    const wide = 20 + textWidth(label, FONT.body) + 14;
    if (at + wide > x + width && at > x) break;
    out += `<path class="line ${name}" stroke-width="3" d="M${at} ${y - 4}h14"/>${text(at + 19, y, label)}`;
    at += wide;
  }
  return out;
}
