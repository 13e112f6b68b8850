import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Audio, loadModel, type Model, readAudio } from '../lib/index.js';
import { Random } from '../lib/support/random.js';

// A word is recognised wherever it lies in a clip: silence and the noise of a room around it are not heard.

let model: Model;
let clips: { label: string; audio: Audio }[];

beforeAll(async () => {
  model = await loadModel();
  const files = readdirSync('samples').filter((name) => name.endsWith('.wav'));
  clips = await Promise.all(
    files.map(async (name) => ({ label: name[0]!, audio: await readAudio(join('samples', name)) })),
  );
});

/** The clip with seconds of silence before and after it, all of it in noise of so many dB below full scale. */
function surrounded(
  { samples, sampleRate }: Audio,
  before: number,
  after: number,
  noise: number | null,
): Audio {
  const [first, last] = [Math.round(before * sampleRate), Math.round(after * sampleRate)];
  const longer = new Float32Array(first + samples.length + last);
  longer.set(samples, first);
  if (noise === null) return { samples: longer, sampleRate };
  const random = new Random('room');
  return { samples: longer.map((x) => x + 10 ** (noise / 20) * random.normal()), sampleRate };
}

const right = (change: (audio: Audio) => Audio) =>
  clips.filter(({ label, audio }) => model.predictSync(change(audio)).label === label).length;

describe.each([null, -57])('words in noise of %s dB', (noise) => {
  it.each([
    [0.3, 0],
    [1, 0],
    [3, 0],
    [0, 1],
    [0.4, 0.4],
    [3, 3],
  ])('are recognised after %d s and before %d s of it', (before, after) => {
    const alone = right((audio) => surrounded(audio, 0, 0, noise));
    expect(right((audio) => surrounded(audio, before, after, noise))).toBeGreaterThanOrEqual(alone - 1);
  });
});

it('tells which part was heard', () => {
  const { audio } = clips[0]!;
  const { start, end, of, more } = model.predictSync(surrounded(audio, 2, 1, null)).heard!;
  const length = audio.samples.length / audio.sampleRate;
  expect(more).toBe(false);
  expect(of).toBeCloseTo(length + 3, 3);
  expect(start).toBeGreaterThan(1.85);
  expect(start).toBeLessThan(2.1);
  expect(end).toBeGreaterThan(start + 0.2);
  expect(end).toBeLessThan(2 + length + 0.3);
});
