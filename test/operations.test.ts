import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convolutionSynapses, countSynapses, denseSynapses, isBinary } from '../lib/evaluation/synapses.js';
import { countOperations, createModel, type LifLayer, type ModelSettings } from '../lib/index.js';
import { Random } from '../lib/support/random.js';
import { quickSettings } from './helpers/training.js';

/** Random values of which a third are zero. */
function sparse(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => (random.uniform() < 1 / 3 ? 0 : random.normal()));
}

function tensor(shape: number[], random: Random) {
  return {
    shape,
    data: sparse(
      shape.reduce((a, b) => a * b, 1),
      random,
    ),
  };
}

describe('synapses', () => {
  it('counts those of a dense layer with taps one by one', () => {
    const random = new Random('dense');
    const [neurons, inputs, taps, steps, dilation] = [5, 7, 3, 9, 2];
    const weight = tensor([neurons, inputs, taps], random);
    const values = sparse(steps * inputs, random);
    let [dense, effective] = [0, 0];
    for (let t = 0; t < steps; t++) {
      for (let n = 0; n < neurons; n++) {
        for (let i = 0; i < inputs; i++) {
          for (let tap = 0; tap < taps; tap++) {
            const from = t - (taps - 1 - tap) * dilation;
            if (from < 0) continue;
            dense++;
            const w = weight.data[(n * inputs + i) * taps + tap];
            if (w !== 0 && values[from * inputs + i] !== 0) effective++;
          }
        }
      }
    }
    expect(countSynapses(denseSynapses(weight, 0, dilation), values)).toEqual({ dense, effective });
  });

  it.each([
    [1, 3],
    [2, 5],
    [2, 4],
    [3, 2],
  ])('counts those of a convolution of stride %i and kernel %i one by one', (stride, kernel) => {
    const random = new Random(`conv ${stride} ${kernel}`);
    const [bands, inputs, channels, taps, steps, dilation] = [11, 2, 3, 2, 6, 2];
    const weight = tensor([channels, inputs, kernel, taps], random);
    const values = sparse(steps * bands * inputs, random);
    const out = Math.ceil(bands / stride);
    const left = Math.floor(Math.max(0, (out - 1) * stride + kernel - bands) / 2);
    let [dense, effective] = [0, 0];
    for (let t = 0; t < steps; t++) {
      for (let b = 0; b < out; b++) {
        for (let c = 0; c < channels; c++) {
          for (let i = 0; i < inputs; i++) {
            for (let k = 0; k < kernel; k++) {
              for (let tap = 0; tap < taps; tap++) {
                const [band, from] = [b * stride - left + k, t - (taps - 1 - tap) * dilation];
                if (band < 0 || band >= bands || from < 0) continue;
                dense++;
                const w = weight.data[((c * inputs + i) * kernel + k) * taps + tap];
                if (w !== 0 && values[(from * bands + band) * inputs + i] !== 0) effective++;
              }
            }
          }
        }
      }
    }
    const synapses = convolutionSynapses(weight, { bands, stride, dilation });
    expect(countSynapses(synapses, values)).toEqual({ dense, effective });
  });

  it('knows spikes from other values', () => {
    expect(isBinary(Float32Array.of(0, 1, 1))).toBe(true);
    expect(isBinary(Float32Array.of(0, 0.5, 1))).toBe(false);
  });
});

describe('countOperations', () => {
  const file = join(resolve('samples'), '7_kal_0.wav');

  it('is what firing rates and the shape of the network give', async () => {
    const settings = quickSettings();
    const model = await createModel(settings, { seed: 3 });
    const seen = await model.observe(file);
    const found = await countOperations(model, { files: [file] });
    const [steps, channels] = [30, 12];
    const spikes = seen.firingRates.map((rate) => Math.round(rate * steps * 12));
    const last = seen.layers.map(({ spikes: s }) => s.slice(-12).reduce((a, b) => a + b, 0));
    const inputs = seen.input.data.filter((x) => x !== 0).length;
    expect(found).toMatchObject({
      clips: 1,
      // Recurrent spikes of the last step are not heard any more.
      dense: steps * (channels * 12 + 12 * 12 + 12 * 10) + (steps - 1) * 2 * 12 * 12,
      effectiveMacs: inputs * 12,
      effectiveAcs: spikes[0]! * 24 + spikes[1]! * 22 - 12 * (last[0]! + last[1]!),
      connectionSparsity: 0,
      parameters: 12 * 12 + 3 * 12 + 144 + (144 + 3 * 12 + 144) + 120 + 20,
    });
    expect(found!.footprint).toBe(4 * (found!.parameters + 34));
    expect(found!.activationSparsity).toBeCloseTo(1 - (spikes[0]! + spikes[1]!) / (2 * steps * 12), 12);
  });

  it('knows the weights of every readout that has some, and the adaptation of a neuron', async () => {
    const settings = quickSettings();
    const { layers, readout } = settings.network;
    const found = async (network: ModelSettings['network']) =>
      (await countOperations(await createModel({ ...settings, network }), { files: [file] }))!;
    const plain = await found({ layers, readout });
    const potential = await found({
      layers,
      readout: { type: 'mean-potential', decay: 0.9, learnDecay: true },
    });
    expect(potential).toMatchObject({ dense: plain.dense, footprint: plain.footprint });
    const adaptation = { decay: 0.8, coupling: 0.2, jump: 0.4 };
    const adaptive = await found({
      layers: layers.map((layer) => ({ ...(layer as LifLayer), neuron: 'adaptive', adaptation })),
      readout,
    });
    expect(adaptive.dense).toBe(plain.dense);
    // Three parameters and a state more for each of 24 neurons.
    expect(adaptive.footprint - plain.footprint).toBe(4 * 24 * 4);
  });

  it('takes spikes that are shares of one for values', async () => {
    const settings = quickSettings();
    const spike = { type: 'soft', slope: 5 } as const;
    const layers = settings.network.layers.map((layer) => ({ ...layer, spike }));
    const model = await createModel({ ...settings, network: { ...settings.network, layers } });
    const found = await countOperations(model, { files: [file] });
    expect(found).toMatchObject({ effectiveAcs: 0, activationSparsity: 0 });
  });

  it('looks at no more clips than it should, evenly spread', async () => {
    const model = await createModel(quickSettings());
    const files = Array.from({ length: 10 }, (_, digit) => join(resolve('samples'), `${digit}_kal_0.wav`));
    expect((await countOperations(model, { files, limit: 3 }))!.clips).toBe(3);
    expect((await countOperations(model, { files }))!.clips).toBe(10);
  });
});
