// What run-digit says of sound files that are odd, but can be read.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAudio } from '../dist/index.js';
import { run } from './helpers/cli.js';
import { pcm16, wav } from './helpers/wav.js';

let folder: string;
let spoken: Float32Array;
let sampleRate: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-sound-'));
  ({ samples: spoken, sampleRate } = await readAudio('samples/7_kal_0.wav'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The clip, each sample made into those of some channels. */
function recording(channelsOf: (sample: number) => number[]): Uint8Array {
  const samples = [...spoken].flatMap((sample) =>
    channelsOf(sample).map((x) => Math.max(-32768, Math.min(32767, Math.round(32768 * x)))),
  );
  return wav(pcm16(samples), { channels: channelsOf(0).length, sampleRate });
}

async function runDigit(bytes: Uint8Array) {
  const file = join(folder, '7_x.wav');
  await writeFile(file, bytes);
  const { stdout, stderr, status } = await run(['run-digit', file, '--json']);
  expect(status).toBe(0);
  return { prediction: JSON.parse(stdout).predictions[0], stderr };
}

it('nothing of a good recording', async () => {
  const { prediction, stderr } = await runDigit(await readFile('samples/7_kal_0.wav'));
  expect(prediction).toMatchObject({ predicted: '7', clipped: false, remarks: [] });
  expect(stderr).not.toMatch(/cut off|too loud/);
});

it('that it is cut off', async () => {
  const { prediction, stderr } = await runDigit(recording((x) => [x]).subarray(0, -1000));
  expect(prediction).toMatchObject({ predicted: '7', remarks: [expect.stringMatching(/1000 too few/)] });
  expect(stderr).toMatch(/7_x\.wav is cut off/);
});

it('that a channel is clipped, beside one that is silent', async () => {
  const { prediction, stderr } = await runDigit(recording((x) => [0, 20 * x]));
  expect(prediction.clipped).toBe(true);
  expect(stderr).toMatch(/7_x\.wav is too loud: the recording is cut off at full scale/);
});

it('and recognises channels that cancel', async () => {
  const { prediction } = await runDigit(recording((x) => [x, -x]));
  expect(prediction).toMatchObject({ predicted: '7', rejected: false });
});
