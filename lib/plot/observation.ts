import type { ModelSettings } from '../settings/settings.js';
import { percent } from '../support/text.js';
import { barMark, type Row, rowChart } from './bars.js';
import { type Block, type FigureOptions, figure, figureWidth } from './figure.js';
import { featuresPanel, inputPanel, layerPanel, waveformPanel } from './network-panels.js';
import { panelStack } from './panels.js';
import { readoutPanel } from './readout-panel.js';
import { percentTicks, ticks } from './scale.js';
import { type PlottedObservation, type Timing, timingOf } from './timing.js';

/** What `plotObservation` takes beside the observation. */
export interface ObservationPlotOptions extends FigureOptions {
  /** Settings of the model that observed. */
  settings: Readonly<ModelSettings>;
  /** The samples of the clip, for the waveform; together with `sampleRate`. */
  samples?: Float32Array | Int16Array;
  /** Rate of `samples` in Hz. */
  sampleRate?: number;
  /** The true label, where it is known. */
  truth?: string | null;
  /** Not drawn; here so that everything that `readAudio` gives can be passed on. */
  clipped?: boolean;
  /** Not drawn, as `clipped`. */
  remarks?: readonly string[];
}

/** Classes up to which each has a bar; of more the best. */
const MOST_BARS = 16;
const BEST = 12;

/**
 * Draws what `Model.observe` saw of a clip, as an SVG document: waveform, features, input, the spikes of every layer
 * and the potentials of the readout over time, and the softmax of the labels.
 */
export function plotObservation(observation: PlottedObservation, options: ObservationPlotOptions): string {
  const { settings, samples, sampleRate, title = 'Clip', truth } = options;
  const width = figureWidth(options.width);
  const timing = timingOf(observation, settings);
  const panels = [
    ...(samples !== undefined && sampleRate !== undefined
      ? [waveformPanel({ samples, sampleRate }, timing)]
      : []),
    featuresPanel(observation, settings, timing),
    ...inputPanel(observation, settings, timing),
    ...observation.layers.map((_, k) => layerPanel(observation, settings, k, timing)),
    readoutPanel(observation, settings, timing),
  ];
  const blocks = [
    panelStack(panels, timeAxis(timing, width), width),
    softmaxChart(observation, settings, width),
  ];
  const heading = `${title}: ${answer(observation, truth)}`;
  return figure(blocks, { width, title: heading, description: describe(observation, settings, heading) });
}

function timeAxis({ from, to }: Timing, width: number) {
  return {
    domain: [from, to] as const,
    ticks: ticks([from, to], width < 600 ? 5 : 10),
    label: 'time in the clip (s)',
  };
}

function answer(
  { label, confidence, rejected }: PlottedObservation,
  truth: string | null | undefined,
): string {
  const sure = `confidence ${percent(confidence)}`;
  const said = rejected ? `rejected, at best ${label} (${sure})` : `${label} (${sure})`;
  if (truth === undefined || truth === null) return said;
  return `${said}, ${truth === label ? 'right' : `it is ${truth}`}`;
}

function describe(
  observation: PlottedObservation,
  settings: Readonly<ModelSettings>,
  heading: string,
): string {
  const rates = observation.firingRates.map((rate, k) => `layer ${k + 1}: ${rate.toFixed(3)}`).join(', ');
  return (
    `${heading}. ${observation.input.steps} time steps, ${settings.network.layers.length} layers. ` +
    `Spikes per neuron and time step: ${rates}.`
  );
}

/** Every label in the model's order; of many labels the best, in order, with the sum of the others. */
function softmaxChart(
  observation: PlottedObservation,
  { labels }: Readonly<ModelSettings>,
  width: number,
): Block {
  const all = labels.map((label, i) => ({ label, share: observation.softmax[i]! }));
  const best = [...all].sort((a, b) => b.share - a.share);
  const shown = all.length <= MOST_BARS ? all : best.slice(0, BEST);
  const others = best.slice(BEST);
  const rows: Row[] = shown.map(({ label, share }) => {
    const strong = label === observation.label;
    return { label, value: percent(share), strong, draw: barMark(share, strong ? 'blue' : 'faint') };
  });
  if (shown !== all) {
    const rest = others.reduce((sum, { share }) => sum + share, 0);
    rows.push({ label: `${others.length} others`, value: percent(rest), draw: barMark(rest, 'faint') });
  }
  return rowChart(rows, {
    title: 'Softmax',
    x: {
      domain: [0, 1],
      ticks: percentTicks([0, 1], 5),
      label: 'softmax output for the label (%); the confidence in the best is in the title',
    },
    width,
  });
}
