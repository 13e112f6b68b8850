import { expect, it } from 'vitest';
import { changeSettings, presetSettings, train } from '../lib/index.js';

const labels = Array.from({ length: 10 }, (_, digit) => String(digit));

function training(stepsPerFrame: number) {
  const settings = changeSettings(presetSettings('original', labels), { stepsPerFrame });
  return {
    data: 'samples',
    preset: 'original',
    settings,
    validation: 0,
    calibrationFolds: 0,
    threads: 1,
  } as const;
}

it('tells the speed in every epoch, also where the counter of the one before still stands', async () => {
  // So many steps that an epoch lasts for several of the reports, which come ten times a second, on any machine.
  const { epochs: measured } = await train({ ...training(20), epochs: 1 });
  const clips = 90;
  const seconds = clips / measured[0]!.clipsPerSecond;
  const stepsPerFrame = Math.min(1000, Math.ceil((20 * 0.8) / seconds));
  const speeds = new Map<number, number>();
  const { epochs } = await train({
    ...training(stepsPerFrame),
    epochs: 2,
    onProgress: ({ epoch, clipsPerSecond }) => speeds.set(epoch, clipsPerSecond),
  });
  for (const { epoch, clipsPerSecond } of epochs) {
    expect(speeds.get(epoch)).toBeGreaterThan(clipsPerSecond / 4);
    expect(speeds.get(epoch)).toBeLessThan(clipsPerSecond * 4);
  }
});
