import { readFileSync } from 'node:fs';
import { type CudaReport, cudaReportSync } from './cuda/devices.js';
import { guard } from './errors.js';
import { native } from './load.js';

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
  /** Those that can be used: `cpu`, and the name of a GPU. */
  devices: { name: string }[];
  /** What there is of CUDA, and why there is no more. */
  cuda: CudaReport;
}

/**
 * What this installation is and can do. Where the addon with CUDA is built, the first call tries it, in about a second.
 * Throws ERR_NATIVE_MISSING.
 */
export function info(): Info {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  const cuda = cudaReportSync();
  const used = cuda.devices.filter(({ number }) => number === cuda.device);
  return {
    version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    ...guard(() => native().info()),
    devices: [{ name: 'cpu' }, ...used.map(({ name }) => ({ name }))],
    cuda,
  };
}
