import { samePadding } from '../settings/shapes.js';
import type { Tensor } from '../support/tensor.js';

/**
 * The synapses between a source (the input, or a layer) and a layer of neurons, as the operations are counted: for
 * each lag in time steps, how many synapses leave every neuron of the source.
 */
export interface Synapses {
  lags: {
    /** Steps after which the source is heard. */
    lag: number;
    /** [source neurons]: synapses, and those among them whose weight is not zero. */
    all: Float64Array;
    effective: Float64Array;
  }[];
}

/** The synapses of a weight [neurons, inputs], whose input arrives after `lag` steps; or [neurons, inputs, taps], whose last tap is the present. */
export function denseSynapses({ shape, data }: Tensor, lag = 0, dilation = 1): Synapses {
  const [neurons, inputs, taps = 1] = shape as [number, number, number?];
  return {
    lags: Array.from({ length: taps }, (_, tap) => {
      const effective = new Float64Array(inputs);
      for (let n = 0; n < neurons; n++) {
        for (let i = 0; i < inputs; i++) if (data[(n * inputs + i) * taps + tap] !== 0) effective[i]!++;
      }
      return {
        lag: lag + (taps - 1 - tap) * dilation,
        all: new Float64Array(inputs).fill(neurons),
        effective,
      };
    }),
  };
}

/**
 * Of a convolution over bands with a weight [channels, input channels, kernel, taps] and TensorFlow's SAME padding.
 * Neurons of the source lie band by band: neuron = band · input channels + channel. At the edges a band has fewer
 * synapses; those to the padding are none.
 */
export function convolutionSynapses(
  { shape, data }: Tensor,
  { bands, stride, dilation }: { bands: number; stride: number; dilation: number },
): Synapses {
  const [channels, inputs, kernel, taps] = shape as [number, number, number, number];
  const { bands: outBands, left } = samePadding(bands, kernel, stride);
  return {
    lags: Array.from({ length: taps }, (_, tap) => {
      const all = new Float64Array(bands * inputs);
      const effective = new Float64Array(bands * inputs);
      for (let out = 0; out < outBands; out++) {
        for (let k = 0; k < kernel; k++) {
          const band = out * stride - left + k;
          if (band < 0 || band >= bands) continue;
          for (let i = 0; i < inputs; i++) {
            all[band * inputs + i]! += channels;
            for (let c = 0; c < channels; c++) {
              if (data[((c * inputs + i) * kernel + k) * taps + tap] !== 0) effective[band * inputs + i]!++;
            }
          }
        }
      }
      return { lag: (taps - 1 - tap) * dilation, all, effective };
    }),
  };
}

export interface Count {
  dense: number;
  effective: number;
}

/** Operations of one clip: `values` are what the source sent, [steps, source neurons]. */
export function countSynapses({ lags }: Synapses, values: Float32Array): Count {
  const inputs = lags[0]!.all.length;
  const steps = values.length / inputs;
  const count = { dense: 0, effective: 0 };
  for (const { lag, all, effective } of lags) {
    // What is sent in the last steps is not heard any more.
    const heard = Math.max(0, steps - lag);
    count.dense += heard * all.reduce((sum, n) => sum + n, 0);
    for (let at = 0; at < heard * inputs; ) {
      for (let i = 0; i < inputs; i++, at++) if (values[at] !== 0) count.effective += effective[i]!;
    }
  }
  return count;
}

/** Whether there are but zeros and ones, so that a synapse adds its weight and multiplies nothing. */
export function isBinary(values: Float32Array): boolean {
  return values.every((x) => x === 0 || x === 1);
}
