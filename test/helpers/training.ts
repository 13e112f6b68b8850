import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ModelSettings, TrainOptions } from '../../lib/index.js';
import { validateSettings } from '../../lib/validation.js';

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
    frontend: { ...settings.frontend, melBands: 12, coefficients: 8, hopLength: 160 },
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
          { ...layer, connection: { type: 'dense', ...delays }, neuron: 'relu', dropout: 0.1 },
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
    threads: 2,
    ...changes,
  };
}
