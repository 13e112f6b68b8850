// Lets plain Node run test/golden.test.ts, on machines where vitest does not run: `node --import` this file. The library
// is the built one, and `vitest` stands for the few functions that the test uses.
import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';

const MATCHERS = {
  toBe: assert.equal,
  toEqual: assert.deepEqual,
  toBeLessThan: (actual, limit, message) => assert.ok(actual < limit, `${message}: ${actual} is not below ${limit}`),
  toBeGreaterThanOrEqual: (actual, limit, message) =>
    assert.ok(actual >= limit, `${message}: ${actual} is below ${limit}`),
};

const expect = (actual, message) =>
  Object.fromEntries(
    Object.entries(MATCHERS).map(([name, check]) => [name, (wanted) => check(actual, wanted, message)]),
  );

/** `define` for every row, which the title names by `$key` or `%s`. */
const each = (define) => (rows) => (title, body) => {
  for (const row of rows) {
    const name = title.replace(/\$(\w+)/g, (_, key) => row[key]).replace('%s', String(row));
    define(name, () => body(row));
  }
};

globalThis.vitestForGolden = {
  expect,
  describe: Object.assign(describe, { each: each(describe) }),
  it: Object.assign(it, { each: each(it) }),
};

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'vitest') return { url: 'vitest:', shortCircuit: true };
    if (!context.parentURL?.endsWith('.test.ts')) return next(specifier, context);
    return next(specifier.replace(/^\.\.\/lib\//, '../dist/'), context);
  },
  load(url, context, next) {
    if (url !== 'vitest:') return next(url, context);
    const source = 'export const { describe, expect, it } = globalThis.vitestForGolden;';
    return { format: 'module', source, shortCircuit: true };
  },
});
