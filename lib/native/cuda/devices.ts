import { type ErrorCode, SonospikeError } from '../../support/errors.js';
import { requireFile } from '../../support/package-files.js';
import type { NativeAddon, NativeCudaInfo } from '../addon.js';
import { lostDeviceReason } from './lost.js';
import { addonPath, PACKAGE_FOLDER, type ProbeAnswer, type Probed, probe } from './probe.js';

/** An NVIDIA GPU. */
export interface CudaDevice {
  /** The driver's number for it, from 0. */
  number: number;
  /** Name of the product. */
  name: string;
  /** Bytes of memory. */
  memory: number;
  /** Bytes of memory that were free when the GPU was tried. */
  freeMemory: number;
  /** Compute capability, as in `9.0`. */
  computeCapability: string;
  /** Number of streaming multiprocessors. */
  multiprocessors: number;
  /** Why the device cannot be used; null where it can be, as far as it was tried: devices after the one in use are not. */
  whyNot: string | null;
}

/** What there is of CUDA. */
export interface CudaReport {
  /** Whether the addon with CUDA is there. */
  built: boolean;
  /** Newest version of CUDA that the driver knows; null without a driver. */
  driver: string | null;
  /** Version of CUDA that the addon is built with; null without the addon. */
  runtime: string | null;
  /** Every GPU that the driver lists. */
  devices: CudaDevice[];
  /** Number of the GPU that is used; null if none can be used. */
  device: number | null;
  /** Why no GPU can be used; null if one can. */
  whyNot: string | null;
}

/** The report, and the code of the error for a caller who asked for a GPU. */
interface Known {
  report: CudaReport;
  code: ErrorCode;
}

const NONE: CudaReport = {
  built: false,
  driver: null,
  runtime: null,
  devices: [],
  device: null,
  whyNot: null,
};

let probing: Promise<Known> | undefined;

/** What there is of CUDA. The first call in a process tries it in a child process. Never throws. */
export async function cudaReport(): Promise<CudaReport> {
  return (await find()).report;
}

async function find(): Promise<Known> {
  probing ??= probe().then(toKnown);
  const known = await probing;
  const reason = lostDeviceReason();
  return reason === null ? known : withoutLost(known, reason);
}

/**
 * The report after the device in use was lost at work: CUDA gives nothing more to a process after that, so that no
 * device is used any longer.
 * @param reason the driver's message
 */
function withoutLost(known: Known, reason: string): Known {
  const lost = known.report.devices.find(({ number }) => number === known.report.device);
  if (!lost) return known;
  const lostAtWork = `was lost at work: ${reason.replace(/\.?$/, '')}`;
  const devices = known.report.devices.map((each) =>
    each === lost ? { ...each, whyNot: `it ${lostAtWork}` } : each,
  );
  const whyNot = `${lost.name} ${lostAtWork}. A new process may be able to use it again.`;
  return { report: { ...known.report, devices, device: null, whyNot }, code: 'ERR_DEVICE_LOST' };
}

/** A GPU that can be used, and the addon that computes on it. */
export interface CudaPlace {
  addon: NativeAddon;
  device: CudaDevice;
}

/** The addon and the GPU to use, or the error that says why there is none. */
export async function cudaPlace(): Promise<CudaPlace | SonospikeError> {
  return placeOf(await find());
}

function placeOf({ report, code }: Known): CudaPlace | SonospikeError {
  const device = report.devices.find(({ number }) => number === report.device);
  if (!device) return new SonospikeError(code, `${report.whyNot} Device 'cpu' needs none of this.`);
  try {
    return { addon: requireFile(addonPath()) as NativeAddon, device };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new SonospikeError('ERR_DEVICE_UNUSABLE', unusable(why), { cause });
  }
}

function toKnown(probed: Probed): Known {
  if (probed === null) {
    const whyNot =
      'The part of sonospike for NVIDIA GPUs is not built. With the CUDA toolkit and CMake installed, run ' +
      `"npm run build:cuda" in ${PACKAGE_FOLDER}.`;
    return { report: { ...NONE, whyNot }, code: 'ERR_DEVICE_MISSING' };
  }
  if (typeof probed === 'string') {
    return { report: { ...NONE, built: true, whyNot: unusable(probed) }, code: 'ERR_DEVICE_UNUSABLE' };
  }
  return toKnownDevices(probed);
}

function toKnownDevices({ info, failures }: ProbeAnswer): Known {
  const devices = info.devices.map((device, number) => toDevice(device, number, failures[number]));
  const device = devices.find(({ whyNot }) => whyNot === null)?.number ?? null;
  const report = {
    built: true,
    driver: version(info.driverVersion),
    runtime: version(info.runtimeVersion),
    devices,
    device,
    whyNot: null,
  };
  if (device !== null) return { report, code: 'ERR_INTERNAL' };
  if (devices.length === 0) {
    const whyNot =
      `There is no CUDA device: ${info.whyNone}. It takes an NVIDIA GPU and its driver ` +
      '(https://www.nvidia.com/drivers), and in a container to be let in ("docker run --gpus all").';
    return { report: { ...report, whyNot }, code: 'ERR_DEVICE_MISSING' };
  }
  const whyNot = `No CUDA device can be used. ${devices.map((each) => `${each.name}: ${each.whyNot}.`).join(' ')}`;
  const code = Object.keys(failures).length > 0 ? 'ERR_DEVICE_UNUSABLE' : 'ERR_DEVICE_UNSUPPORTED';
  return { report: { ...report, whyNot }, code };
}

function toDevice(
  {
    name,
    memory,
    freeMemory,
    major,
    minor,
    multiprocessors,
    supported,
    whyNot,
  }: NativeCudaInfo['devices'][number],
  number: number,
  failure: string | undefined,
): CudaDevice {
  const computeCapability = `${major}.${minor}`;
  const reason = supported ? (failure ?? null) : `compute capability ${computeCapability} (${whyNot})`;
  return { number, name, memory, freeMemory, computeCapability, multiprocessors, whyNot: reason };
}

function unusable(why: string): string {
  return `The CUDA addon ${addonPath()} cannot be used: ${why}. "npm run build:cuda" in ${PACKAGE_FOLDER} builds it anew.`;
}

/** 13000 → 13.0 */
function version(number: number): string | null {
  return number === 0 ? null : `${Math.floor(number / 1000)}.${Math.floor((number % 1000) / 10)}`;
}
