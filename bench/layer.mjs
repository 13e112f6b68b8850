import { presetSettings } from '../dist/index.js';
import { native } from '../dist/native.js';
import { alternate, inMilliseconds, requireAlike } from './peer.mjs';
import { random } from './random.mjs';

const DECAY = 0.9;
const THRESHOLD = 1;

/** One layer n -> n of hard-spiking LIF neurons, read by its spike counts. */
function makeLayer(n, steps, threads) {
  const base = presetSettings('original', [...'0123456789']);
  const layer = {
    ...base.network.layers[0],
    neurons: n,
    spike: { type: 'hard', surrogate: 'atan', slope: 2 },
    reset: 'zero',
    decay: DECAY,
    decaySpread: 0,
    threshold: THRESHOLD,
    thresholdSpread: 0,
  };
  const settings = {
    ...base,
    frontend: { ...base.frontend, type: 'log-mel', melBands: n },
    frames: steps,
    encoding: { type: 'direct', stepsPerFrame: 1, threshold: 0 },
    network: { layers: [layer], readout: base.network.readout },
    labels: Array.from({ length: n }, (_, i) => `${i}`),
  };
  const model = new (native().Model)(settings, threads);
  model.initialise(1);
  // Enough current that neurons spike at any density of the input.
  const parameters = model.readParameters();
  const draw = random(2);
  parameters['layers.0.weight'] = parameters['layers.0.weight'].map(
    () => (draw() - 0.45) * (6 / Math.sqrt(n)),
  );
  model.loadParameters(parameters);
  return { model, parameters };
}

/** The same work on both sides: gradients to weights, bias and input agree where the neuron is the same. */
async function check(peer, kind, request, layer, inputs, { steps, batch, labels }) {
  await peer.ask({ ...request, op: 'make', kind });
  if (kind !== 'spikingjelly') return;
  const { loss } = await peer.ask({ op: 'gradients' });
  const ours = layer.model.gradient(inputs, steps, batch, labels, 0, true);
  if (Math.abs(ours.loss / loss - 1) > 1e-3)
    throw new Error(`layer: loss ${ours.loss} here, ${loss} in ${kind}`);
  for (const name of ['layers.0.weight', 'layers.0.bias']) {
    requireAlike(`layer, gradient of ${name}`, ours.gradients[name], peer.read(name), 0.999);
  }
  requireAlike('layer, gradient of the input', ours.inputGradient, peer.read('input'), 0.999);
}

/** Seconds of forward and backward, to weights and input. */
export async function benchLayer({ threads, repeats, grid, peer, peers }) {
  const results = [];
  for (const { n, steps, batch, density } of grid) {
    const layer = makeLayer(n, steps, threads);
    const draw = random(1);
    const inputs = Float32Array.from({ length: steps * batch * n }, () => (draw() < density ? 1 : 0));
    const labels = Int32Array.from({ length: batch }, (_, i) => i % n);
    const works = {
      sonospike: () => void layer.model.gradient(inputs, steps, batch, labels, 0, true),
    };
    if (peer) {
      const request = { n, steps, batch, labels: [...labels], decay: DECAY, threshold: THRESHOLD, threads };
      for (const [name, values] of Object.entries(layer.parameters)) peer.write(name, values);
      peer.write('input', inputs);
      for (const kind of [
        'products',
        ...peers.filter((name) => name === 'spikingjelly' || name === 'snntorch'),
      ]) {
        await check(peer, kind, request, layer, inputs, { steps, batch, labels });
        works[kind] = async () => {
          await peer.ask({ ...request, op: 'make', kind });
          await peer.ask({ op: 'run' });
          return (await peer.ask({ op: 'run' })).seconds;
        };
      }
    }
    const seconds = await alternate(repeats, works);
    const what = `n ${n}, ${steps} steps, batch ${batch}, ${density * 100}% spiking`;
    results.push(...inMilliseconds('layer', what, seconds));
  }
  return results;
}
