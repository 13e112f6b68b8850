import { SonospikeError } from '../support/errors.js';
import type { Output } from './output.js';

const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

type StopName = keyof typeof STATUS;

/**
 * npm passes on the SIGINT that a terminal has sent to both of them: one press of Ctrl-C comes twice. A signal
 * this soon after the first is the same press, in milliseconds.
 */
const SAME_PRESS = 700;

/** As of a program that SIGPIPE has ended. */
const CLOSED_PIPE = 141;

/** Why a command was stopped; the `cause` of its ERR_ABORTED. */
export class StopSignal extends Error {
  readonly status: number;

  constructor(by: string, status: number) {
    super(`stopped by ${by}`);
    this.status = status;
  }
}

/** Stops what `stoppable` runs at the moment. */
let running: AbortController | null = null;

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
      controller.abort(new StopSignal(name, STATUS[name]));
    } else if (performance.now() - stoppedAt > SAME_PRESS) {
      stopListening();
      process.kill(process.pid, name);
    }
  };
  const stopListening = () => {
    running = null;
    for (const name of Object.keys(STATUS)) process.off(name, stop);
  };
  running = controller;
  for (const name of Object.keys(STATUS)) process.on(name, stop);
  try {
    return await run(controller.signal);
  } finally {
    stopListening();
  }
}

/**
 * Ends the program quietly when what reads its output goes away, as in `sonospike evaluate | head`: at once, or in good
 * order what can be stopped so. Its status is not 0, as a result was not delivered.
 */
export function endOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
      process.exitCode = CLOSED_PIPE;
      if (running === null) process.exit();
      running.abort(new StopSignal('a closed pipe', CLOSED_PIPE));
    });
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
