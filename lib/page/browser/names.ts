import type { LayerSettings, ModelSettings } from '../../settings/settings.js';
import { samePadding } from '../../settings/shapes.js';
import { hertzToMel, melToHertz } from '../../support/mel.js';

/** `640 neurons: 20 bands × 32 channels` */
export function layerShape(layer: LayerSettings): string {
  const { neurons, connection } = layer;
  if (connection?.type !== 'convolution') return `${neurons} neurons`;
  const { channels } = connection;
  return `${neurons / channels} bands × ${channels} channels`;
}

export function layerName(index: number): string {
  return `Layer ${index + 1}`;
}

/** Counted from 1, as in the pictures of `--plot`. Neurons of a convolution lie band by band. */
export function neuronName(settings: ModelSettings, layer: number, neuron: number): string {
  const { connection } = settings.network.layers[layer]!;
  if (connection?.type !== 'convolution') return `Neuron ${neuron + 1}`;
  const band = Math.floor(neuron / connection.channels);
  const frequency = bandFrequency(settings, layer, band);
  const about = frequency === null ? '' : ` (around ${hertz(frequency)})`;
  return `Neuron ${neuron + 1}: band ${band + 1}${about}, channel ${(neuron % connection.channels) + 1}`;
}

/** Bands of a layer, or 1 where it has none. */
export function bandsOf({ neurons, connection }: LayerSettings): number {
  return connection?.type === 'convolution' ? neurons / connection.channels : 1;
}

/**
 * The frequency, in Hz, that a band of a convolution looks at: the middle of its kernel, through all layers below.
 * null where the features are no frequencies, or the layer has no bands.
 */
export function bandFrequency(settings: ModelSettings, layer: number, band: number): number | null {
  if (settings.frontend.type !== 'log-mel') return null;
  let at = band;
  for (let k = layer; k >= 0; k--) {
    const { connection } = settings.network.layers[k]!;
    if (connection?.type !== 'convolution') return null;
    const { kernel, stride } = connection;
    const below = k === 0 ? settings.frontend.melBands : bandsOf(settings.network.layers[k - 1]!);
    at = at * stride - samePadding(below, kernel, stride).left + (kernel - 1) / 2;
  }
  return melFrequency(settings.frontend, Math.min(Math.max(at, 0), settings.frontend.melBands - 1));
}

/** The middle of a mel band in Hz, on the HTK scale; bands may be between two. */
function melFrequency(
  { minFrequency, maxFrequency, melBands }: ModelSettings['frontend'],
  band: number,
): number {
  const [low, high] = [hertzToMel(minFrequency), hertzToMel(maxFrequency)];
  const at = low + ((band + 1) / (melBands + 1)) * (high - low);
  return melToHertz(at);
}

/** `430 Hz`, `2.1 kHz` */
export function hertz(frequency: number): string {
  if (frequency >= 995) return `${(frequency / 1000).toFixed(1)} kHz`;
  return `${Math.round(frequency / 10) * 10} Hz`;
}

/** A confidence in whole percent. Nothing is certain, whatever it is rounded to: `>99%`, `42%`, `<1%`. */
export function sureness(confidence: number): string {
  if (confidence >= 0.995) return '>99%';
  return confidence < 0.005 ? '<1%' : `${Math.round(100 * confidence)}%`;
}

/** `0:12.3`: a time in a recording, to the tenth of a second. */
export function clock(seconds: number): string {
  const tenths = Math.round(10 * seconds);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`;
}

/** `1 word`, `3 words` */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** A word within a sentence: its own direction, right to left too, does not turn the rest around. */
export function isolated(word: string): string {
  return `\u2068${word}\u2069`;
}

export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 99.95 || value < 0.05 ? value.toFixed(0) : value.toFixed(1)}%`;
}
