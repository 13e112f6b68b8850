import { ENCODINGS } from './choices.js';
import type { EncodingSettings, LayerSettings, ModelSettings } from './settings.js';

/** Values of a frame: cepstral coefficients, or mel bands. */
export function featureCount({ frontend }: Pick<ModelSettings, 'frontend'>): number {
  return frontend.type === 'mfcc' ? frontend.coefficients : frontend.melBands;
}

/** The most seconds of a clip that the network hears; of a longer clip the rest is left out. */
export function heardSeconds({ frames, frontend, sampleRate }: Readonly<ModelSettings>): number {
  return (frames * frontend.hopLength) / sampleRate;
}

/** Inputs of the first layer at a time step. */
export function inputCount(settings: ModelSettings): number {
  return featureCount(settings) * channelsOfFeature(settings.encoding);
}

/** Inputs of the network for each feature: `delta` has an up and a down channel. */
export function channelsOfFeature({ type }: Pick<EncodingSettings, 'type'>): number {
  return ENCODINGS[type].channels;
}

/** Whether a layer sends hard spikes, 0 or 1, rather than numbers. */
export function sendsSpikes(layer: LayerSettings): boolean {
  return layer.neuron !== 'relu' && layer.spike.type === 'hard';
}

/** Number of parameters of a model with these settings, the statistics of its scaling included. */
export function countParameters(settings: ModelSettings): number {
  const sizes = [...parameterShapes(settings).values()].map((shape) => shape.reduce((all, n) => all * n, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Every tensor of a model with these settings, by its name in the model file, with its shape. Layers count
 * from 0: `layers.0.weight` is [neurons, inputs] (a row for each neuron), or [neurons, inputs, taps] where a dense
 * layer has several taps, or [channels, input channels, kernel, taps] of a convolution; the last tap is the present
 * step. `layers.0.recurrent` is [neurons, neurons].
 */
export function parameterShapes(settings: ModelSettings): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  let inputs = inputCount(settings);
  let bands: Bands = { count: featureCount(settings), channels: channelsOfFeature(settings.encoding) };
  for (const [index, layer] of settings.network.layers.entries()) {
    const own = layer.connection?.type === 'convolution' ? layer.connection.channels : layer.neurons;
    shapes.set(`layers.${index}.weight`, weightShape(layer, inputs, bands));
    shapes.set(`layers.${index}.bias`, [own]);
    shapes.set(`layers.${index}.decay`, [own]);
    shapes.set(`layers.${index}.threshold`, [own]);
    if (layer.neuron === 'adaptive') {
      for (const name of ['decay', 'coupling', 'jump'])
        shapes.set(`layers.${index}.adaptation_${name}`, [own]);
    }
    if (layer.recurrent) shapes.set(`layers.${index}.recurrent`, [own, own]);
    inputs = layer.neurons;
    bands = bandsAbove(layer, bands);
  }
  if (settings.network.readout.type !== 'spike-count') {
    const classes = settings.labels.length;
    shapes.set('readout.weight', [classes, inputs]);
    shapes.set('readout.bias', [classes]);
    shapes.set('readout.decay', [classes]);
  }
  const { scaling } = settings;
  if (scaling.type !== 'none' && scaling.over === 'training-set') {
    const statistics = scaling.pooled ? 1 : featureCount(settings);
    shapes.set('scaling.offset', [statistics]);
    shapes.set('scaling.scale', [statistics]);
  }
  return shapes;
}

/** What a layer offers to the one above it. */
export function bandsAbove({ connection }: LayerSettings, below: Bands): Bands {
  if (connection?.type !== 'convolution' || below === null) return null;
  const { kernel, stride, channels } = connection;
  return { count: samePadding(below.count, kernel, stride).bands, channels };
}

/** [outputs, inputs …] of a layer: see `parameterShapes`. */
export function weightShape({ neurons, connection }: LayerSettings, inputs: number, bands: Bands): number[] {
  if (connection?.type === 'convolution') {
    return [connection.channels, bands?.channels ?? 1, connection.kernel, connection.taps];
  }
  return connection && connection.taps > 1 ? [neurons, inputs, connection.taps] : [neurons, inputs];
}

/** Values that lie band by band, some channels each; null above a dense layer, which has no bands. */
export type Bands = { count: number; channels: number } | null;

/**
 * TensorFlow's "same" padding of a convolution over so many bands: the bands that come out, and the zeros before the
 * first band. The core's is in native/core/network/options.h.
 */
export function samePadding(bands: number, kernel: number, stride: number): { bands: number; left: number } {
  const out = Math.ceil(bands / stride);
  return { bands: out, left: Math.floor(Math.max(0, (out - 1) * stride + kernel - bands) / 2) };
}
