import { PRESETS, presetNames } from './preset-data.js';
import type { ModelSettings } from './settings.js';
import { PLACES } from './table.js';

const examples: ReadonlyMap<string, ModelSettings> = new Map(
  presetNames.map((name) => [name, PRESETS[name](['no', 'yes'])]),
);

/**
 * What the presets set a field to: "(default: 40; preset original: 64)"; empty where no preset uses it.
 * @param path of the field in settings, with `*`, or the number of any layer: `network.layers.*.decay`
 */
export function defaultText(path: string): string {
  const general = path.replaceAll(/\[\d+\]|\.\d+(?=\.)/g, '.*');
  const place = PLACES.find((each) => each.path === general);
  const values = presetNames.map((name) => {
    const found = valuesAt(examples.get(name), general.split('.'));
    const known = found.length === 0 && place?.field.default !== undefined ? [place.field.default] : found;
    return known.map((value) => String(value)).join(', ');
  });
  return defaultsOf(Object.fromEntries(presetNames.map((name, i) => [name, values[i]!])));
}

/** Values of the presets as a text: "(default: 24; preset original: 12)". Empty ones are left out. */
export function defaultsOf(values: Readonly<Record<string, string>>): string {
  const { default: usual = '', ...others } = values;
  const texts = [
    ...(usual === '' ? [] : [`default: ${usual}`]),
    ...Object.entries(others).flatMap(([name, value]) =>
      value === usual || value === '' ? [] : [`preset ${name}: ${value}`],
    ),
  ];
  return texts.length === 0 ? '' : `(${texts.join('; ')})`;
}

/** The different values at a path, those of all layers where it has a `*`. */
function valuesAt(value: unknown, [key, ...rest]: readonly string[]): unknown[] {
  if (key === undefined) return value === undefined ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  const inner = key === '*' ? Object.values(value) : [(value as Record<string, unknown>)[key]];
  return [...new Set(inner.flatMap((item) => valuesAt(item, rest)))];
}
