// sonospike live: words from standard input and from a microphone made for tests.
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hearing } from '../lib/cli/hearing.js';
import { loadModel, type Model } from '../lib/index.js';
import { native } from '../lib/native/load.js';
import { run, start, temporaryFolder } from './helpers/cli.js';
import { type FakeMicrophone, microphone } from './helpers/microphone.js';
import { joined, raw, SPEECH_RATE, speech } from './helpers/speech.js';
import { wav } from './helpers/wav.js';

const NAMES = ['7_kal_0', '1_rms_0', '0_enus_0'];
const WORDS = ['7', '1', '0'];

let folder: string;
let samples: Float32Array;
let spoken: Buffer;
let sound: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  samples = await speech(NAMES);
  spoken = raw(samples);
  sound = join(folder, 'spoken.raw');
  await writeFile(sound, spoken);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const live = (args: string[], input: Uint8Array) => run(['live', '-', ...args], { cwd: folder, input });
const wordsOf = (stdout: string) =>
  [...stdout.matchAll(/^ *\d+:\d\d\.\d {2}(\S+) +\d+\.\d%$/gm)].map(([, word]) => word);

interface Line {
  start: number;
  end: number;
  label: string;
  confidence: number;
  rejected: boolean;
  scores: number[];
  softmax: number[];
}
const linesOf = (stdout: string): Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('from standard input', () => {
  it('prints a line a word, and ends with it', async () => {
    const { status, stdout, stderr } = await live([], spoken);
    expect(stderr).toBe('');
    expect(wordsOf(stdout)).toEqual(WORDS);
    expect(stdout.trimEnd().split('\n')).toHaveLength(WORDS.length);
    expect(status).toBe(0);
  });

  it('prints JSON, with the scores that predict gives the same samples', async () => {
    const { stdout } = await live(['--json'], spoken);
    const model = await loadModel();
    const lines = linesOf(stdout);
    expect(lines.map(({ label }) => label)).toEqual(WORDS);
    for (const { start, end, confidence, ...line } of lines) {
      const cut = samples.slice(Math.round(start * SPEECH_RATE), Math.round(end * SPEECH_RATE));
      const alone = model.predictSync({ samples: cut, sampleRate: SPEECH_RATE });
      const { label, rejected, scores, softmax } = alone;
      expect(line).toEqual({ label, rejected, scores, softmax });
      expect(confidence).toBeLessThanOrEqual(alone.confidence + 1e-12);
    }
  });

  it('hears the last word although nothing follows it', async () => {
    const { stdout } = await live([], raw(samples.subarray(0, samples.length - 0.45 * SPEECH_RATE)));
    expect(wordsOf(stdout)).toEqual(WORDS);
  });

  it.each<[string, string[], () => Uint8Array]>([
    ['raw samples at 8 kHz', ['--rate', '8000'], () => raw(native().resample(samples, SPEECH_RATE, 8000))],
    [
      'a WAV that was streamed, with a comment and two channels',
      [],
      () => {
        const left = raw(samples);
        const both = Buffer.alloc(left.length * 2);
        for (let i = 0; i < left.length; i += 2) {
          left.copy(both, 2 * i, i, i + 2);
          left.copy(both, 2 * i + 2, i, i + 2);
        }
        const comment: [string, Uint8Array] = ['LIST', Buffer.from('INFOISFT\x05\0\0\0made\0')];
        const spec = { channels: 2, sampleRate: SPEECH_RATE, before: [comment] };
        return wav(both, { ...spec, riffSize: 0xffffffff, dataSize: 0xffffffff });
      },
    ],
    [
      'a WAV of floats at 44.1 kHz',
      [],
      () => {
        const at44 = native().resample(samples, SPEECH_RATE, 44_100);
        return wav(Buffer.from(at44.buffer), { format: 3, bits: 32, sampleRate: 44_100 });
      },
    ],
  ])('takes %s', async (_, args, input) => {
    const { status, stdout, stderr } = await live(args, input());
    expect({ status, stderr, words: wordsOf(stdout) }).toEqual({ status: 0, stderr: '', words: WORDS });
  });

  it('shows what is no word only if it is asked to', async () => {
    let random = 1;
    const burst = Float32Array.from({ length: 0.4 * SPEECH_RATE }, () => {
      random = (random * 48271) % 0x7fffffff;
      return 0.4 * (random / 0x7fffffff - 0.5);
    });
    const hiss = joined([await speech([]), burst, await speech([])]);
    expect((await live([], raw(hiss))).stdout).toBe('');
    const shown = await live(['--show-rejected'], raw(hiss));
    expect(shown.stdout).toMatch(/^ +0:00\.\d {2}\d +\d+\.\d% rejected\n/);
    expect(linesOf((await live(['--show-rejected', '--json'], raw(hiss))).stdout)[0]).toMatchObject({
      rejected: true,
    });
  });

  it('comes through npm', async () => {
    const stdout = await new Promise<string>((done, fail) => {
      const child = execFile('npm', ['run', '-s', 'live', '--', '-'], { cwd: resolve('.') }, (error, out) =>
        error ? fail(error) : done(out),
      );
      child.stdin?.end(spoken);
    });
    expect(wordsOf(stdout)).toEqual(WORDS);
  });

  it('prints words while the sound goes on, and Ctrl-C ends it', async () => {
    const running = start(['live', '-'], { cwd: folder, input: 'open' });
    running.child.stdin!.write(spoken);
    await running.printed(' 0 ');
    running.child.kill('SIGINT');
    const { status, stdout, stderr } = await running.finished;
    expect(status).toBe(130);
    expect(stderr).toMatch(/^sonospike: Stopped after \d:\d\d\.\d; \d words? recognised\.\n$/m);
    expect(wordsOf(stdout)).toEqual(WORDS);
  });

  it('ends quietly when nobody reads what it prints', async () => {
    const running = start(['live', '-'], { cwd: folder, input: 'open' });
    running.child.stdin!.write(spoken);
    await running.printed(' 0 ');
    running.child.stdout.destroy();
    running.child.stdin!.write(spoken);
    const { status, stderr } = await running.finished;
    expect(stderr).toMatch(/^sonospike: Stopped after .*\n$/);
    expect(status).toBe(141);
  });
});

