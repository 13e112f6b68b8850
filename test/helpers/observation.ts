import type { LifLayer, ModelSettings, Observation } from '../../lib/index.js';
import { presetSettings } from '../../lib/settings/presets.js';
import { inputCount } from '../../lib/settings/shapes.js';

type Layer = ModelSettings['network']['layers'][number];

/** The default preset with other layers and labels, for observations that are made up. */
export function plotSettings(
  labels: readonly string[],
  layers: readonly Partial<Layer>[],
  more: Partial<ModelSettings> = {},
): ModelSettings {
  const base = presetSettings('original', ['a', 'b']);
  const hard = {
    ...(base.network.layers[0] as LifLayer),
    spike: { type: 'hard', surrogate: 'triangle', slope: 1 } as const,
    neurons: 4,
  };
  return {
    ...base,
    labels: [...labels],
    encoding: { type: 'direct', stepsPerFrame: 1 },
    network: {
      layers: layers.map((layer) => ({ ...hard, ...layer }) as Layer),
      readout: { type: 'mean-potential', decay: 0.9, learnDecay: true },
    },
    ...more,
  };
}

export interface Made {
  frames: number;
  first?: number;
  /** Of neuron i of layer k in step t. */
  spike?: (k: number, t: number, i: number) => number;
  /** Of class c in step t; left out for a readout that counts spikes. */
  potential?: (t: number, c: number) => number;
  feature?: (frame: number, f: number) => number;
  input?: (t: number, channel: number) => number;
  softmax?: number[];
}

/** An observation as a network of these settings could have given it. */
export function makeObservation(settings: ModelSettings, made: Made): Observation {
  const { frames, spike = () => 0, potential, feature = () => 0, input = () => 0 } = made;
  const { labels, frontend, network, encoding } = settings;
  const classes = labels.length;
  const steps = frames * encoding.stepsPerFrame;
  const features = frontend.type === 'mfcc' ? frontend.coefficients : frontend.melBands;
  const channels = inputCount(settings);
  const fill = (rows: number, columns: number, at: (row: number, column: number) => number) =>
    Float32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
  const layers = network.layers.map(({ neurons }, k) => ({
    neurons,
    spikes: fill(steps, neurons, (t, i) => spike(k, t, i)),
    potential: fill(steps, neurons, () => 0),
  }));
  const softmax = made.softmax ?? labels.map(() => 1 / classes);
  const best = softmax.indexOf(Math.max(...softmax));
  return {
    label: labels[best]!,
    confidence: softmax[best]!,
    rejected: false,
    silent: false,
    heard: null,
    softmax,
    ranked: softmax.map((value, i) => ({ label: labels[i]!, softmax: value })),
    scores: softmax,
    firingRates: layers.map(({ spikes }) => spikes.reduce((sum, s) => sum + s, 0) / spikes.length),
    features: { first: made.first ?? 0, frames, features, data: fill(frames, features, feature) },
    input: { steps, channels, data: fill(steps, channels, input) },
    layers,
    readout: potential ? { classes, potential: fill(steps, classes, potential) } : null,
  };
}
