import { extent, padded, ticks } from '../../plot/scale.js';
import type { Shown } from './shown.js';

/** Pixels to the left of every plot, for its axis. The style sheet has the same. */
export const GUTTER = 46;
const FONT = '11px system-ui, sans-serif';

/** Colours of the page as it is now, light or dark. */
export interface Theme {
  ink: string;
  muted: string;
  line: string;
  spike: string;
  accent: string;
  dark: boolean;
}

export function currentTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour('ink'),
    muted: colour('muted'),
    line: colour('line'),
    spike: colour('spike'),
    accent: colour('accent'),
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
  };
}

/** A canvas in pixels of the style sheet, whatever the screen has; the plot begins right of the gutter. */
export interface Surface {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** Of the plot alone. */
  plotWidth: number;
  /** Pixels of the screen for one of these. */
  scale: number;
}

/** Clears a canvas and brings it to the size that it has on the page. null where it cannot be seen. */
export function surfaceOf(canvas: HTMLCanvasElement, gutter = GUTTER): Surface | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (context === null || width <= gutter || height === 0) return null;
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.scale(scale, scale);
  context.font = FONT;
  context.lineJoin = 'round';
  return { context, width, height, plotWidth: width - gutter, scale };
}

/** A tick of a vertical axis: where it is from the bottom, 0 to 1, and what stands there. */
export interface Tick {
  at: number;
  text: string;
}

/** The vertical axis: a line, and ticks with their texts in the gutter. */
export function drawAxis({ context, height }: Surface, ticks: readonly Tick[], theme: Theme): void {
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(GUTTER - 0.5, 0);
  context.lineTo(GUTTER - 0.5, height);
  for (const { at } of ticks) {
    const y = Math.round((1 - at) * (height - 1)) + 0.5;
    context.moveTo(GUTTER - 4, y);
    context.lineTo(GUTTER, y);
  }
  context.stroke();
  context.fillStyle = theme.muted;
  context.textAlign = 'right';
  for (const { at, text } of ticks) {
    context.textBaseline = at > 0.9 ? 'top' : at < 0.1 ? 'bottom' : 'middle';
    context.fillText(text, GUTTER - 7, (1 - at) * height, GUTTER - 8);
  }
}

/** The axis of time below all plots, in seconds. */
export function drawTimeAxis({ context, plotWidth }: Surface, seconds: number, theme: Theme): void {
  const found = ticks([0, seconds], plotWidth / 70);
  context.strokeStyle = theme.line;
  context.fillStyle = theme.muted;
  context.textBaseline = 'top';
  context.beginPath();
  context.moveTo(GUTTER, 0.5);
  context.lineTo(GUTTER + plotWidth, 0.5);
  for (const [k, { value, label }] of found.entries()) {
    const x = GUTTER + Math.round((value * plotWidth) / seconds) - 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, 4);
    context.textAlign = k === 0 ? 'left' : x > GUTTER + plotWidth - 20 ? 'right' : 'center';
    context.fillText(k === found.length - 1 ? `${label} s` : label, x, 6);
  }
  context.stroke();
}

/** Highest and lowest sample of every pixel. */
export function drawWave(
  surface: Surface,
  { samples, sampleRate, offset, steps, step }: Shown,
  theme: Theme,
) {
  const { context, plotWidth, height } = surface;
  const peak = Math.max(1e-3, loudest(samples));
  const perPixel = (steps * step * sampleRate) / plotWidth;
  const y = (value: number) => (0.5 - (0.48 * value) / peak) * height;
  context.fillStyle = theme.ink;
  for (let x = 0; x < plotWidth; x++) {
    const from = Math.floor(x * perPixel - offset * sampleRate);
    const to = Math.min(samples.length, Math.max(from + 1, from + Math.ceil(perPixel)));
    if (from < 0 || from >= samples.length) continue;
    let [low, high] = [samples[from]!, samples[from]!];
    for (let i = from + 1; i < to; i++) {
      if (samples[i]! < low) low = samples[i]!;
      else if (samples[i]! > high) high = samples[i]!;
    }
    context.fillRect(GUTTER + x, y(high), 1, Math.max(1, y(low) - y(high)));
  }
  drawAxis(
    surface,
    [
      { at: 0.98, text: peak.toPrecision(2) },
      { at: 0.5, text: '0' },
    ],
    theme,
  );
}

function loudest(samples: Float32Array): number {
  let most = 0;
  for (const value of samples) most = Math.max(most, Math.abs(value));
  return most;
}

/** A map of values from 0 to 1, [columns, rows], the first row at the bottom. */
export function drawMap(
  surface: Surface,
  values: ArrayLike<number>,
  columns: number,
  rows: number,
  colour: (value: number) => readonly [red: number, green: number, blue: number, alpha: number],
): void {
  const image = new ImageData(columns, rows);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      image.data.set(colour(values[column * rows + row]!), 4 * ((rows - 1 - row) * columns + column));
    }
  }
  const picture = new OffscreenCanvas(columns, rows);
  picture.getContext('2d')!.putImageData(image, 0, 0);
  surface.context.imageSmoothingEnabled = false;
  surface.context.drawImage(picture, GUTTER, 0, surface.plotWidth, surface.height);
}

/**
 * Spikes [steps, neurons], the first neuron at the bottom. Where neurons share a pixel, it shows how many of them
 * spike; the square root keeps a single one in sight.
 */
export function drawRaster(
  surface: Surface,
  spikes: ArrayLike<number>,
  steps: number,
  neurons: number,
  theme: Theme,
): void {
  const { context, plotWidth, height, scale } = surface;
  const rows = Math.min(neurons, Math.round(height * scale));
  const columns = Math.min(steps, Math.round(plotWidth * scale));
  const sums = new Float32Array(columns * rows);
  const counts = new Uint32Array(columns * rows);
  for (let step = 0; step < steps; step++) {
    const column = Math.floor((step * columns) / steps) * rows;
    for (let neuron = 0; neuron < neurons; neuron++) {
      const at = column + Math.floor((neuron * rows) / neurons);
      sums[at]! += spikes[step * neurons + neuron]!;
      counts[at]!++;
    }
  }
  const density = sums.map((sum, i) => Math.sqrt(Math.max(0, Math.min(1, sum / counts[i]!))));
  const [red, green, blue] = rgb(theme.spike);
  drawMap(surface, density, columns, rows, (value) => [red, green, blue, 255 * value]);
  // Gaps between the steps, where there is room for them.
  const cell = plotWidth / columns;
  if (cell >= 5) for (let k = 1; k < columns; k++) context.clearRect(GUTTER + k * cell - 0.5, 0, 1, height);
}

/** A line through the values of each step, `count` of them from `first` on by `stride`. */
export function drawLine(
  { context, plotWidth, height }: Surface,
  values: ArrayLike<number>,
  { first, stride, count }: { first: number; stride: number; count: number },
  [low, high]: readonly [number, number],
): void {
  context.beginPath();
  for (let step = 0; step < count; step++) {
    const x = GUTTER + ((step + 0.5) / count) * plotWidth;
    const y = (1 - (values[first + step * stride]! - low) / (high - low)) * height;
    context.lineTo(x, y);
  }
  context.stroke();
}

/** What a vertical axis must span for these values. */
export function rangeOf(values: Iterable<number>): [number, number] {
  return padded(extent(values), 0.06);
}

/** Ticks at round values within a range. */
export function valueTicks([low, high]: readonly [number, number], about = 3): Tick[] {
  return ticks([low, high], about).map(({ value, label }) => ({
    at: (value - low) / (high - low),
    text: label,
  }));
}

/** `#0072b2` */
export function rgb(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
