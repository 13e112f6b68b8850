import type { EpochMetrics, Score } from '../training/epoch.js';
import { type Colour, seriesColour } from './colours.js';
import { type FigureOptions, figure, figureWidth } from './figure.js';
import { linePath, thinned } from './marks.js';
import { endLabels, type Panel, panelStack } from './panels.js';
import { extent, padded, type Scale, ticks, wholeTicks } from './scale.js';
import { line, short } from './svg.js';

/** What a plot needs of an epoch: a checkpoint has no more. */
export type PlottedEpoch = Omit<EpochMetrics, 'clipsPerSecond' | 'secondsLeft'>;

/** Epochs up to which each has a dot. */
const DOTTED = 60;

interface Series {
  label: string;
  colour: Colour;
  /** NaN where there is none. */
  values: number[];
}

/**
 * Draws the course of a training as an SVG document: loss and accuracy of the training clips, and of validation and
 * test where they were measured, and the firing rates of the layers, with a line at the epoch that is kept.
 */
export function plotTraining(epochs: readonly PlottedEpoch[], options: FigureOptions = {}): string {
  const { title = 'Training' } = options;
  const width = figureWidth(options.width);
  const planned = epochs.at(-1)?.epochs ?? 1;
  const kept = epochs.findLast(({ best }) => best);
  const of = (pick: (score: Score) => number) => scores(epochs, pick);
  const panels = [
    curves(
      epochs,
      of(({ loss }) => loss),
      {
        title: 'Loss',
        label: 'loss',
        text: (value) => value.toFixed(3),
      },
    ),
    curves(
      epochs,
      of(({ accuracy }) => 100 * accuracy),
      {
        title: 'Accuracy',
        label: 'clips right (%)',
        text: (value) => `${value.toFixed(1)}%`,
      },
    ),
    curves(epochs, firing(epochs), {
      title: 'Firing rates',
      label: 'neurons that fire (%)',
      text: (value) => `${value.toFixed(1)}%`,
    }),
  ].map((panel) => (kept === undefined ? panel : marked(panel, kept.epoch)));
  const domain = planned > 1 ? ([1, planned] as const) : ([0.5, 1.5] as const);
  const x = { domain, ticks: wholeTicks(domain, width < 600 ? 6 : 12), label: 'epoch' };
  const heading = `${title}: ${progress(epochs, planned, kept)}`;
  return figure([panelStack(panels, x, width)], { width, title: heading, description: `${heading}.` });
}

function progress(epochs: readonly PlottedEpoch[], planned: number, kept: PlottedEpoch | undefined): string {
  if (kept === undefined) return 'no epoch yet';
  const { validation, epoch } = kept;
  const accuracy = validation === null ? '' : `, validation ${(100 * validation.accuracy).toFixed(1)}%`;
  return `${epochs.length} of ${planned} epochs, that of epoch ${epoch} kept (dashed)${accuracy}`;
}

function scores(epochs: readonly PlottedEpoch[], pick: (score: Score) => number): Series[] {
  const parts = [
    { label: 'training', colour: 'blue', of: (epoch: PlottedEpoch) => epoch.train },
    { label: 'validation', colour: 'vermilion', of: (epoch: PlottedEpoch) => epoch.validation },
    { label: 'test', colour: 'green', of: (epoch: PlottedEpoch) => epoch.test },
  ] as const;
  return parts.flatMap(({ label, colour, of }) => {
    const values = epochs.map((epoch) => {
      const score = of(epoch);
      return score ? pick(score) : Number.NaN;
    });
    return values.every(Number.isNaN) ? [] : [{ label, colour, values }];
  });
}

function firing(epochs: readonly PlottedEpoch[]): Series[] {
  const layers = epochs[0]?.firingRates.length ?? 0;
  return Array.from({ length: layers }, (_, k) => ({
    label: `layer ${k + 1}`,
    colour: seriesColour(k),
    values: epochs.map(({ firingRates }) => 100 * firingRates[k]!),
  }));
}

function curves(
  epochs: readonly PlottedEpoch[],
  series: readonly Series[],
  { title, label, text }: { title: string; label: string; text: (value: number) => string },
): Panel {
  const range = padded(extent(series.flatMap(({ values }) => values)));
  const domain = [Math.max(0, range[0]), range[1]] as const;
  const latest = series.map(({ label: name, colour, values }) => ({
    name,
    colour,
    value: values.findLast((value) => !Number.isNaN(value))!,
  }));
  return {
    title,
    note: latest.map(({ name, value }) => `${name}: ${text(value)}`).join(' · '),
    height: 170,
    y: { domain, ticks: ticks(domain, 5), label },
    ruled: true,
    draw: ({ x, y }) =>
      series
        .map(({ values, colour }) => {
          const at = { length: values.length, at: (i: number) => values[i]! };
          const points = [...thinned(at, (i) => x(epochs[i]!.epoch), y)];
          return (
            linePath(points, { class: colour, width: 1.8 }) +
            (epochs.length <= DOTTED ? dots(points, colour) : '')
          );
        })
        .join(''),
    aside({ area, x, y }, margin) {
      const end = x(epochs.at(-1)?.epoch ?? x.domain[1]) + 8;
      const ends = latest.map(({ name, colour, value }) => ({
        label: name,
        y: y(value),
        class: `coloured ${colour}`,
      }));
      return endLabels(ends, area, { x: end, width: margin.width });
    },
  };
}

function dots(points: readonly (readonly [number, number])[], colour: Colour): string {
  const drawn = points
    .filter(([, y]) => Number.isFinite(y))
    .map(([x, y]) => `<circle cx="${short(x)}" cy="${short(y)}" r="2.2"/>`);
  return `<g class="${colour}" fill="currentColor">${drawn.join('')}</g>`;
}

/** With an upright line at the epoch that is kept. */
function marked(panel: Panel, epoch: number): Panel {
  const at = (x: Scale, top: number, bottom: number) =>
    line(x(epoch), top, x(epoch), bottom, 'line dashed faint');
  return {
    ...panel,
    draw: (frame) => at(frame.x, frame.area.y, frame.area.y + frame.area.height) + panel.draw(frame),
  };
}
