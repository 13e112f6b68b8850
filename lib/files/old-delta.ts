import type { Tensor, Tensors } from '../support/tensor.js';
import { isJsonObject } from './strict-json.js';

/**
 * Whether a file's settings are those of a time when the delta encoding gave the up channels of all features and then
 * the down channels of all, not one after the other for each feature. Layers had no `connection` then.
 */
export function hasOldDelta(settings: unknown): boolean {
  const { encoding, network } = (isJsonObject(settings) ? settings : {}) as Record<string, unknown>;
  if (!isJsonObject(encoding) || encoding.type !== 'delta' || !isJsonObject(network)) return false;
  const [first] = Array.isArray(network.layers) ? network.layers : [];
  return isJsonObject(first) && first.connection === undefined;
}

/** Brings what reads the input, in a model or in the state of its training, into the order of today's channels. */
export function fromOldDelta(tensors: Tensors): void {
  for (const [name, tensor] of tensors) {
    if (/(^|\.)layers\.0\.weight$/.test(name)) tensors.set(name, interleaved(tensor));
  }
}

function interleaved({ shape, data }: Tensor): Tensor {
  const inputs = shape[1]!;
  const features = inputs / 2;
  const from = (channel: number) => (channel % 2) * features + Math.floor(channel / 2);
  return { shape, data: data.map((_, i) => data[i - (i % inputs) + from(i % inputs)]!) };
}
