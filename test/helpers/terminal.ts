import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const MAIN = resolve('dist/cli/main.js');

/** `script` of util-linux runs a program in a pseudo-terminal; that of BSD has other options. */
export const hasTerminal =
  process.platform === 'linux' &&
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');

if (!hasTerminal) console.warn('Skipped: tests in a terminal need `script` of util-linux.');

export interface Screen {
  status: number | null;
  /** Everything that was written, as it came. */
  raw: string;
  /** The lines that stay when the command has ended. */
  lines: string[];
}

/** Runs the built command in a terminal of so many columns; stdout and stderr are one there. */
export async function runInTerminal(args: string[], columns: number, cwd: string): Promise<Screen> {
  const quoted = [process.execPath, MAIN, ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`);
  const command = `stty cols ${columns} rows 24; exec ${quoted.join(' ')}`;
  const folder = await mkdtemp(join(tmpdir(), 'sonospike-terminal-'));
  const { npm_lifecycle_event: _, npm_command: __, ...env } = process.env;
  const child = spawn('script', ['-qec', command, join(folder, 'typescript')], {
    cwd,
    env: { ...env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let raw = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text;
  });
  const status = await new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  await rm(folder, { recursive: true });
  // `\r\x1b[K` begins the line of the cursor anew.
  const lines = raw
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r\x1b[K') + 1).replace('\x1b[K', ''));
  return { status, raw, lines };
}
