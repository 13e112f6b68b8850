import type { LifLayer, ModelSettings } from './settings.js';

/** The settings of each preset for given words, before they are checked. */
export const PRESETS = { default: defaultPreset, original: originalPreset } as const;

/** The name of a preset: `default`, or `original` (the PyTorch program that this project started from). */
export type PresetName = keyof typeof PRESETS;

/** The names of all presets. */
export const presetNames = Object.keys(PRESETS) as PresetName[];

/**
 * Spiking convolutions over frequency and time, which do not care where exactly a formant lies; adaptive neurons; a
 * clip is as long as it is. Found by experiment: docs/experiments.md.
 */
function defaultPreset(labels: string[]): ModelSettings {
  const layer = {
    neuron: 'adaptive',
    adaptation: { decay: 0.9, coupling: 1, jump: 0.5 },
    recurrent: false,
    spike: { type: 'hard', surrogate: 'triangle', slope: 1 },
    reset: 'subtract',
    detachReset: false,
    decay: 0.8,
    decaySpread: 0.1,
    threshold: 1,
    thresholdSpread: 0,
    learnDecay: true,
    learnThreshold: true,
    constrain: true,
    weightGain: 5,
  } as const;
  /** `bands`: that it has itself. */
  const convolution = (bands: number, channels: number, kernel: number) => ({
    ...layer,
    neurons: bands * channels,
    connection: { type: 'convolution', channels, kernel, stride: 2, taps: 3, dilation: 1 } as const,
  });
  return {
    sampleRate: 8000,
    frontend: {
      type: 'log-mel',
      windowLength: 200,
      hopLength: 128,
      fftLength: 256,
      melBands: 40,
      minFrequency: 60,
      maxFrequency: 4000,
      topDb: 50,
      removeMean: true,
    },
    scaling: { type: 'peak', over: 'clip', pooled: true },
    frames: 64,
    tail: 8,
    encoding: { type: 'direct', stepsPerFrame: 1 },
    network: {
      layers: [
        convolution(20, 32, 7),
        convolution(10, 64, 5),
        convolution(5, 64, 5),
        { ...layer, neurons: 128, connection: { type: 'dense', taps: 3, dilation: 1 } },
      ],
      readout: { type: 'mean-potential', decay: 0.9, learnDecay: true },
    },
    labels,
  };
}

function originalPreset(labels: string[]): ModelSettings {
  const layer: LifLayer = {
    neurons: 32,
    recurrent: false,
    spike: { type: 'soft', slope: 5 },
    reset: 'zero',
    detachReset: false,
    // The means of the original program's draws, as far as its checkpoint shows them: from here every seed learns.
    decay: 0.75,
    decaySpread: 0,
    threshold: 0.5,
    thresholdSpread: 0,
    learnDecay: true,
    learnThreshold: true,
    constrain: false,
  };
  return {
    sampleRate: 16_000,
    frontend: {
      type: 'mfcc',
      windowLength: 400,
      hopLength: 200,
      fftLength: 400,
      melBands: 64,
      minFrequency: 0,
      maxFrequency: 8000,
      coefficients: 20,
      topDb: 80,
    },
    scaling: { type: 'min-max', over: 'clip', pooled: false },
    frames: 80,
    encoding: { type: 'rate', stepsPerFrame: 10 },
    network: {
      layers: [layer, layer, layer, { ...layer, neurons: labels.length }],
      readout: { type: 'spike-count' },
    },
    labels,
  };
}
