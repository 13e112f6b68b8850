import { SonospikeError } from '../support/errors.js';
import { type Field, readField, withoutUnused } from '../support/fields.js';
import { nearest } from '../support/nearest.js';
import { array } from '../support/options.js';
import { LAYER_FIELDS, PLACES, type Place, SETTINGS_FIELDS } from './table.js';

/** A field that is set to a value: `network.layers.*.threshold=4`, or in short `layers.*.threshold=4`. */
export interface Assignment {
  /** Path of the field in the settings; `*` or a number from 0 stands for the layer. */
  path: string;
  value: unknown;
}

/** Labels come from the data. */
const SETTABLE = PLACES.filter(({ path }) => path !== 'labels');

/**
 * Reads `NAME=VALUE`. The name is a path in the settings, or its end where that names one field: `surrogate`,
 * `readout.decay`. The name of an object that has a type stands for its type: `encoding=delta`.
 * @throws SonospikeError ERR_INVALID_OPTION, which says what was probably meant
 */
export function readAssignment(text: string): Assignment {
  const at = text.indexOf('=');
  if (at <= 0) throw invalid(`${JSON.stringify(text)} sets nothing; write NAME=VALUE, as in surrogate=atan.`);
  const [name, value] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  const { path, field } = placeOf(name);
  // The limits that depend on other fields are checked with the whole.
  return { path, value: readField(field, parse(field, value), name) };
}

/** The field that a name stands for, with the name's own number of the layer. */
export function placeOf(name: string): Place {
  const general = name.replaceAll(/(^|\.)\d+(?=\.)/g, '$1*');
  const found = SETTABLE.filter(({ path }) =>
    [path, path.replace(/\.type$/, '')].some((each) => each === general || each.endsWith(`.${general}`)),
  );
  const exact = found.filter(({ path }) => path === general || path === `${general}.type`);
  const [place, ...others] = exact.length > 0 ? exact : found;
  if (place === undefined) throw unknownName(name, general);
  if (others.length > 0) {
    const names = [place, ...others].map(({ path }) => path);
    throw invalid(`${name} names ${names.length} fields: ${names.join(', ')}. Write more of the path.`);
  }
  const layer = /(?:^|\.)(\d+)\./.exec(name)?.[1];
  return layer === undefined ? place : { ...place, path: place.path.replace('*', layer) };
}

/**
 * Settings in which fields are set, before they are checked. A choice that is set removes the fields that it does not
 * use. Under `*` a field is set in the layers that use it.
 * @throws SonospikeError ERR_INVALID_OPTION where there is no such layer
 */
export function assign(settings: object, assignments: readonly Assignment[]): object {
  const chosen = assignAll(withoutDerived(settings), assignments);
  return assignAll(withoutUnused(SETTINGS_FIELDS, chosen) as object, assignments);
}

/**
 * Settings of which some are given, over others. Objects are merged; lists, such as the layers, are replaced. A choice
 * that is given removes the fields that it does not use.
 */
export function mergeSettings(base: object, given: object): object {
  const kept = withoutUnused(SETTINGS_FIELDS, merge(withoutDerived(base), given)) as object;
  return merge(kept, given);
}

/** Without the neurons of convolutions, which follow from bands that may change. */
function withoutDerived(settings: object): object {
  const copy = structuredClone(settings) as { network?: { layers?: unknown } };
  const layers = copy.network?.layers;
  for (const layer of Array.isArray(layers) ? layers.filter(isObject) : []) {
    if (isObject(layer.connection) && layer.connection.type === 'convolution') delete layer.neurons;
  }
  return copy;
}

function merge(base: object, given: object): object {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(given)) {
    const below = merged[key];
    merged[key] = isObject(below) && isObject(value) ? merge(below, value) : value;
  }
  return merged;
}

function assignAll(settings: object, assignments: readonly Assignment[]): object {
  const copy = structuredClone(settings);
  for (const { path, value } of assignments) assignOne(copy, path, value);
  return copy;
}

function assignOne(settings: object, path: string, value: unknown): void {
  const match = /^network\.layers\.(\*|\d+)\.(.+)$/.exec(path);
  if (match === null) {
    setAt(settings as Record<string, unknown>, path.split('.'), value);
    return;
  }
  const [, which, rest] = match as unknown as [string, string, string];
  const { network } = settings as { network?: { layers?: unknown } };
  const layers = array(network?.layers, 'network.layers', 1, Number.MAX_SAFE_INTEGER).filter(isObject);
  if (which !== '*' && Number(which) >= layers.length) {
    throw invalid(`There is no layer ${which} to set ${path}; layers count from 0 to ${layers.length - 1}.`);
  }
  const named = which === '*' ? layers : [layers[Number(which)]!];
  const using = named.filter((layer) => uses(layer, rest.split('.')));
  // Where no layer uses the field, the check of the whole says which choice would.
  for (const layer of using.length > 0 ? using : named) setAt(layer, rest.split('.'), value);
}

/** Whether a layer makes use of a field, as its choices are. */
function uses(layer: Record<string, unknown>, keys: readonly string[]): boolean {
  const copy = structuredClone(layer);
  setAt(copy, keys, true);
  let value: unknown = withoutUnused(LAYER_FIELDS, copy);
  for (const key of keys) value = isObject(value) ? value[key] : undefined;
  return value !== undefined;
}

function setAt(object: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) object[key!] = value;
  else {
    const inner = object[key!];
    const own: Record<string, unknown> = isObject(inner) ? inner : {};
    object[key!] = own;
    setAt(own, rest, value);
  }
}

function parse(field: Field, text: string): unknown {
  if (text === 'null' && field.nullable) return null;
  if (field.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  return (field.type === 'integer' || field.type === 'number') && isNumber ? Number(text) : text;
}

function unknownName(name: string, general: string): SonospikeError {
  const ends = SETTABLE.flatMap(({ path }) => {
    const parts = path.split('.');
    return parts.map((_, i) => parts.slice(i).join('.')).filter((end) => !end.startsWith('*'));
  });
  const meant = nearest(general, [...new Set(ends)]);
  return invalid(
    `There is no setting ${name}.${meant === null ? '' : ` Did you mean ${meant}?`} ` +
      '"sonospike settings --help" lists the settings.',
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}
