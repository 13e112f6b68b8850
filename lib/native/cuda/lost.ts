let reason: string | null = null;

/** Records that the GPU in use failed at work. `why` is the driver's message. */
export function noteLostDevice(why: string): void {
  reason ??= why;
}

/** The driver's message when the GPU in use failed at work; null if none has failed. */
export function lostDeviceReason(): string | null {
  return reason;
}
