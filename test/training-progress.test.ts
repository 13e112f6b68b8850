import { expect, it } from 'vitest';
import { changeSettings, presetSettings, train } from '../lib/index.js';

it('tells the speed in every epoch, also where the counter of the one before still stands', async () => {
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit));
  // So many steps that an epoch lasts for several reports, ten a second, on any machine of today.
  const settings = changeSettings(presetSettings('original', labels), { stepsPerFrame: 500 });
  const speeds = new Map<number, number>();
  const { epochs } = await train({
    data: 'samples',
    preset: 'original',
    settings,
    epochs: 2,
    validation: 0,
    threads: 1,
    onProgress: ({ epoch, clipsPerSecond }) => speeds.set(epoch, clipsPerSecond),
  });
  for (const { epoch, clipsPerSecond } of epochs) {
    expect(speeds.get(epoch)).toBeGreaterThan(clipsPerSecond / 4);
    expect(speeds.get(epoch)).toBeLessThan(clipsPerSecond * 4);
  }
});
