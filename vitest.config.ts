import { dirname, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The CommonJS files of lib are loaded as they are built: Vite does not compile `.cts`. */
const builtCommonJs = {
  name: 'built-commonjs',
  enforce: 'pre' as const,
  resolveId(source: string, importer: string | undefined) {
    if (!source.endsWith('.cjs') || !source.startsWith('.') || importer === undefined) return null;
    const id = resolve(dirname(importer), source).replace(/([\\/])lib([\\/])/, '$1dist$2');
    return { id, external: true };
  },
};

export default defineConfig({
  plugins: [builtCommonJs],
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: '100%', // many wait for children, timers or a browser
    globalSetup: ['test/helpers/build.ts'],
    // What has bits of its own is tested on the CPU, also where there is a GPU.
    env: { SONOSPIKE_DEVICE: process.env.SONOSPIKE_DEVICE ?? 'cpu' },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // One second, as it comes, is short on a machine that does other things too.
    expect: { poll: { timeout: 30_000 } },
  },
});
