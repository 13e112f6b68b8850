// The real microphone package on a sound server of its own, whose only device is a sink that goes nowhere: what is
// played into it is what the microphone hears. Debian: apt-get install pulseaudio pulseaudio-utils
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, start, temporaryFolder } from './helpers/cli.js';

const execute = promisify(execFile);

/** What the test needs and is not there. */
function missing(): string[] {
  const programs = ['pulseaudio', 'pactl', 'paplay'].filter((program) => {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  try {
    createRequire(import.meta.url).resolve('@picovoice/pvrecorder-node');
    return programs;
  } catch {
    return [...programs, '@picovoice/pvrecorder-node'];
  }
}

const lacking = missing();
const title =
  lacking.length === 0 ? 'a virtual microphone' : `a virtual microphone (skipped: no ${lacking.join(', ')})`;

describe.skipIf(lacking.length > 0)(title, () => {
  let folder: string;
  let server: ChildProcess;
  let env: Record<string, string>;

  const startServer = async () => {
    const modules = ['module-native-protocol-unix', 'module-null-sink sink_name=virtual'];
    const options = ['-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1'];
    server = spawn('pulseaudio', [...options, ...modules.map((module) => `--load=${module}`)], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
    for (let i = 0; i < 300; i++) {
      const ready = await pactl('info').then(
        () => true,
        () => false,
      );
      if (ready) return;
      await wait(100);
    }
    throw new Error('PulseAudio did not start');
  };
  const pactl = (...args: string[]) => execute('pactl', args, { env: { ...process.env, ...env } });
  const play = (clip: string) =>
    execute('paplay', ['--device=virtual', resolve('samples', `${clip}.wav`)], {
      env: { ...process.env, ...env },
    });

  /** Plays a clip, and again if nothing has come of it: a machine that is short of time drops pieces of the sound. */
  const playUntil = async (event: Promise<unknown>, clip: string) => {
    let come = false;
    const coming = event.then(() => {
      come = true;
    });
    while (!come) {
      await play(clip);
      await Promise.race([coming, wait(3000)]);
    }
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    const runtime = join(folder, 'run');
    await mkdir(runtime, { mode: 0o700 });
    const server = `unix:${join(runtime, 'pulse', 'native')}`;
    env = { XDG_RUNTIME_DIR: runtime, HOME: folder, PULSE_SERVER: server };
    await startServer();
  });
  afterAll(async () => {
    server?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('is listed', async () => {
    const { stdout } = await run(['record', '--list-devices'], { env });
    expect(stdout).toBe('0 Monitor of Null Output\n');
  });

  it('records the digit that is played', async () => {
    let heard: unknown;
    for (let attempt = 0; attempt < 5 && heard !== '3'; attempt++) {
      const running = start(['record', '--json'], { cwd: folder, env });
      await running.printed('Say a word.', 'stderr');
      await playUntil(running.finished, '3_kal_0');
      const { status, stdout, stderr } = await running.finished;
      expect(status, stderr).toBe(0);
      heard = JSON.parse(stdout).label;
    }
    expect(heard).toBe('3');
  }, 180_000);

  it('leads through a session', async () => {
    const args = ['record', '--labels', 'three,seven', '--count', '1', '--out', 'mine'];
    const running = start(args, { cwd: folder, env });
    await running.printed('Say three (1 of 2)', 'stderr');
    await playUntil(running.printed('Say seven (2 of 2)', 'stderr'), '3_kal_0');
    await playUntil(running.finished, '7_kal_0');
    const { status, stdout, stderr } = await running.finished;
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/mine\/me\/three_me_0\.wav .*\n.*mine\/me\/seven_me_0\.wav /);
  }, 180_000);

  it('is gone when the sound server is', async () => {
    const running = start(['live'], { cwd: folder, env });
    await running.printed('Listening to Monitor of Null Output', 'stderr');
    server.kill('SIGKILL');
    const { status, stderr } = await running.finished;
    expect(stderr).toMatch(/sonospike: The microphone Monitor of Null Output is gone \(/);
    expect(status).toBe(1);
  }, 180_000);
});
