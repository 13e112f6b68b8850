import { parseArgs } from 'node:util';
import { SonospikeError } from '../support/errors.js';
import { nearest } from '../support/nearest.js';
import { choice, integer, number } from '../support/options.js';

interface Described {
  /** One sentence for `--help`; ranges, choices and the default are added to it. */
  help: string;
  /** What `--help` says of the default, where the library chooses it: "default: 24; preset original: 12". */
  defaults?: string;
}

interface FlagSpec extends Described {
  type: 'flag';
  short?: string;
}

interface TextSpec extends Described {
  type: 'text';
  /** Stands for the value in `--help`. */
  value: string;
  /** The value may be left out, and is then the empty string. */
  optional?: true;
  /** May be named several times: the values are an array. */
  repeated?: true;
  default?: string;
}

interface NumberSpec extends Described {
  type: 'integer' | 'number';
  min: number;
  max: number;
  default?: number;
}

interface ChoiceSpec extends Described {
  type: 'choice';
  choices: readonly string[];
  /** Names that choices had before, which still work, with those of today. */
  oldNames?: Readonly<Record<string, string>>;
  default?: string;
}

export type OptionSpec = FlagSpec | TextSpec | NumberSpec | ChoiceSpec;

/** The options of a command by their names in camel case: `batchSize` is `--batch-size`. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

type ValueOf<S> = S extends FlagSpec
  ? boolean
  : S extends { repeated: true }
    ? string[]
    : S extends NumberSpec
      ? number
      : S extends { choices: readonly (infer C)[] }
        ? C
        : string;

type AlwaysThere<S> = S extends { type: 'flag' } | { default: string | number } ? true : false;

/** What `parseOptions` gives for a table: flags and options with a default always, others if they were named. */
export type Values<T extends OptionTable> = {
  [K in keyof T as AlwaysThere<T[K]> extends true ? K : never]: ValueOf<T[K]>;
} & { [K in keyof T as AlwaysThere<T[K]> extends true ? never : K]?: ValueOf<T[K]> };

export interface Parsed<T extends OptionTable> {
  options: Values<T>;
  positionals: string[];
}

/**
 * Parses the arguments of a command. Of an option that is named twice the last value holds, but of those that may be
 * repeated.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function parseOptions<T extends OptionTable>(args: string[], table: T): Parsed<T> {
  const values: Record<string, string | number | boolean | string[]> = {};
  for (const [key, spec] of Object.entries(table)) {
    if (spec.type === 'flag') values[key] = false;
    else if (spec.default !== undefined) values[key] = spec.default;
  }
  const positionals: string[] = [];
  for (const token of tokenize(args, table)) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const found = Object.entries(table).find(([key]) => optionName(key) === token.name);
    if (!found) throw unknownOption(token.rawName, table);
    const [key, spec] = found;
    const value = readValue(spec, token);
    const before = values[key];
    values[key] =
      spec.type === 'text' && spec.repeated ? [...(Array.isArray(before) ? before : []), `${value}`] : value;
  }
  return { options: values as Values<T>, positionals };
}

/** `batchSize` → `batch-size` */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

interface OptionToken {
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}

function tokenize(args: string[], table: OptionTable) {
  const entries = Object.entries(table).map(([key, spec]) => {
    if (spec.type !== 'flag') return [optionName(key), { type: 'string' as const }];
    return [optionName(key), { type: 'boolean' as const, ...(spec.short ? { short: spec.short } : {}) }];
  });
  // Not strict: its error texts span several lines, and it cannot suggest what was meant.
  return parseArgs({
    args: withEmptyValues(args, table),
    options: Object.fromEntries(entries),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

/** parseArgs takes whatever follows for the value; an option that may stand alone gets an empty one here. */
function withEmptyValues(args: string[], table: OptionTable): string[] {
  const optional = Object.entries(table)
    .filter(([, spec]) => spec.type === 'text' && spec.optional)
    .map(([key]) => `--${optionName(key)}`);
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  return args.map((arg, i) => {
    const next = args[i + 1];
    const alone = next === undefined || next.startsWith('-');
    return i < end && optional.includes(arg) && alone ? `${arg}=` : arg;
  });
}

function readValue(spec: OptionSpec, { rawName, value, inlineValue }: OptionToken) {
  if (spec.type === 'flag') {
    if (value === undefined) return true;
    throw invalid(`${rawName} takes no value, but got ${JSON.stringify(value)}.`);
  }
  const optional = spec.type === 'text' && spec.optional;
  // Of values that begin with a dash only numbers are meant: `--data --json` has forgotten the directory.
  const forgotten = value === undefined || (!inlineValue && value.startsWith('-') && !isNumber(value));
  if (forgotten || (value === '' && !optional)) {
    throw invalid(`${rawName} needs a value: ${rawName} ${valueName(spec)}.`);
  }
  switch (spec.type) {
    case 'text':
      return value;
    case 'choice':
      return choice(spec.oldNames?.[value] ?? value, rawName, spec.choices);
    case 'integer':
      return integer(asNumber(value), rawName, spec.min, spec.max);
    case 'number':
      return number(asNumber(value), rawName, spec.min, spec.max);
  }
}

/** Characters; the help text of an option lists more choices than fit. */
const LONGEST_CHOICES = 70;

/** What stands for the value of an option in `--help`. */
export function valueName(spec: Exclude<OptionSpec, FlagSpec>): string {
  if (spec.type === 'text') return spec.value;
  if (spec.type !== 'choice') return 'N';
  const all = spec.choices.join('|');
  return all.length > LONGEST_CHOICES ? 'NAME' : all;
}

/** The text itself if it is no number, so that the error quotes it. */
function asNumber(text: string): number | string {
  return isNumber(text) ? Number(text) : text;
}

function isNumber(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
}

function unknownOption(name: string, table: OptionTable): SonospikeError {
  const names = Object.keys(table).map((key) => `--${optionName(key)}`);
  const meant = nearest(name, names);
  return invalid(
    `There is no option ${name}.${meant ? ` Did you mean ${meant}?` : ''} --help lists the options.`,
  );
}

function invalid(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}
