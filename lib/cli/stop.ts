import { SonospikeError } from '../support/errors.js';
import type { Output } from './output.js';

const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

type StopName = keyof typeof STATUS;

/**
 * npm passes on the SIGINT that a terminal has sent to both of them: one press of Ctrl-C comes twice. A signal
 * this soon after the first is the same press, in milliseconds.
 */
const SAME_PRESS = 700;

/** Why a command was stopped; the `cause` of its ERR_ABORTED. */
export class StopSignal extends Error {
  readonly status: number;

  constructor(name: StopName) {
    super(`stopped by ${name}`);
    this.status = STATUS[name];
  }
}

/**
 * Runs something that can be stopped in good order: the first SIGINT or SIGTERM aborts `signal`, another one ends
 * the process at once.
 */
export async function stoppable<T>(out: Output, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let stoppedAt: number | null = null;
  const stop = (name: StopName) => {
    if (stoppedAt === null) {
      stoppedAt = performance.now();
      out.note('Stopping in good order; Ctrl-C once more ends at once.');
      controller.abort(new StopSignal(name));
    } else if (performance.now() - stoppedAt > SAME_PRESS) {
      stopListening();
      process.kill(process.pid, name);
    }
  };
  const stopListening = () => {
    for (const name of Object.keys(STATUS)) process.off(name, stop);
  };
  for (const name of Object.keys(STATUS)) process.on(name, stop);
  try {
    return await run(controller.signal);
  } finally {
    stopListening();
  }
}

/** Codes of errors that the command line itself is to blame for. */
const USAGE: readonly string[] = ['ERR_INVALID_OPTION', 'ERR_UNKNOWN_PRESET', 'ERR_SPLIT_INVALID'];

/** The exit status that an error calls for: 2 for wrong usage, that of the signal after a stop, else 1. */
export function exitStatus(error: unknown): number {
  if (!(error instanceof SonospikeError)) return 1;
  if (USAGE.includes(error.code)) return 2;
  return error.code === 'ERR_ABORTED' && error.cause instanceof StopSignal ? error.cause.status : 1;
}
