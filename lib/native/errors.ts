import type { ErrorCode } from '../support/errors.js';
import { SonospikeError } from '../support/errors.js';
import { noteLostDevice } from './cuda/lost.js';

const NATIVE_CODES: readonly string[] = [
  'ERR_ABORTED',
  'ERR_AUDIO_NOT_FINITE',
  'ERR_BUSY',
  'ERR_CLOSED',
  'ERR_OUT_OF_MEMORY',
  'ERR_DEVICE_MISSING',
  'ERR_DEVICE_UNSUPPORTED',
  'ERR_DEVICE_MEMORY',
  'ERR_DEVICE_LOST',
  'ERR_INTERNAL',
] satisfies ErrorCode[];

/** What to do about errors of a GPU, after what the driver says. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  ERR_DEVICE_MEMORY:
    "Use shorter clips, a smaller network, or device 'cpu'; other programs may hold some of it.",
  ERR_DEVICE_LOST:
    "The work in progress is lost; files are whole. In a new process, or with device 'cpu', a training goes on from its checkpoint.",
};

/** The `SonospikeError` for what the addon threw. */
export function fromNative(error: unknown): unknown {
  if (error instanceof SonospikeError || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== undefined && NATIVE_CODES.includes(code)) {
    if (code === 'ERR_DEVICE_LOST') noteLostDevice(error.message);
    const advice = ADVICE[code as ErrorCode];
    const message = advice ? `${error.message.replace(/\.?$/, '.')} ${advice}` : error.message;
    return new SonospikeError(code as ErrorCode, message, { cause: error });
  }
  return error instanceof TypeError
    ? new SonospikeError('ERR_INVALID_OPTION', error.message, { cause: error })
    : error;
}

/** Runs a call of the addon, and turns its errors into `SonospikeError`s. */
export function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

/** `guard` for a call that gives a promise. */
export async function guardAsync<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromNative(error);
  }
}