describe('one clear line and a status for', () => {
  const nan = () => {
    const data = Buffer.alloc(4000);
    data.writeFloatLE(Number.NaN, 2000);
    return wav(data, { format: 3, bits: 32, sampleRate: 16_000 });
  };
  it.each<[string, string[], () => Uint8Array, RegExp]>([
    ['an empty input', [], () => Buffer.alloc(0), /nothing on standard input/],
    [
      'garbage in a WAV',
      [],
      () => Buffer.from(`RIFF\x10\0\0\0WAVE${'garbage!'.repeat(9)}`),
      /standard input is not a valid WAV/,
    ],
    ['a WAV that ends in its header', [], () => wav(spoken).subarray(0, 40), /ends before its samples begin/],
    ['a sample that is no number', [], nan, /not a finite number \(NaN, at position 500\)/],
    ['a FLAC', [], () => Buffer.from(`fLaC${'x'.repeat(100)}`), /standard input is not a valid FLAC file/],
    ['a wrong --rate', ['--rate', '10'], () => spoken, /--rate is 10; it must be an integer from 1000/],
    ['a device of standard input', ['--device', '1'], () => spoken, /--device is of the microphone/],
    ['a missing model', ['--model', 'nowhere.safetensors'], () => spoken, /No such file.*nowhere/],
  ])('%s', async (_, args, input, message) => {
    const { status, stdout, stderr } = await live(args, input());
    expect(stderr).toMatch(/^sonospike: [^\n]*\n$/);
    expect(stderr).toMatch(message);
    const usage = args.some((arg) => ['--rate', '--device'].includes(arg));
    expect({ status, stdout }).toEqual({ status: usage ? 2 : 1, stdout: '' });
  });

  it.each(['live', 'record'])('a rate that no stream has, although more may come: %s', async (command) => {
    const running = start([command, '-'], { cwd: folder, input: 'open' });
    running.child.stdin!.write(wav(spoken, { sampleRate: 100 }));
    const { status, stdout, stderr } = await running.finished;
    expect(stderr).toMatch(/^sonospike: The sound on standard input has 100 samples a second[^\n]*\n$/);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });

  it('a file', async () => {
    const { status, stderr } = await run(['live', 'a.wav']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^sonospike: "a\.wav" is no source of sound.*run-digit/);
  });
});

