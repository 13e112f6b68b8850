import { type Blame, boolean, choice, describe, number, object, refuse, string } from './options.js';

/** What is said of every field, whatever its type. */
interface About {
  /** One sentence for `--help`, error texts and the JSON schema. */
  help: string;
  unit?: string;
  /**
   * Choices of another field of the same object, by its name, with which this field has a meaning. With any other
   * choice it must be left out.
   */
  when?: Readonly<Record<string, readonly string[]>>;
  /** The field may be null. */
  nullable?: true;
  /** The field may be left out, and is then left out of the result, too. */
  optional?: true;
  /** The value in each preset. */
  presets?: Readonly<Record<string, unknown>>;
  /** A value of the field that the result leaves out. */
  omit?: unknown;
  /** The value where the field is left out; without one, and without `optional`, the field must be given. */
  default?: unknown;
}

export interface NumberField extends About {
  type: 'integer' | 'number';
  min: number;
  max: number;
  /** The range in files, which may hold values from before `min` and `max` were what they are. */
  stored?: { min?: number; max?: number };
}

export interface ChoiceField extends About {
  type: 'choice';
  choices: readonly string[];
}

export interface FlagField extends About {
  type: 'boolean';
}

export interface TextField extends About {
  type: 'text';
  /** Stands for the value in `--help`. */
  value?: string;
}

export interface ObjectField extends About {
  type: 'object';
  fields: Fields;
}

/** Two numbers from `min` to `max`, the lesser first. */
export interface RangeField extends About {
  type: 'range';
  min: number;
  max: number;
}

/** A list whose items are checked by the code that knows what they stand beside. */
export interface ListField extends About {
  type: 'list';
  of: Field;
  min: number;
  max: number;
}

export type Field = NumberField | ChoiceField | FlagField | TextField | ObjectField | RangeField | ListField;

/** The fields of an object by their names, in the order that results have. */
export type Fields = Readonly<Record<string, Field>>;

/** How fields are read. */
export interface Reading {
  blame?: Blame | undefined;
  /** Whether the values come from a file that sonospike wrote: then the ranges are those of `stored`. */
  stored?: boolean;
  /** What an error text says of the default value of a field, given its name. */
  defaultOf?: (name: string) => string;
}

/**
 * Checks one value. Items of a list are not looked at.
 * @throws SonospikeError with the code of `reading.blame`, ERR_INVALID_OPTION unless told otherwise
 */
export function readField(field: Field, value: unknown, name: string, reading: Reading = {}): unknown {
  const { blame } = reading;
  if (value === null && field.nullable) return null;
  switch (field.type) {
    case 'integer':
    case 'number':
      return readNumber(field, value, name, reading);
    case 'choice':
      return choice(value, name, field.choices, blame);
    case 'boolean':
      return boolean(value, name, blame);
    case 'text':
      return string(value, name, blame);
    case 'object':
      return readFields(field.fields, value, name, reading);
    case 'range':
      return readRange(field, value, name, blame);
    case 'list':
      return value;
  }
}

/**
 * Checks an object: every field that has a meaning is there and in its range, no other is.
 * @returns a new object with the fields in the order of the table, defaults filled in
 * @throws SonospikeError as `readField`
 */
export function readFields(
  fields: Fields,
  value: unknown,
  name: string,
  reading: Reading = {},
  prefix = `${name}.`,
): Record<string, unknown> {
  const given = object(value, name, Object.keys(fields), reading.blame);
  const choices = { ...defaultsOf(fields), ...withoutUndefined(given) };
  const result: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const item = given[key];
    const path = `${prefix}${key}`;
    const other = otherChoice(field, choices);
    if (other !== null) {
      refuseUnused(item, path, other, reading);
      continue;
    }
    if (item === undefined && field.optional) continue;
    const useDefault = item === undefined && field.default !== undefined;
    const read = useDefault ? structuredClone(field.default) : readField(field, item, path, reading);
    if (!('omit' in field) || read !== field.omit) result[key] = read;
  }
  return result;
}

/** The object without the fields that its choices do not use, as files of version 0.1.0 have them. */
export function withoutUnused(fields: Fields, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const given = value as Record<string, unknown>;
  const choices = { ...defaultsOf(fields), ...given };
  const kept = Object.entries(given).flatMap(([key, item]) => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) return [[key, item] as const];
    if (otherChoice(field, choices) !== null) return [];
    return [[key, withoutUnusedIn(field, item)] as const];
  });
  return Object.fromEntries(kept);
}

function withoutUnusedIn(field: Field, value: unknown): unknown {
  if (field.type === 'object') return withoutUnused(field.fields, value);
  if (field.type === 'list' && Array.isArray(value))
    return Array.from(value, (item) => withoutUnusedIn(field.of, item));
  return value;
}

/** "an integer from 1 to 8 (default: 4)" */
export function rangeText({ type, min, max, unit, nullable }: NumberField, defaults = ''): string {
  const what = type === 'integer' ? 'an integer' : 'a number';
  const of = unit === undefined ? '' : ` ${unit}`;
  return `${what} from ${min} to ${max}${of}${nullable ? ' or null' : ''}${defaults && ` ${defaults}`}`;
}

function readNumber(field: NumberField, value: unknown, name: string, reading: Reading): number {
  const { min, max } = reading.stored ? { ...field, ...field.stored } : field;
  const right = field.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (right && min <= (value as number) && (value as number) <= max) return value as number;
  throw refuse(value, name, rangeText({ ...field, min, max }, reading.defaultOf?.(name)), reading.blame);
}

function readRange({ min, max }: RangeField, value: unknown, name: string, blame?: Blame): [number, number] {
  if (!Array.isArray(value) || value.length !== 2) {
    throw refuse(value, name, `two numbers from ${min} to ${max}, the lesser first`, blame);
  }
  const low = number(value[0], `${name}[0]`, min, max, blame);
  const high = number(value[1], `${name}[1]`, min, max, blame);
  if (low > high) throw refuse(low, `${name}[0]`, `at most ${high}, its other end`, blame);
  return [low, high];
}

/** The choice that keeps a field from having a meaning, or null. */
function otherChoice(
  { when = {} }: Field,
  given: Readonly<Record<string, unknown>>,
): { key: string; users: readonly string[]; chosen: unknown } | null {
  for (const [key, users] of Object.entries(when)) {
    const chosen = given[key];
    // A choice that is missing or unknown gives an error of its own.
    if (typeof chosen === 'string' && !users.includes(chosen)) return { key, users, chosen };
  }
  return null;
}

function refuseUnused(
  value: unknown,
  name: string,
  { key, users, chosen }: { key: string; users: readonly string[]; chosen: unknown },
  { blame }: Reading,
): void {
  if (value === undefined || value === null) return;
  const names = users.map((user) => `'${user}'`).join(' or ');
  const wanted = `left out, as only ${key} ${names} uses it and ${key} is ${describe(chosen)}`;
  throw refuse(value, name, wanted, blame);
}

function defaultsOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, field]) =>
      field.default === undefined ? [] : [[key, field.default]],
    ),
  );
}

function withoutUndefined(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}
