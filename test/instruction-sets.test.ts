import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deviceInfo } from '../lib/index.js';

/** What the kernels of each name need of the processor, as Linux calls it. */
const NEEDED = {
  avx2: ['avx2', 'fma'],
  avx512: ['avx2', 'fma', 'avx512f', 'avx512dq', 'avx512bw', 'avx512vl'],
};

describe('the instruction sets that deviceInfo() tells', () => {
  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'are those that Linux finds in this processor',
    async () => {
      const flags = /^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))![1]!.split(' ');
      const supported = Object.entries(NEEDED).filter(([, needed]) =>
        needed.every((flag) => flags.includes(flag)),
      );
      expect((await deviceInfo()).instructionSets).toEqual(['baseline', ...supported.map(([name]) => name)]);
    },
  );

  it.runIf(process.arch === 'arm64')('are NEON on a 64-bit Arm processor', async () => {
    expect(await deviceInfo()).toMatchObject({ instructionSet: 'neon', instructionSets: ['neon'] });
  });
});
