import { FONT, styleSheet } from './style.js';
import { element, escapeXml, short, text, wrapText } from './svg.js';

/** Pixels. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A part of a figure, as wide as the figure was said to be when it was made. */
export interface Block {
  height: number;
  /** The block with its upper edge at `top`. */
  draw(top: number): string;
}

/** What every picture takes. */
export interface FigureOptions {
  /** Width in pixels, from 320 to 10,000 (default: 960). */
  width?: number;
  /** Text above the figure. */
  title?: string;
}

export const DEFAULT_WIDTH = 960;
const LEAST_WIDTH = 320;
const BETWEEN = 14;
const LINE = 21;
/** Between the edge of a figure and what is in it. */
export const EDGE = 12;

/** The width that was asked for, within what a figure can be. */
export function figureWidth(width: number | undefined): number {
  const asked = width ?? DEFAULT_WIDTH;
  return Math.max(LEAST_WIDTH, Number.isFinite(asked) ? Math.round(asked) : DEFAULT_WIDTH);
}

/**
 * Blocks below each other as an SVG document, dark or light as the reader's system is.
 * @param description what is to be seen, for those who cannot see it
 */
export function figure(
  blocks: readonly Block[],
  { width, title, description }: { width: number; title: string; description: string },
): string {
  const lines = wrapText(title, FONT.title * 1.12, width - 2 * EDGE);
  const heading = lines
    .map((line, i) => text(EDGE, EDGE + FONT.title + i * LINE, line, { class: 'title' }))
    .join('');
  let top = EDGE + FONT.title + (lines.length - 1) * LINE + 4;
  const drawn: string[] = [];
  for (const block of blocks) {
    top += BETWEEN;
    drawn.push(block.draw(top));
    top += block.height;
  }
  const height = Math.ceil(top + EDGE);
  const contents =
    `<title>${escapeXml(title)}</title><desc>${escapeXml(description)}</desc>` +
    `<style>${styleSheet()}</style>` +
    element('rect', { class: 'paper', width, height }) +
    heading +
    drawn.join('');
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="sonospike" role="img" ${size}>${contents}</svg>\n`;
}

/** Left and right of the plot areas: what stands beside the axes needs about as much. */
export function margins(width: number): { left: number; right: number } {
  return width < 600 ? { left: 60, right: 64 } : { left: 66, right: 104 };
}

/** A group of elements that says what it is when the pointer rests on it. */
export function named(name: string, contents: string): string {
  return element('g', {}, `<title>${escapeXml(name)}</title>${contents}`);
}

/** A rectangle of one of the colours. */
export function bar(area: Area, colour: string, opacity = 1): string {
  return element('rect', {
    ...area,
    class: colour,
    fill: 'currentColor',
    'fill-opacity': opacity === 1 ? undefined : short(opacity),
  });
}
