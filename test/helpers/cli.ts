import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const MAIN = resolve('dist/cli/main.js');
const SAMPLES = resolve('samples');

export interface Finished {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcessByStdio<Writable | null, Readable, Readable>;
  finished: Promise<Finished>;
  /** Resolves when the text has come. */
  printed(text: string, stream?: 'stdout' | 'stderr'): Promise<void>;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** What comes on standard input: nothing if left out, and 'open' leaves it to the caller. */
  input?: Uint8Array | 'open';
}

/** Starts the built command in a process of its own. */
export function start(args: string[], options: RunOptions = {}): Running {
  return startNode([MAIN, ...args], options);
}

export function run(args: string[], options: RunOptions = {}): Promise<Finished> {
  return start(args, options).finished;
}

/** Runs a command with `--json` and parses what it printed. */
export async function runJson(args: string[], options: RunOptions = {}) {
  const { status, stdout, stderr } = await run([...args, '--json'], options);
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return { document: JSON.parse(stdout), stderr };
}

export function startNode(args: string[], { cwd, env, input }: RunOptions = {}): Running {
  // Left to npm, the hints would speak of npm run.
  const { npm_lifecycle_event: _, npm_command: __, ...inherited } = process.env;
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...inherited, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  }) as Running['child'];
  // A command may end before it has read everything.
  child.stdin?.on('error', () => {});
  if (input !== undefined && input !== 'open') child.stdin?.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((done, fail) => {
    child.on('error', fail);
    child.on('close', (status, signal) => done({ status, signal, stdout, stderr }));
  });
  const printed: Running['printed'] = (text, stream = 'stdout') =>
    new Promise<void>((done, fail) => {
      const look = () => (stream === 'stdout' ? stdout : stderr).includes(text) && done();
      child[stream].on('data', look);
      look();
      void finished.then(() => fail(new Error(`"${text}" was never printed. ${stderr}`)));
    });
  return { child, finished, printed };
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sonospike-cli-'));
}

/** Copies the shipped samples of some digits into a new folder. */
export async function copySamples(folder: string, digits: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const files = (await readdir(SAMPLES)).filter((file) => file.endsWith('.wav') && digits.includes(file[0]!));
  await Promise.all(files.map((file) => copyFile(join(SAMPLES, file), join(folder, file))));
  return folder;
}
