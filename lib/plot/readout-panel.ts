import type { ModelSettings } from '../settings/settings.js';
import { linePath, thinned } from './marks.js';
import { endLabels, type Panel } from './panels.js';
import { extent, padded, ticks } from './scale.js';
import type { PlottedObservation, Timing } from './timing.js';

/** Classes up to which every line has its label; of more the best few. */
const ALL_LABELLED = 10;
const BEST = 5;
const COLOURS = ['blue', 'vermilion', 'green'] as const;

/** The potentials of the readout over time, or the spikes of the last layer counted so far. */
export function readoutPanel(
  observation: PlottedObservation,
  settings: Readonly<ModelSettings>,
  timing: Timing,
): Panel {
  const { labels, network } = settings;
  const { readout, scores } = observation;
  const counted = readout === null ? countedSpikes(observation) : null;
  const values = readout?.potential ?? counted!;
  const classes = labels.length;
  const range = extent(values);
  const domain = counted ? ([0, Math.max(1, range[1] * 1.05)] as const) : padded(range);
  const order = [...labels.keys()].sort((a, b) => scores[b]! - scores[a]!);
  const titles = {
    'spike-count': ['Readout: spikes so far', 'the score is their number at the end', 'spikes'],
    'leaky-integrator': [
      'Readout: potential',
      'the score is the mean over time of the softmax of the potentials',
      'potential',
    ],
    'mean-potential': ['Readout: potential', 'the score is the mean over time', 'potential'],
  } as const;
  const [title, note, label] = titles[network.readout.type];
  const colour = (rank: number) => COLOURS[rank] ?? 'faint';
  return {
    title,
    note,
    height: 140,
    y: { domain, ticks: ticks(domain, 4), label },
    ruled: true,
    draw({ x, y }) {
      const at = (t: number) => x(timing.from + (t + 0.5) * timing.stepSeconds);
      // The best last, so that it lies on top.
      return order
        .map((c, rank) => {
          const line = { length: timing.steps, at: (t: number) => values[t * classes + c]! };
          return linePath(thinned(line, at, y), {
            class: colour(rank),
            width: rank === 0 ? 2.4 : rank < 3 ? 1.5 : 1,
          });
        })
        .reverse()
        .join('');
    },
    aside({ area, y }, margin) {
      const shown = order.slice(0, classes <= ALL_LABELLED ? classes : BEST);
      const last = (timing.steps - 1) * classes;
      const ends = shown.map((c, rank) => ({
        label: labels[c]!,
        y: y(values[last + c]!),
        class: rank === 0 ? `strong coloured ${colour(0)}` : rank < 3 ? `coloured ${colour(rank)}` : 'muted',
      }));
      return endLabels(ends, area, margin);
    },
  };
}

/** [steps, classes]: spikes of each neuron of the last layer up to and with every step. */
function countedSpikes({ layers, input }: PlottedObservation): Float64Array {
  const { neurons, spikes } = layers.at(-1)!;
  const sums = new Float64Array(spikes.length);
  for (let t = 0; t < input.steps; t++) {
    for (let i = 0; i < neurons; i++) {
      const before = t > 0 ? sums[(t - 1) * neurons + i]! : 0;
      sums[t * neurons + i] = before + spikes[t * neurons + i]!;
    }
  }
  return sums;
}
