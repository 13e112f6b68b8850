import { availableParallelism } from 'node:os';
import { type ErrorCode, SonospikeError } from './errors.js';
import { nearest } from './nearest.js';

/** How a wrong value is reported: as a wrong option of the caller, or as a fault of a file. */
export interface Blame {
  code: ErrorCode;
  file?: string | undefined;
}

const CALLER: Blame = { code: 'ERR_INVALID_OPTION' };

/** The error for `value` at `name`, which must be `wanted` ("an integer from 1 to 8"). */
export function refuse(value: unknown, name: string, wanted: string, blame?: Blame): SonospikeError {
  return complain(`${name} is ${describe(value)}; it must be ${wanted}.`, blame);
}

function complain(text: string, { code, file }: Blame = CALLER): SonospikeError {
  return new SonospikeError(code, file === undefined ? text : `${file}: ${text}`, { file });
}

/** An integer from `min` to `max`. */
export function integer(value: unknown, name: string, min: number, max: number, blame?: Blame): number {
  if (Number.isSafeInteger(value) && within(value as number, min, max)) return value as number;
  throw refuse(value, name, `an integer from ${min} to ${max}`, blame);
}

/** A finite number from `min` to `max`. */
export function number(value: unknown, name: string, min: number, max: number, blame?: Blame): number {
  if (Number.isFinite(value) && within(value as number, min, max)) return value as number;
  throw refuse(value, name, `a number from ${min} to ${max}`, blame);
}

/** One of the strings of `choices`. */
export function choice<T extends string>(
  value: unknown,
  name: string,
  choices: readonly T[],
  blame?: Blame,
): T {
  const found = choices.find((each) => each === value);
  if (found !== undefined) return found;
  const wanted = choices.map((each) => `'${each}'`).join(' or ');
  const meant = typeof value === 'string' ? nearest(value, choices) : null;
  throw complain(
    `${name} is ${describe(value)}; it must be ${wanted}.${meant === null ? '' : ` Did you mean '${meant}'?`}`,
    blame,
  );
}

export function boolean(value: unknown, name: string, blame?: Blame): boolean {
  if (typeof value === 'boolean') return value;
  throw refuse(value, name, 'true or false', blame);
}

/** A string that is not empty. */
export function string(value: unknown, name: string, blame?: Blame): string {
  if (typeof value === 'string' && value !== '') return value;
  throw refuse(value, name, 'a string that is not empty', blame);
}

/** An object with no keys other than `keys`; whether each is there is for the check of its value. */
export function object<K extends string>(
  value: unknown,
  name: string,
  keys: readonly K[],
  blame?: Blame,
): Partial<Record<K, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(value, name, 'an object', blame);
  }
  const unknown = Object.keys(value).find((key) => !(keys as readonly string[]).includes(key));
  if (unknown !== undefined) {
    const meant = nearest(unknown, keys);
    throw complain(
      `There is no key ${describe(unknown)} in ${name}; the keys are ${keys.join(', ')}.` +
        (meant === null ? '' : ` Did you mean ${meant}?`),
      blame,
    );
  }
  return value as Partial<Record<K, unknown>>;
}

/** The options of a function: like `object`, and none where they are left out. */
export function optionsObject<K extends string>(
  value: unknown,
  name: string,
  keys: readonly K[],
): Partial<Record<K, unknown>> {
  return value === undefined ? {} : object(value, name, keys);
}

/** A boolean that may be left out. */
export function flag(value: unknown, name: string, fallback = false): boolean {
  return value === undefined ? fallback : boolean(value, name);
}

/** An AbortSignal that may be left out. */
export function abortSignal(value: unknown, name: string): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw refuse(value, name, 'an AbortSignal');
}

/** A function that may be left out. */
export function callback<F extends (...given: never[]) => void>(value: unknown, name: string): F | undefined {
  if (value === undefined || typeof value === 'function') return value as F | undefined;
  throw refuse(value, name, 'a function');
}

/** An array of `min` to `max` items. */
export function array(value: unknown, name: string, min: number, max: number, blame?: Blame): unknown[] {
  if (Array.isArray(value) && within(value.length, min, max)) return value;
  throw refuse(value, name, `an array of ${min} to ${max} items`, blame);
}

function within(value: number, min: number, max: number): boolean {
  return min <= value && value <= max;
}

/** A value in a few words, whatever it is. */
export function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    const kind: unknown = value.constructor?.name;
    return typeof kind !== 'string' || kind === 'Object' ? 'an object' : `an object (${kind})`;
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`.slice(0, 60);
  return String(value).slice(0, 60);
}

/** @internal */
export function checkSeed(seed: number | undefined): number {
  return seed === undefined ? 0 : integer(seed, 'seed', 0, Number.MAX_SAFE_INTEGER);
}

/** @internal */
export function checkThreads(threads: number | undefined): number {
  if (threads === undefined) return Math.min(MAX_THREADS, availableParallelism());
  return integer(threads, 'threads', 1, MAX_THREADS);
}

export const MAX_THREADS = 256;