it.each([
  ['an odd byte', () => Buffer.concat([spoken, Buffer.of(1)]), /ended within a sample/],
  [
    'a WAV that was cut off',
    () => wav(spoken, { sampleRate: SPEECH_RATE }).subarray(0, -1000),
    /cut off 1000 bytes/,
  ],
])('remarks on %s, and prints the words', async (_, input, remark) => {
  const { status, stdout, stderr } = await live([], input());
  expect(stderr).toMatch(remark);
  expect(wordsOf(stdout)).toEqual(WORDS);
  expect(status).toBe(0);
});

it('a failure at the end of the sound is told', async () => {
  const stream = new Writable({ final: (done) => done(new Error('no memory')) });
  const hearing = new Hearing({ stream: () => stream } as unknown as Model, 8000);
  await expect(hearing.end()).rejects.toThrow('no memory');
});

describe('from a microphone', () => {
  const withFake = (fake: FakeMicrophone) => ({ cwd: folder, env: microphone({ sound, ...fake }) });

  it('prints the words until Ctrl-C, and nothing that the sound system prints', async () => {
    const running = start(['live', '--device', 'oth'], withFake({}));
    await running.printed(' 0 ');
    running.child.kill('SIGINT');
    const { status, stdout, stderr } = await running.finished;
    expect(wordsOf(stdout)).toEqual(WORDS);
    expect(stderr).toMatch(
      /^Listening to Other\. Ctrl-C ends\.\nStopping in good order; .*\nsonospike: Stopped after .*\n$/,
    );
    expect(status).toBe(130);
  });

  it.each<[FakeMicrophone['afterwards'], RegExp]>([
    ['stop', /the device stopped/],
    ['crash', /the process that reads it ended/],
    ['fail', /it was pulled out/],
    ['hang', /no samples for 5 seconds/],
    ['nothing', /no samples for 5 seconds/],
  ])('says that it is gone when it does: %s', async (afterwards, reason) => {
    const { status, stdout, stderr } = await run(['live'], withFake({ afterwards: afterwards! }));
    expect(wordsOf(stdout)).toEqual(WORDS);
    expect(stderr).toMatch(/^Listening .*\nsonospike: The microphone Fake is gone \(.*\n$/);
    expect(stderr).toMatch(reason);
    expect(status).toBe(1);
  });

  it.each<[FakeMicrophone, string[], RegExp]>([
    [{ missing: true }, [], /npm install @picovoice\/pvrecorder-node\. Or pipe the sound in/],
    [{ broken: 'wrong CPU' }, [], /does not work on this machine \(wrong CPU\)/],
    [{ fails: 'no card' }, [], /No microphone can be opened \(no card\)/],
    [{}, ['--device', '3'], /No one microphone is called "3"\. There are: 0 Fake, 1 Fake Monitor, 2 Other/],
    [{}, ['--device', 'fake m0'], /No one microphone is called "fake m0"/],
    [{ devices: [] }, ['--device', '0'], /There are: none/],
    [{ missing: true }, ['--list-devices'], /npm install/],
  ])('says what is missing: %j %j', async (fake, args, message) => {
    const { status, stdout, stderr } = await run(['live', ...args], withFake(fake));
    expect(stderr).toMatch(/^sonospike: [^\n]*\n$/);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });

  it('lists the devices', async () => {
    expect((await run(['live', '--list-devices'], withFake({}))).stdout).toBe(
      '0 Fake\n1 Fake Monitor\n2 Other\n',
    );
    const { stdout } = await run(['record', '--list-devices', '--json'], withFake({}));
    expect(JSON.parse(stdout)).toEqual(['Fake', 'Fake Monitor', 'Other']);
    const none = await run(['live', '--list-devices'], withFake({ devices: [] }));
    expect(none).toMatchObject({ status: 0, stdout: '', stderr: 'There is no microphone.\n' });
  });

  it('finds a device by its whole name although others have it in theirs', async () => {
    const { stderr } = await run(['live', '--device', 'Fake'], withFake({ afterwards: 'stop' }));
    expect(stderr).toMatch(/^Listening to Fake\./);
  });

  it('remarks on one that gives nothing but zeros', async () => {
    const zeros = join(folder, 'zeros.raw');
    await writeFile(zeros, Buffer.alloc(2 * 4 * SPEECH_RATE));
    const { stderr } = await run(['live'], withFake({ sound: zeros, afterwards: 'stop' }));
    expect(stderr.match(/nothing but digital silence/g)).toHaveLength(1);
  });
});
