import { SonospikeError } from '../support/errors.js';
import { choice } from '../support/options.js';
import type { NativeAddon } from './addon.js';
import type { CudaPlace } from './cuda/devices.js';
import { native } from './load.js';

/** Where a network computes. */
export type Device = 'cpu' | 'cuda';

/**
 * `cuda`: on an NVIDIA GPU, or an error that says what is missing; `auto`: there if it can be used, else on the CPU.
 * Of several GPUs the first that can be used is taken, in the driver's order (CUDA_VISIBLE_DEVICES changes that).
 */
export type DeviceChoice = 'auto' | Device;

export const deviceChoices = ['auto', 'cpu', 'cuda'] as const satisfies DeviceChoice[];

/** A device, and the addon that computes on it. */
export interface Place {
  device: Device;
  /** Name of the GPU, or `cpu`. */
  name: string;
  addon: NativeAddon;
  /** Number of the GPU; undefined: the CPU. */
  number: number | undefined;
}

/**
 * The CPU.
 * @throws SonospikeError ERR_NATIVE_MISSING
 */
export function host(): Place {
  return { device: 'cpu', name: 'cpu', addon: native(), number: undefined };
}

/**
 * The device that was asked for; where none was, that of the environment variable SONOSPIKE_DEVICE, else `usual`.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function checkDevice(given: unknown, usual: DeviceChoice): DeviceChoice {
  if (given !== undefined) return choice(given, 'device', deviceChoices);
  return choice(process.env.SONOSPIKE_DEVICE || usual, 'SONOSPIKE_DEVICE', deviceChoices);
}

/**
 * The place to compute. Where that may be a GPU, the first call in a process tries it in a child process, which takes
 * about a second.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_NATIVE_MISSING; for `cuda` ERR_DEVICE_MISSING,
 * ERR_DEVICE_UNSUPPORTED, ERR_DEVICE_UNUSABLE
 */
export async function choosePlace(given: unknown, usual: DeviceChoice): Promise<Place> {
  const wanted = checkDevice(given, usual);
  if (wanted === 'cpu') return host();
  const { cudaPlace } = await import('./cuda/devices.js');
  return placeOn(wanted, await cudaPlace());
}

function placeOn(wanted: DeviceChoice, cuda: CudaPlace | SonospikeError): Place {
  if (!(cuda instanceof SonospikeError)) {
    const { addon, device } = cuda;
    return { device: 'cuda', name: device.name, addon, number: device.number };
  }
  if (wanted === 'cuda') throw cuda;
  return host();
}
