import { SETTINGS_FIELDS } from '../settings/table.js';
import { withoutUnused } from '../support/fields.js';
import type { Tensor, Tensors } from '../support/tensor.js';
import { isJsonObject } from './strict-json.js';

/**
 * The format version of model files and checkpoints. What changed:
 * 1: version 0.1.0 of sonospike. Settings carry fields that their choices ignore, such as the threshold of the encoding
 *    `direct`; a training's options carry `warmupShare` with every schedule.
 * 2: settings and options have no such fields.
 */
export const FORMAT_VERSION = 2;

/** Settings of a file of any version as this version writes them. They are checked afterwards. */
export function migrateSettings(settings: unknown, version: number): unknown {
  return version < 2 ? withoutUnused(SETTINGS_FIELDS, settings) : settings;
}

/** Brings the tensors of a model, and those of its training, into the order of this version. */
export function migrateTensors(settings: unknown, all: readonly Tensors[]): void {
  if (hasOldDelta(settings)) for (const tensors of all) fromOldDelta(tensors);
}

/**
 * Whether a settings file is one of version 0.1.0, which demanded every field whatever the choices were. A file of a
 * later version that has all of these fields uses all of them, and loses nothing in a migration.
 */
export function isOldSettings(json: unknown): boolean {
  const { frontend, scaling, encoding, network } = fieldsOf(json);
  const { layers, readout } = fieldsOf(network);
  const has = (value: unknown, ...keys: string[]) => keys.every((key) => key in fieldsOf(value));
  return (
    has(frontend, 'type', 'coefficients') &&
    has(scaling, 'type', 'over', 'pooled') &&
    has(encoding, 'type', 'threshold') &&
    has(readout, 'type', 'decay', 'learnDecay') &&
    Array.isArray(layers) &&
    layers.every((layer) => has(layer, 'threshold', 'reset') && has(fieldsOf(layer).spike, 'surrogate'))
  );
}

/**
 * Whether settings are those of a time when the delta encoding gave the up channels of all features and then the down
 * channels of all, not one after the other for each feature. Layers had no `connection` then.
 */
function hasOldDelta(settings: unknown): boolean {
  const { encoding, network } = fieldsOf(settings);
  if (fieldsOf(encoding).type !== 'delta') return false;
  const { layers } = fieldsOf(network);
  const [first] = Array.isArray(layers) ? layers : [];
  return isJsonObject(first) && first.connection === undefined;
}

/** Brings what reads the input into the order of today's channels. */
function fromOldDelta(tensors: Tensors): void {
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

function fieldsOf(value: unknown): Record<string, unknown> {
  return isJsonObject(value) ? value : {};
}
