import { createRequire } from 'node:module';

let loaded: typeof import('wavefile') | undefined;

/**
 * The `wavefile` package, loaded when the first WAV is read or written. As a CommonJS module it is asked for with
 * `require`: an `import` would parse it twice, which costs more than the rest of `import('sonospike')`.
 */
export function wavefile(): typeof import('wavefile') {
  loaded ??= createRequire(import.meta.url)('wavefile') as typeof import('wavefile');
  return loaded;
}
