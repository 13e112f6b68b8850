import { defineConfig } from 'vitest/config';

export default defineConfig({
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
