import type { NamedArrays, OptimizerSettings } from './parameters.js';

/** The mean loss over the clips, the number of right answers, and the gradient of the loss. */
export interface NativeGradient {
  loss: number;
  correct: number;
  gradients: NamedArrays;
  /** dloss/dinput, [steps, clips, channels]; only where it was asked for. */
  inputGradient?: Float32Array;
}

/**
 * Single steps of a model's network on given inputs, [steps, clips, channels], for tests, benchmarks and the probe of a
 * GPU. Made by `new addon.NetworkTools(model)`. Calls throw ERR_BUSY while the model is in use.
 */
export interface NativeNetworkTools {
  /** Scores [clips, classes], and the spikes of each layer [steps, clips, neurons]. */
  forward(
    inputs: Float32Array,
    steps: number,
    clips: number,
  ): { scores: Float32Array; spikes: Float32Array[] };
  gradient(
    inputs: Float32Array,
    steps: number,
    clips: number,
    labels: Int32Array,
    labelSmoothing: number,
    ofInput?: boolean,
  ): NativeGradient;
  /**
   * `gradient` with that of the inputs, `repeats` times, and the seconds of each. The inputs are where the network
   * computes before the time starts, and their gradient stays there. `bits` is true where all inputs were 0 or 1 and
   * went in as bits.
   */
  timeGradient(
    inputs: Float32Array,
    steps: number,
    clips: number,
    labels: Int32Array,
    labelSmoothing: number,
    repeats: number,
  ): Required<NativeGradient> & { seconds: Float64Array; bits: boolean };
  /** One step along the gradient that the last call of `gradient` left in the model. */
  optimizerStep(options: OptimizerSettings, rate: number): void;
}
