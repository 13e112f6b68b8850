import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Audio, loadModel, type Model, readAudio } from '../lib/index.js';
import { Random } from '../lib/support/random.js';

// A recording is as quiet as its microphone made it: the features of the default preset count from its own peak.

let model: Model;
let clips: Audio[];

beforeAll(async () => {
  model = await loadModel();
  const files = readdirSync('samples').filter((name) => name.endsWith('.wav'));
  clips = await Promise.all(files.slice(0, 20).map((name) => readAudio(join('samples', name))));
});

const at = ({ samples, sampleRate }: Audio, decibels: number): Audio => ({
  samples: samples.map((x) => x * 10 ** (decibels / 20)),
  sampleRate,
});

describe.each([-40, -80, -100, -120])('a recording at %d dB', (decibels) => {
  it('has the features and the label of the loud one', async () => {
    for (const clip of clips) {
      const [loud, quiet] = [await model.observe(clip), await model.observe(at(clip, decibels))];
      const largest = loud.features.data.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - quiet.features.data[i]!)),
        0,
      );
      expect(quiet.features.data.length).toBe(loud.features.data.length);
      expect(largest).toBeLessThan(1e-3);
      expect(quiet.label).toBe(loud.label);
    }
  });

  it('that is noise is rejected', () => {
    const random = new Random('noise');
    const noise = Float32Array.from({ length: 8000 }, () => 0.1 * random.normal());
    expect(model.predictSync(at({ samples: noise, sampleRate: 8000 }, decibels)).rejected).toBe(true);
  });
});

it('24-bit recordings at -90 dB keep their words', () => {
  const right = clips.filter((clip) => {
    const { samples, sampleRate } = at(clip, -90);
    const rounded = samples.map((x) => Math.round(x * 2 ** 23) / 2 ** 23);
    return model.predictSync({ samples: rounded, sampleRate }).label === model.predictSync(clip).label;
  });
  expect(right.length).toBeGreaterThanOrEqual(19);
});

it('digital silence is still told from a quiet clip', () => {
  const silent = model.predictSync({ samples: new Float32Array(8000), sampleRate: 8000 });
  expect(silent).toMatchObject({ silent: true, rejected: true });
});
