import { ENCODINGS } from '../settings/choices.js';
import type { ConnectionSettings, ModelSettings } from '../settings/settings.js';
import { channelsOfFeature, sendsSpikes } from '../settings/shapes.js';
import { percent } from '../support/text.js';
import { heatPanel } from './heat-panel.js';
import { countRuns, envelope, type Grid, rasterPath } from './marks.js';
import { melTicks } from './mel.js';
import { type Axis, legend, type Panel } from './panels.js';
import { extent, wholeTicks } from './scale.js';
import { line } from './svg.js';
import type { PlottedObservation } from './timing.js';
import { milliseconds, type Timing } from './timing.js';

/** Rows and dashes up to which spikes are drawn one by one. */
const MOST_ROWS = 1024;
const MOST_RUNS = 24_000;

export function waveformPanel(
  { samples, sampleRate }: { samples: Float32Array | Int16Array; sampleRate: number },
  { from, to }: Timing,
): Panel {
  const scale = samples instanceof Int16Array ? 1 / 32_768 : 1;
  const [first, end] = [
    Math.max(0, Math.round(from * sampleRate)),
    Math.min(samples.length, Math.round(to * sampleRate)),
  ];
  let peak = 0;
  for (let i = first; i < end; i++) peak = Math.max(peak, Math.abs(samples[i]!));
  const most = peak || 1;
  const level =
    peak > 0 ? `peak ${(20 * Math.log10(peak * scale)).toFixed(1).replace('-', '\u2212')} dBFS` : 'silent';
  const seconds = samples.length / sampleRate;
  const heard =
    end - first < samples.length
      ? `, heard from ${(first / sampleRate).toFixed(2)} to ${(end / sampleRate).toFixed(2)} s`
      : '';
  const label = (value: number) => ({
    value,
    label: Number((value * scale).toPrecision(2))
      .toString()
      .replace('-', '\u2212'),
  });
  return {
    title: 'Waveform',
    note: `${seconds.toFixed(2)} s at ${sampleRate / 1000} kHz${heard} · ${level}`,
    height: 64,
    y: { domain: [-1.05 * most, 1.05 * most], ticks: [-most, 0, most].map(label), label: 'amplitude' },
    draw: ({ x, y }) => envelope(samples, [first, end], (sample) => x(sample / sampleRate), y),
  };
}

export function featuresPanel(
  { features }: PlottedObservation,
  settings: Readonly<ModelSettings>,
  timing: Timing,
): Panel {
  const { frontend, scaling, encoding } = settings;
  const { frames, features: rows, data } = features;
  const mel = frontend.type === 'log-mel';
  const peak = scaling.type === 'peak';
  const given = !ENCODINGS[encoding.type].spikes
    ? `, the input${encoding.stepsPerFrame > 1 ? ` for ${encoding.stepsPerFrame} steps` : ''}`
    : '';
  return heatPanel(
    { rows, columns: frames, at: (row, column) => data[column * rows + row]! },
    {
      title: mel ? 'Features: mel bands' : 'Features: MFCC',
      note: `${rows} in ${frames} frames of ${milliseconds(timing.frameSeconds)}${given} · scaling ${scaling.type}`,
      height: 104,
      y: mel
        ? { domain: [0, rows], ticks: melTicks(frontend), label: 'Hz (mel scale)' }
        : numbered(rows, 0, 'coefficient'),
      // The scaling counts down from the loudest band of the clip.
      ...(peak
        ? { colours: [0, 1] as const, ends: [`\u2212${frontend.topDb} dB`, '0 dB'] as const }
        : { colours: extent(data) }),
      span: [timing.from, timing.to],
    },
  );
}

