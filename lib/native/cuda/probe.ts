import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { packageFolder } from '../../support/package-files.js';
import { isThere } from '../../support/permission.js';
import type { NativeCudaInfo } from '../addon.js';

const ROOT = packageFolder();
const CHILD = join(ROOT, 'dist/native/cuda/probe-child.js');
/** A driver may have to compile the kernels for a GPU that is newer than this addon. */
const PATIENCE = 120; // s

/** What the child process that tries the addon prints. */
export interface ProbeAnswer {
  info: NativeCudaInfo;
  /** Why a GPU that the addon is built for cannot be trusted, by its number. */
  failures: Record<number, string>;
}

/** What the probe found; a text says why the addon cannot be used, null that it is not there. */
export type Probed = ProbeAnswer | string | null;

/** Where `npm run build:cuda` leaves the addon; the environment variable SONOSPIKE_CUDA_ADDON names another. */
export function addonPath(): string {
  return process.env.SONOSPIKE_CUDA_ADDON || join(ROOT, 'build-cuda/Release/sonospike.node');
}

/** The folder in which to run `npm run build:cuda`. */
export const PACKAGE_FOLDER = ROOT;

/**
 * Tries the addon in a process of its own, so that a driver that crashes or hangs takes nothing else with it. Never
 * throws.
 */
export function probe(): Promise<Probed> {
  const file = addonPath();
  if (!isThere(file)) return Promise.resolve(null);
  const options = { ...childOptions(), maxBuffer: 2 ** 24 };
  return new Promise((done) => {
    const child = execFile(process.execPath, [CHILD, file], options, (error, stdout, stderr) => {
      const late = error?.killed === true;
      done(toProbed({ status: child.exitCode, signal: child.signalCode, late, stdout, stderr }));
    });
  });
}

function patience(): number {
  return Number(process.env.SONOSPIKE_PROBE_SECONDS) || PATIENCE;
}

function childOptions() {
  return {
    encoding: 'utf8' as const,
    timeout: patience() * 1000,
    killSignal: 'SIGKILL' as const,
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  };
}

interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  /** Killed because it took too long. */
  late: boolean;
  stdout: string;
  stderr: string;
}

function toProbed({ status, signal, late, stdout, stderr }: Ended): ProbeAnswer | string {
  if (status === 0) {
    try {
      return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as ProbeAnswer;
    } catch {
      return 'the process that tried it did not print what it should';
    }
  }
  if (late) return `the process that tried it did not end within ${patience()} s`;
  const error = /^\w*Error: .*$/m.exec(stderr ?? '')?.[0] ?? (stderr ?? '').trim().split('\n').at(-1);
  return `the process that tried it ended with ${signal ?? `status ${status}`}${error ? ` (${error})` : ''}`;
}
