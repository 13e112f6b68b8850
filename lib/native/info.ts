import { packageVersion } from '../support/version.js';
import type { AddonFile } from './addon-file.js';
import { type CudaReport, cudaReport } from './cuda/devices.js';
import { guard } from './errors.js';
import { addonFile, native } from './load.js';

/** What `deviceInfo` tells of this installation and this machine. */
export interface DeviceInfo {
  /** Version of sonospike. */
  version: string;
  /** Version of Node.js. */
  node: string;
  /** Operating system and processor, as in `linux-x64`. */
  platform: string;
  /** Cores that this process may use. */
  threads: number;
  /**
   * Instruction set of the kernels in use: `baseline` (SSE2), `avx2`, `avx512` or `neon`. The environment variable
   * SONOSPIKE_ISA chooses another.
   */
  instructionSet: string;
  /** Instruction sets that this machine has. */
  instructionSets: string[];
  /** Compiler of the native addon. */
  compiler: string;
  /** File of the native addon, and why it is the one that is loaded. */
  addon: AddonFile;
  /** Devices that can be used: `cpu`, and the name of a GPU. */
  devices: { name: string }[];
  /** What there is of CUDA, and why there is no more. */
  cuda: CudaReport;
}

/** `deviceInfo` of index.ts. */
export async function deviceInfo(): Promise<DeviceInfo> {
  const cuda = await cudaReport();
  const used = cuda.devices.filter(({ number }) => number === cuda.device);
  return {
    version: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    ...guard(() => native().info()),
    addon: addonFile(),
    devices: [{ name: 'cpu' }, ...used.map(({ name }) => ({ name }))],
    cuda,
  };
}
