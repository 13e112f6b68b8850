import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

/** How a child ended; `null` status with a signal is a crash, SIGKILL one that hung. */
export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

const TIMEOUT = 120_000; // ms

/** Runs a script of test/hazards/children in a process of its own, so that a crash is seen as one. */
export function runChild(script: string, args: string[] = [], nodeArgs: string[] = []): Promise<Ended> {
  const file = resolve('test/hazards/children', script);
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [...nodeArgs, file, ...args],
      { timeout: TIMEOUT, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 },
      (_, stdout, stderr) => done({ status: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
}

/** What `expect(…).toMatchObject` wants of a child that ended as it should. */
export const CLEAN = { status: 0, signal: null };
