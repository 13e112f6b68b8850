import type { ModelSettings } from '../../settings/settings.js';
import type { Activity, Guess } from '../protocol.js';
import type { Arrays } from './connection.js';

export interface LayerActivity {
  neurons: number;
  /** [steps, neurons] */
  spikes: ArrayLike<number>;
  /** [steps, neurons], before the reset; null where it was not sent. */
  potential: Float32Array | null;
}

/** What is on the screen: a clip, or the last second of the microphone. */
export interface Shown {
  live: boolean;
  guess: Guess;
  /** Of the clip, or as much of the stream as the picture is about. */
  samples: Float32Array;
  sampleRate: number;
  /** Where the first sample stands in the picture, in seconds: a frame is that around its sample. */
  offset: number;
  /** The frame of the clip that it begins with. */
  first: number;
  frames: number;
  /** [frames, features] */
  features: Float32Array;
  steps: number;
  channels: number;
  /** [steps, channels] */
  input: ArrayLike<number>;
  layers: LayerActivity[];
  /** What the readout has of each class after each step, [steps, classes]: potentials, or spikes so far. */
  readout: Float32Array;
  /** Probabilities of the classes as they would be if the clip ended after a step, [steps, classes]. */
  running: Float32Array;
  /** Seconds of a step. */
  step: number;
}

/** Brings what the server has sent into the form that is drawn. */
export function shownOf(
  activity: Activity,
  arrays: Arrays,
  sound: { samples: Float32Array; sampleRate: number },
  settings: ModelSettings,
  live: boolean,
): Shown {
  const { guess, first, frames, steps } = activity;
  const { frontend, sampleRate } = settings;
  const layers = settings.network.layers.map(({ neurons }, k) => ({
    neurons,
    spikes: arrays[`spikes.${k}`] as ArrayLike<number>,
    potential: (arrays[`potential.${k}`] as Float32Array | undefined) ?? null,
  }));
  const classes = settings.labels.length;
  const sent = arrays.readout as Float32Array | undefined;
  const readout = sent ?? countSpikes(layers[layers.length - 1]!, steps);
  const input = arrays.input as ArrayLike<number>;
  return {
    live,
    guess,
    ...sound,
    offset: ((0.5 - first) * frontend.hopLength) / sampleRate,
    first,
    frames,
    features: arrays.features as Float32Array,
    steps,
    channels: input.length / steps,
    input,
    layers,
    readout,
    running: runningProbabilities(readout, classes, settings.network.readout.type),
    step: stepSeconds(settings),
  };
}

/** Seconds from one time step to the next. */
export function stepSeconds({ frontend, sampleRate, encoding }: ModelSettings): number {
  return frontend.hopLength / sampleRate / encoding.stepsPerFrame;
}

/** Spikes of each neuron up to each step, [steps, neurons]. */
function countSpikes({ neurons, spikes }: LayerActivity, steps: number): Float32Array {
  const counts = new Float32Array(steps * neurons);
  for (let i = 0; i < counts.length; i++) counts[i] = spikes[i]! + (i < neurons ? 0 : counts[i - neurons]!);
  return counts;
}

/**
 * The scores as the readout makes them (settings/settings.ts), were the clip over after each step, as probabilities. For the
 * eye: what is said of the whole clip comes from the server.
 */
export function runningProbabilities(
  readout: Float32Array,
  classes: number,
  type: ModelSettings['network']['readout']['type'],
): Float32Array {
  const result = new Float32Array(readout.length);
  const sums = new Float64Array(classes);
  for (let at = 0, step = 1; at < readout.length; at += classes, step++) {
    const now = readout.subarray(at, at + classes);
    if (type === 'spike-count') result.set(softmax(now), at);
    else {
      const added = type === 'leaky-integrator' ? softmax(now) : now;
      for (let k = 0; k < classes; k++) sums[k]! += added[k]!;
      const means = sums.map((sum) => sum / step);
      result.set(type === 'leaky-integrator' ? means : softmax(means), at);
    }
  }
  return result;
}

function softmax(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const most = Math.max(...list);
  const powers = list.map((value) => Math.exp(value - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
