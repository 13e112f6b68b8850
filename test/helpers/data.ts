import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(process.env.SONOSPIKE_DATA ?? '../shared');

/** The path of something in the folder that holds `data/` and `seed/`, or null if it is not there. */
export function shared(path: string): string | null {
  const full = resolve(root, path);
  return existsSync(full) ? full : null;
}

/**
 * The same for tests that need it: `describe.skipIf(needs('data/fsdd').missing)(…)`. Says so when it is missing;
 * `path` is only to be used inside of tests that then run.
 */
export function needs(path: string): { path: string; missing: boolean } {
  const found = shared(path);
  if (found === null) {
    console.warn(`Tests skipped: ${path} is not in ${root}. Set SONOSPIKE_DATA to the folder that holds it.`);
  }
  return { path: found ?? resolve(root, path), missing: found === null };
}
