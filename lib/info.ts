import { readFileSync } from 'node:fs';
import { guard } from './model.js';
import { native } from './native.js';

export interface Info {
  version: string;
  node: string;
  platform: string;
  /** Cores that this process may use. */
  threads: number;
  /** Of the kernels in use: `baseline`, `avx2` or `avx512`; set SONOSPIKE_ISA to choose another. */
  instructionSet: string;
  /** Those that this machine has. */
  instructionSets: string[];
  compiler: string;
  devices: { name: string }[];
}

/** What this installation is and can do. Throws ERR_NATIVE_MISSING. */
export function info(): Info {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return {
    version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    ...guard(() => native().info()),
    devices: [{ name: 'cpu' }],
  };
}
