import type { LayerSettings } from '../settings/settings.js';
import { sendsSpikes } from '../settings/shapes.js';

/** Spikes per neuron and time step from which on a layer is always on: the others hardly tell a sound from another. */
const ALWAYS = 0.95;
/** Below this a layer is silent: a neuron spikes less than once in a thousand steps. */
const SILENT = 0.001;
/** The output of a soft neuron is never 0: at rest it is sigmoid(-5 · threshold), 0.007 for a threshold of 1. */
const SILENT_SOFT = 0.01;

type State = 'fires' | 'silent' | 'always on';

/** Watches the firing rates of a network's layers for those that carry no information. */
export class FiringWatch {
  readonly #layers: readonly LayerSettings[];
  readonly #states: State[];

  constructor(layers: readonly LayerSettings[]) {
    this.#layers = layers;
    this.#states = layers.map(() => 'fires');
  }

  /** What there is to say of the layers whose state has changed. */
  look(rates: readonly number[]): string[] {
    return this.#layers.flatMap((layer, i) => {
      const state = stateOf(layer, rates[i]!);
      if (state === this.#states[i]) return [];
      this.#states[i] = state;
      return sentence(i, this.#layers.length, state, rates[i]!);
    });
  }
}

function stateOf(layer: LayerSettings, rate: number): State {
  // What rectified linear units send is no firing rate.
  if (layer.neuron === 'relu') return 'fires';
  if (rate > ALWAYS) return 'always on';
  return rate < (sendsSpikes(layer) ? SILENT : SILENT_SOFT) ? 'silent' : 'fires';
}

function sentence(index: number, layers: number, state: State, rate: number): string {
  const which = `layer ${index + 1} of ${layers}`;
  if (state === 'fires') return `L${which.slice(1)} fires again.`;
  const measured = `${rate.toFixed(4)} spikes per neuron and time step`;
  const setting = `--set network.layers.${index}`;
  return state === 'silent'
    ? `Warning: ${which} is silent (${measured}), so the layers above learn nothing from it. A lower threshold ` +
        `(${setting}.threshold=…) or larger initial weights (${setting}.weightGain=…) make it fire.`
    : `Warning: ${which} is always on (${measured}), so it tells the sounds hardly apart. A higher threshold ` +
        `(${setting}.threshold=…) or smaller initial weights (${setting}.weightGain=…) make it fire less.`;
}
