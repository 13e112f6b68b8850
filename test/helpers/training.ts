import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect } from 'vitest';
import { type ModelSettings, type TrainOptions, train } from '../../lib/index.js';
import { validateSettings } from '../../lib/settings/validate.js';
import { readSavedRun } from '../../lib/training/saved-run.js';

/** The clips that come with the package, ten digits of nine voices. */
export const SAMPLES = resolve('samples');

export const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/** A file of settings for `--settings`: two recurrent layers that learn fast. */
export const RECURRENT = resolve('test/helpers/recurrent.json');

export function recurrentSettings(labels: string[] = DIGITS): ModelSettings {
  return validateSettings({ ...JSON.parse(readFileSync(RECURRENT, 'utf8')), labels }, '');
}

/** Settings of a network so small that an epoch over the samples takes a fraction of a second. */
export function quickSettings(changes: Partial<ModelSettings> = {}): ModelSettings {
  const settings = recurrentSettings();
  const layer = { ...settings.network.layers[0]!, neurons: 12 };
  return {
    ...settings,
    frames: 30,
    frontend: { ...settings.frontend, melBands: 12, hopLength: 160 },
    network: { ...settings.network, layers: [layer, layer] },
    ...changes,
  };
}

/** The same with convolutions, learned delays, dropout, adaptive neurons and the mean potential. */
export function convolutionSettings(): ModelSettings {
  const settings = quickSettings();
  const layer = { ...settings.network.layers[0]!, recurrent: false, weightGain: 2 };
  const delays = { taps: 2, dilation: 2 };
  return validateSettings(
    {
      ...settings,
      network: {
        readout: { ...settings.network.readout, type: 'mean-potential' },
        layers: [
          {
            ...layer,
            neurons: undefined,
            connection: { type: 'convolution', channels: 16, kernel: 3, stride: 2, ...delays },
            neuron: 'adaptive',
            adaptation: { decay: 0.8, coupling: 0.2, jump: 0.5 },
            dropout: 0.2,
          },
          {
            neurons: layer.neurons,
            connection: { type: 'dense', ...delays },
            neuron: 'relu',
            recurrent: false,
            dropout: 0.1,
            weightGain: 2,
          },
          layer,
        ],
      },
    },
    '',
  );
}

/** Options of a training that takes about a second. */
export function quickTraining(changes: Partial<TrainOptions> = {}): TrainOptions {
  return {
    data: SAMPLES,
    settings: quickSettings(),
    split: 'random:0.2',
    epochs: 2,
    batchSize: 8,
    validation: 0.1,
    augmentation: null,
    negatives: 0,
    calibrationFolds: 0,
    threads: 2,
    ...changes,
  };
}

/**
 * Starts a training and stops it in the middle of the given epoch, with a checkpoint that says so. When the stop takes
 * effect is up to the machine: one that came between epochs, or in a later one, is tried again at another moment.
 */
export async function stopWithin(
  epoch: number,
  options: TrainOptions & { checkpoint: string },
): Promise<void> {
  const from = `${options.checkpoint}.from`;
  if (options.resume !== undefined) await copyFile(options.resume, from);
  for (let attempt = 0; attempt < 40; attempt++) {
    const controller = new AbortController();
    const stopped = await train({
      ...options,
      ...(options.resume !== undefined && { resume: from }),
      signal: controller.signal,
      onEpoch: ({ metrics }) => {
        if (metrics.epoch === epoch - 1) setTimeout(() => controller.abort(), attempt % 10);
      },
    }).then(
      () => false,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'ERR_ABORTED', file: options.checkpoint });
        return true;
      },
    );
    if (!stopped) continue;
    const { position } = (await readSavedRun(options.checkpoint)).state;
    if (position.epoch === epoch - 1 && position.batch > 0) return;
  }
  throw new Error(`No stop in 40 came in the middle of epoch ${epoch}.`);
}
