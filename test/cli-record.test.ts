// sonospike record: single recordings, sessions, and the way from a session to a recogniser.
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadModel, openDataset, readAudio } from '../lib/index.js';
import { native } from '../lib/native/load.js';
import { run, runJson, start, temporaryFolder } from './helpers/cli.js';
import { microphone } from './helpers/microphone.js';
import { joined, raw, SPEECH_RATE, speech } from './helpers/speech.js';
import { wav } from './helpers/wav.js';

let root: string;
let folder: string;
let count = 0;

beforeAll(async () => {
  root = await temporaryFolder();
});
beforeEach(async () => {
  folder = join(root, String(count++));
  await mkdir(folder);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const record = (input: Uint8Array, ...args: string[]) =>
  run(['record', '-', ...args], { cwd: folder, input });
const recordJson = async (input: Uint8Array, ...args: string[]) =>
  (await runJson(['record', '-', ...args], { cwd: folder, input })).document;
const exists = (name: string) =>
  access(join(folder, name)).then(
    () => true,
    () => false,
  );

describe('a single recording', () => {
  it('is the first word, with silence around it, as a 16 kHz WAV of 16 bits', async () => {
    const samples = await speech(['3_kal_0', '1_rms_0']);
    const { file, label, seconds, peak, clipped, scores } = await recordJson(raw(samples));
    expect(file).toBe('recording-1.wav');
    const clip = await readAudio(join(folder, file));
    expect({ label, peak: Math.round(peak), clipped }).toEqual({ label: '3', peak: -3, clipped: false });
    expect(clip.samples.length / SPEECH_RATE).toBe(seconds);
    expect(seconds).toBeGreaterThan(0.5);
    expect(seconds).toBeLessThan(1.2);
    // What is written is a stretch of what was said.
    const bytes = raw(samples);
    expect(bytes.includes(raw(clip.samples))).toBe(true);
    expect((await (await loadModel()).predict(join(folder, file))).scores).toEqual(scores);
    const header = (await readFile(join(folder, file))).subarray(20, 36);
    expect([
      header.readUInt16LE(0),
      header.readUInt16LE(2),
      header.readUInt32LE(4),
      header.readUInt16LE(14),
    ]).toEqual([1, 1, 16_000, 16]);
  });

  it('goes to a new file every time, and replaces one only with --force', async () => {
    const spoken = raw(await speech(['7_kal_0']));
    expect((await record(spoken)).stdout).toMatch(
      /^recording-1\.wav {2}\d\.\d\d s {2}peak -3 dB {2}7 \d+\.\d%\n$/,
    );
    expect((await record(spoken)).stdout).toMatch(/^recording-2\.wav /);
    await writeFile(join(folder, 'mine.wav'), 'precious');
    const refused = await record(spoken, '--out', 'mine.wav');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^sonospike: mine\.wav exists: name another --out, or replace it with --force\.\n$/,
    );
    expect(await readFile(join(folder, 'mine.wav'), 'utf8')).toBe('precious');
    expect((await record(spoken, '--out', 'mine.wav', '--force')).status).toBe(0);
    expect((await readAudio(join(folder, 'mine.wav'))).sampleRate).toBe(16_000);
    expect((await readdir(folder)).sort()).toEqual(['mine.wav', 'recording-1.wav', 'recording-2.wav']);
  });

  it('is of a fixed time with --seconds, whatever is heard', async () => {
    const samples = await speech(['3_kal_0', '1_rms_0']);
    const spoken = raw(samples);
    expect(await recordJson(spoken, '--seconds', '0.75')).toMatchObject({ seconds: 0.75 });
    const { samples: written } = await readAudio(join(folder, 'recording-1.wav'));
    expect(raw(written)).toEqual(spoken.subarray(0, 2 * 0.75 * SPEECH_RATE));
    expect((await recordJson(spoken, '--seconds', '600')).seconds).toBe(samples.length / SPEECH_RATE);
    const silent = await recordJson(Buffer.alloc(32_000), '--seconds', '1');
    expect(silent).toMatchObject({ seconds: 1, label: null, scores: null, peak: -120 });
  });

  it('is brought to 16 kHz', async () => {
    const at44 = native().resample(await speech(['7_kal_0']), SPEECH_RATE, 44_100);
    const input = wav(Buffer.from(at44.buffer), { format: 3, bits: 32, sampleRate: 44_100 });
    expect(await recordJson(input)).toMatchObject({ label: '7' });
    expect((await readAudio(join(folder, 'recording-1.wav'))).sampleRate).toBe(16_000);
  });

  it('is remarked on where it is too quiet or clipped', async () => {
    const samples = await speech(['7_kal_0']);
    const quiet = samples.map((sample) => sample / 60);
    expect((await record(raw(quiet))).stderr).toMatch(/^Too quiet \(peak -39 dB\): come nearer/);
    const loud = samples.map((sample) => Math.max(-1, Math.min(32767 / 32768, 4 * sample)));
    expect((await record(raw(loud))).stderr).toMatch(/^Too loud: it is clipped\./);
  });

  it('comes from the microphone when the word has been said', async () => {
    const sound = join(folder, 'spoken.raw');
    await writeFile(sound, raw(await speech(['7_kal_0'])));
    const { status, stdout, stderr } = await run(['record'], { cwd: folder, env: microphone({ sound }) });
    expect(stderr).toBe('Say a word.\n');
    expect(stdout).toMatch(/^recording-1\.wav .* 7 \d+\.\d%\n$/);
    expect(status).toBe(0);
  });

  it('keeps what there is of a fixed time when it is stopped', async () => {
    const sound = join(folder, 'spoken.raw');
    await writeFile(sound, raw(await speech(['7_kal_0'])));
    const running = start(['record', '--seconds', '600'], { cwd: folder, env: microphone({ sound }) });
    await running.printed('Recording 600 seconds.', 'stderr');
    running.child.kill('SIGINT');
    const { status, stdout } = await running.finished;
    expect(status).toBe(0);
    expect(stdout).toMatch(/^recording-1\.wav /);
  });
});

describe('a session', () => {
  const words = ['yes', 'no'];

  it('asks for the words in turn, and writes what is a dataset', async () => {
    const spoken = raw(await speech(['1_kal_0', '6_kal_0', '1_rms_0', '6_rms_0', '3_kal_0']));
    const { status, stdout, stderr } = await record(
      spoken,
      '--labels',
      'yes,no',
      '--speaker',
      'anna',
      '--count',
      '2',
    );
    expect(stderr).toMatch(
      /^Say yes \(1 of 4\)\nSay no \(2 of 4\)\nSay yes \(3 of 4\)\nSay no \(4 of 4\)\nTrain on them: node \S+main\.js train --data recordings\n$/,
    );
    expect(stdout).toMatch(/^ {2}recordings\/anna\/yes_anna_0\.wav {2}0\.\d\d s {2}peak -3 dB\n/);
    expect(stdout).toMatch(/\n4 recordings are in recordings\/anna\.\n$/);
    expect(status).toBe(0);
    const { layout, labels, speakers, clips, skipped } = await openDataset(join(folder, 'recordings'));
    expect({ layout, labels, speakers, skipped }).toEqual({
      layout: 'audiomnist',
      labels: ['no', 'yes'],
      speakers: ['anna'],
      skipped: [],
    });
    expect(clips.map(({ label, index }) => [label, index])).toEqual([
      ['no', 0],
      ['no', 1],
      ['yes', 0],
      ['yes', 1],
    ]);
    // Each is the clip that was said when it was asked for.
    const model = await loadModel();
    const heard = await model.predictBatch(clips.map(({ file }) => file));
    expect(heard.map(({ label }) => label)).toEqual(['6', '6', '1', '1']);
  });

  it('takes any sound for the word, and a word of two parts as one', async () => {
    const parts = [await speech(['6_kal_0'], 0.02), await speech(['1_kal_0'], 0.02)];
    const apart = joined([await speech([]), ...parts, await speech([])]);
    const document = await recordJson(raw(apart), '--label', 'sixteen', '--count', '1', '--longest', '2');
    expect(document.clips).toHaveLength(1);
    expect(document.clips[0].seconds).toBeGreaterThan(0.7);
    expect(document).toMatchObject({ wanted: 1, refused: 0, labels: ['sixteen'], speaker: 'me' });
  });

  it('goes on behind an earlier one', async () => {
    const spoken = raw(await speech(['1_kal_0', '6_kal_0']));
    const args = ['--label', 'yes', '--count', '2', '--out', 'mine'];
    const first = await record(spoken, ...args);
    expect(first.stderr).toContain('Training takes two words at least');
    const second = await recordJson(spoken, ...args);
    const files = second.clips.map(({ file }: { file: string }) => file);
    expect(files).toEqual(['mine/me/yes_me_2.wav', 'mine/me/yes_me_3.wav']);
    expect(await readdir(join(folder, 'mine', 'me'))).toHaveLength(4);
  });

  it('asks again where a take is too quiet, clipped or too long', async () => {
    const good = await speech(['1_kal_0']);
    const quiet = good.map((sample) => sample / 60);
    const loud = good.map((sample) => Math.max(-1, Math.min(1, 4 * sample)) * (32767 / 32768));
    const long = joined([
      await speech(['0_kal_0'], 0.03),
      await speech(['9_kal_0', '0_kal_0'], 0.03),
      await speech([]),
    ]);
    const spoken = raw(joined([quiet, loud, await speech([]), long, good]));
    const { stdout, stderr } = await record(spoken, '--label', 'yes', '--count', '1');
    expect(stderr).toMatch(
      /^Say yes \(1 of 1\)\nToo quiet .*\nSay yes \(1 of 1\)\nToo loud.*\nSay yes \(1 of 1\)\nToo long \(1\.\d s, at most 1\).*\nSay yes \(1 of 1\)\n/,
    );
    expect(stdout).toContain('1 recordings are in');
  });

  it('tells how far it came when the sound is over', async () => {
    const spoken = raw(await speech(['1_kal_0']));
    const { status, stdout } = await record(spoken, '--labels', 'yes,no');
    expect(stdout).toContain('1 of 20 recordings are in recordings/me.');
    expect(status).toBe(0);
    const nothing = await record(raw(await speech([])), '--label', 'yes');
    expect(nothing).toMatchObject({ status: 1, stdout: '' });
    expect(nothing.stderr).toMatch(
      /sonospike: No word that could be used was to be heard on standard input\.\n$/,
    );
  });

  it('keeps what is recorded when it is stopped, and says what is', async () => {
    const sound = join(folder, 'spoken.raw');
    await writeFile(sound, raw(await speech(['1_kal_0', '6_kal_0'])));
    const args = ['record', '--labels', 'yes,no', '--count', '5', '--out', 'mine'];
    const running = start(args, { cwd: folder, env: microphone({ sound }) });
    await running.printed('no_me_0.wav');
    running.child.kill('SIGINT');
    const { status, stdout, stderr } = await running.finished;
    expect(stdout).toContain('2 of 10 recordings are in mine/me.');
    expect(stderr).toContain('main.js train --data mine');
    expect(status).toBe(130);
    expect((await readdir(join(folder, 'mine', 'me'))).sort()).toEqual(['no_me_0.wav', 'yes_me_0.wav']);
  });

  it('keeps what is recorded when the microphone goes, and says so', async () => {
    const sound = join(folder, 'spoken.raw');
    await writeFile(sound, raw(await speech(['1_kal_0', '6_kal_0'])));
    const args = ['record', '--labels', 'yes,no', '--count', '5'];
    const { status, stdout, stderr } = await run(args, {
      cwd: folder,
      env: microphone({ sound, afterwards: 'fail' }),
    });
    expect(stdout).toContain('2 of 10 recordings are in recordings/me.');
    expect(stderr).toMatch(/sonospike: The microphone Fake is gone \(it was pulled out\)[^\n]*\n$/);
    expect(status).toBe(1);
  });

  it('in any order asks for every word in every round', async () => {
    const spoken = raw(await speech(Array(12).fill('1_kal_0'), 0.4));
    const { clips } = await recordJson(spoken, '--labels', 'a,b,c', '--count', '4', '--shuffle');
    const labels = clips.map(({ label }: { label: string }) => label);
    for (let i = 0; i < 12; i += 3) expect(labels.slice(i, i + 3).sort()).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [['--count', '3'], /--count is of a session: name its word with --label/],
    [['--speaker', 'me'], /--speaker is of a session/],
    [['--shuffle'], /--shuffle is of a session/],
    [['--label', 'a', '--labels', 'a,b'], /Name --label or --labels, not both/],
    [['--labels', 'a,b,A'], /--labels names A twice/],
    [['--labels', 'a,,b'], /The word "" is empty/],
    [['--label', '../a'], /The word "\.\.\/a" has a character/],
    [['--label', 'a', '--speaker', '..'], /The speaker "\.\." begins or ends with a dot/],
    [['--label', 'a', '--seconds', '1'], /--seconds is not of a session/],
    [['--label', 'a', '--force'], /--force is not of a session/],
    [['--label', 'a', '--count', '0'], /--count is 0/],
    [['--label', 'a', '--out', 'file'], /file is a file; a data set is a directory/],
    [['--seconds', '0'], /--seconds is 0; it must be a number from 0\.1/],
  ])('refuses %j', async (args, message) => {
    await writeFile(join(folder, 'file'), '');
    const { status, stdout, stderr } = await record(raw(await speech([])), ...args);
    expect(stderr).toMatch(/^sonospike: [^\n]*\n$/);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: args.includes('--out') ? 1 : 2, stdout: '' });
    expect(await exists('recordings')).toBe(false);
  });

  it('becomes a recogniser of its words', async () => {
    const voices = ['awb', 'enf2', 'engbscotlandm3', 'enus', 'enuslinda', 'kal', 'ked', 'rms', 'slt'];
    const spoken = raw(await speech(voices.flatMap((voice) => [`1_${voice}_0`, `6_${voice}_0`])));
    const session = ['--labels', words.join(','), '--count', '9', '--out', 'mine'];
    expect((await recordJson(spoken, ...session)).clips).toHaveLength(18);
    const training = [
      'train',
      '--data',
      'mine',
      '--out',
      'mine.safetensors',
      '--epochs',
      '20',
      '--batch-size',
      '4',
    ];
    const { document } = await runJson([...training, '--seed', '1'], { cwd: folder });
    expect(document).toMatchObject({ labels: ['no', 'yes'], skipped: [] });
    expect(document.accuracy).toBeGreaterThan(0.5);
    const again = raw(await speech(['6_kal_0', '1_rms_0']));
    const heard = await run(['live', '-', '--model', 'mine.safetensors', '--json'], {
      cwd: folder,
      input: again,
    });
    const labels = heard.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).label);
    expect(labels).toEqual(['no', 'yes']);
  }, 180_000);
});
