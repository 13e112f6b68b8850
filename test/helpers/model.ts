import type { ModelFile } from '../../lib/files/model-file.js';
import type { LifLayer, ModelSettings } from '../../lib/settings/settings.js';
import { parameterShapes } from '../../lib/settings/shapes.js';
import type { Tensors } from '../../lib/support/tensor.js';

/** Settings of a small network that use every kind of tensor a model can have. */
export function smallSettings(): ModelSettings {
  const adaptation = { decay: 0.8, coupling: 0.2, jump: 0.4 };
  const layer: LifLayer = {
    neurons: 3,
    connection: { type: 'dense', taps: 1, dilation: 1 },
    neuron: 'lif',
    recurrent: true,
    dropout: 0,
    weightGain: 1,
    spike: { type: 'hard', surrogate: 'atan', slope: 2 },
    reset: 'subtract',
    detachReset: true,
    decay: 0.9,
    decaySpread: 0,
    threshold: 1,
    thresholdSpread: 0,
    learnDecay: true,
    learnThreshold: false,
    constrain: true,
  };
  return {
    sampleRate: 8000,
    frontend: {
      type: 'log-mel',
      windowLength: 200,
      hopLength: 80,
      fftLength: 256,
      melBands: 4,
      minFrequency: 20,
      maxFrequency: 4000,
      topDb: null,
    },
    scaling: { type: 'standard', over: 'training-set', pooled: false },
    frames: 10,
    encoding: { type: 'delta', stepsPerFrame: 2, threshold: 0.1 },
    network: {
      layers: [
        { ...layer, neuron: 'adaptive', adaptation },
        { ...layer, neurons: 2, recurrent: false },
      ],
      readout: { type: 'leaky-integrator', decay: 0.9, learnDecay: true },
    },
    labels: ['да', 'нет'],
  };
}

/** A model of these settings whose every value is different. */
export function filledModel(settings = smallSettings()): ModelFile {
  const parameters: Tensors = new Map();
  let next = 0;
  for (const [name, shape] of parameterShapes(settings)) {
    const length = shape.reduce((product, size) => product * size, 1);
    parameters.set(name, { shape, data: Float32Array.from({ length }, () => next++ / 8) });
  }
  return {
    settings,
    parameters,
    training: { preset: 'default', accuracy: 0.5 },
    confidence: null,
    state: null,
  };
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}