/** What the first layer reads; none where it is the features themselves. */
export function inputPanel(
  { input }: PlottedObservation,
  { encoding }: Readonly<ModelSettings>,
  timing: Timing,
): Panel[] {
  if (!ENCODINGS[encoding.type].spikes) return [];
  const { channels, steps, data } = input;
  const spikes = data.reduce((sum, value) => sum + value, 0);
  const share = ((100 * spikes) / data.length).toFixed(1);
  const whole: Grid = { rows: channels, columns: steps, at: (row, column) => data[column * channels + row]! };
  const note = `${channels} channels, ${steps} steps of ${milliseconds(timing.stepSeconds)} · ${share}% of them spike`;
  const options = { title: `Input: ${encoding.type} encoding`, note, height: 84 };
  if (channelsOfFeature(encoding) === 1)
    return [spikePanel(whole, { ...options, y: numbered(channels, 1, 'channel') }, timing)];
  const rows = channels / 2;
  const half = (down: 0 | 1): Grid => ({
    rows,
    columns: steps,
    at: (row, column) => data[column * channels + 2 * row + down]!,
  });
  if (countRuns(whole) > MOST_RUNS)
    return [spikePanel(whole, { ...options, y: numbered(channels, 1, 'channel') }, timing)];
  return [
    {
      ...options,
      y: numbered(rows, 1, 'feature'),
      draw: ({ area }) => rasterPath(half(0), area, 'blue') + rasterPath(half(1), area, 'vermilion'),
      aside: ({ area }, { x, width }) =>
        legend([{ label: 'up', class: 'blue' }], x, area.y + 12, width) +
        legend([{ label: 'down', class: 'vermilion' }], x, area.y + 28, width),
    },
  ];
}

export function layerPanel(
  { layers, firingRates }: PlottedObservation,
  { network }: Readonly<ModelSettings>,
  k: number,
  timing: Timing,
): Panel {
  const { neurons, spikes } = layers[k]!;
  const layer = network.layers[k]!;
  const { connection, neuron, recurrent } = layer;
  const grid: Grid = {
    rows: neurons,
    columns: timing.steps,
    at: (row, column) => spikes[column * neurons + row]!,
  };
  const bands = bandsOf(connection, neurons);
  const shape =
    bands === null
      ? `${neurons} neurons${recurrent ? ', recurrent' : ''}`
      : `${bands} bands × ${neurons / bands} channels`;
  const height = Math.round(Math.min(150, Math.max(56, 24 + 0.2 * neurons)));
  const y = bands === null ? numbered(neurons, 1, 'neuron') : numbered(bands, 1, 'band');
  const options = { title: `Layer ${k + 1}`, height, y };
  const rate = firingRates[k]!;
  if (!sendsSpikes(layer)) {
    const told =
      neuron === 'relu' ? `${percent(rate)} of the outputs are not 0` : `mean spike ${rate.toFixed(3)}`;
    return heatPanel(grid, {
      ...options,
      note: `${shape}${neuron === 'relu' ? '' : ', soft spikes'} · ${told}`,
      ...(neuron === 'relu' ? {} : { colours: [0, 1] as const }),
      span: [timing.from, timing.to],
    });
  }
  const hertz = rate / timing.stepSeconds;
  const told =
    rate === 0
      ? 'silent'
      : `${percent(rate)} fire in a step (${hertz < 10 ? hertz.toFixed(1) : hertz.toFixed(0)} Hz)`;
  return spikePanel(grid, { ...options, note: `${shape} · ${told}`, bands: bands ?? 0 }, timing);
}

/** Hard spikes as dashes; where they are too many for that, their share as colours. */
function spikePanel(
  grid: Grid,
  options: { title: string; note: string; height: number; y: Axis; bands?: number },
  { from, to }: Timing,
): Panel {
  const { bands = 0, ...panel } = options;
  if (grid.rows > MOST_ROWS || countRuns(grid) > MOST_RUNS) {
    return heatPanel(grid, { ...panel, span: [from, to] });
  }
  return {
    ...panel,
    draw: ({ area }) => {
      const borders = Array.from({ length: Math.max(0, bands - 1) }, (_, i) => {
        const y = area.y + (area.height * (i + 1)) / bands;
        return line(area.x, y, area.x + area.width, y, 'grid');
      });
      return borders.join('') + rasterPath(grid, area, 'ink');
    },
  };
}

/** null for a layer without bands. */
function bandsOf(connection: ConnectionSettings | undefined, neurons: number): number | null {
  return connection?.type === 'convolution' ? neurons / connection.channels : null;
}

/** An axis of things that are counted from `first`, each in the middle of its row. */
function numbered(rows: number, first: number, label: string): Axis {
  const numbers = wholeTicks([first, first + rows - 1], 4);
  const ticks = numbers[0]?.value === first ? numbers : [{ value: first, label: String(first) }, ...numbers];
  return {
    domain: [0, rows],
    ticks: ticks.map((tick) => ({ ...tick, value: tick.value - first + 0.5 })),
    label,
  };
}
