import { freemem } from 'node:os';
import { presetSettings } from '../../dist/index.js';
import { native } from '../../dist/native.js';
import { requireAllClose, requireClose, requireSameSpikes } from '../checks.mjs';
import { DIGITS } from '../clips.mjs';
import { floorSeconds, layerTraffic, networkWork } from '../floor.mjs';
import { random } from '../random.mjs';
import { alternate, rows } from '../works.mjs';

const DECAY = 0.9;
const THRESHOLD = 1;
// A potential that rounding moves over the threshold flips a spike, and with it the neuron's next ones.
const SAME_SPIKES = 0.9995;
const TOLERANCE = 0.02; // relative, of scores and gradients that such spikes are in
// Arrays of the size of the inputs that live at once: on the peers' side what autograd keeps for the way back.
const OUR_ARRAYS = 6;
const PEER_ARRAYS = 18;

/** Hard spikes, reset to zero, no gradient through the reset: what SpikingJelly and snnTorch can both compute. */
function layerSettings(n, steps) {
  const base = presetSettings('original', DIGITS);
  const layer = {
    ...base.network.layers[0],
    neurons: n,
    spike: { type: 'hard', surrogate: 'atan', slope: 2 },
    reset: 'zero',
    detachReset: true,
    decay: DECAY,
    decaySpread: 0,
    threshold: THRESHOLD,
    thresholdSpread: 0,
  };
  return {
    ...base,
    frontend: { ...base.frontend, type: 'log-mel', melBands: n },
    frames: steps,
    encoding: { type: 'direct', stepsPerFrame: 1, threshold: 0 },
    network: { layers: [layer], readout: base.network.readout },
    labels: Array.from({ length: n }, (_, i) => `${i}`),
  };
}

/** One layer n -> n, read by its spike counts, with inputs of which a share `density` are spikes. */
function makeLayer({ n, steps, batch, density }, threads) {
  const settings = layerSettings(n, steps);
  const model = new (native().Model)(settings, threads);
  model.initialise(1);
  // Enough current that neurons spike at any density of the input.
  const parameters = model.readParameters();
  const weights = random(2);
  parameters['layers.0.weight'] = parameters['layers.0.weight'].map(
    () => (weights() - 0.45) * (6 / Math.sqrt(n)),
  );
  model.loadParameters(parameters);
  const draw = random(1);
  const inputs = new Float32Array(steps * batch * n);
  for (let i = 0; i < inputs.length; i++) inputs[i] = draw() < density ? 1 : 0;
  const labels = Int32Array.from({ length: batch }, (_, i) => i % n);
  return { settings, model, parameters, inputs, labels, gradient };

  function gradient() {
    return model.gradient(inputs, steps, batch, labels, 0, true);
  }
}

/** Spikes, scores, and gradients to weights, bias and input are the same on both sides. */
async function check(peer, kind, layer, { steps, batch }) {
  await peer.ask({ op: 'gradients' });
  const { spikes, scores } = layer.model.forwardInputs(layer.inputs, steps, batch);
  const { gradients, inputGradient } = layer.gradient();
  const trained = {
    'layers.0.weight': gradients['layers.0.weight'],
    'layers.0.bias': gradients['layers.0.bias'],
    input: inputGradient,
  };
  const what = `layer, ${kind}`;
  return {
    spikes: requireSameSpikes(`${what}, spikes`, spikes[0], peer.read('spikes'), SAME_SPIKES),
    scores: requireClose(`${what}, scores`, scores, peer.read('scores'), TOLERANCE),
    gradients: requireAllClose(
      `${what}, gradient`,
      trained,
      (name) => peer.read(`gradient.${name}`),
      TOLERANCE,
    ),
  };
}

/** The ways to write the same layer; of each the first is taken, and the next one only where it is faster. */
const WAYS = {
  products: { threads: 'fewer' },
  spikingjelly: { loop: ['own', 'unbind'], linear: ['sequence', 'step'], threads: 'fewer' },
  snntorch: { loop: ['unbind'], linear: ['sequence', 'step'], threads: 'fewer' },
};

/** The request of the peer's fastest way, found one choice after the other. */
async function fastest(peer, request) {
  const timed = async (way) => {
    await peer.ask({ ...request, ...way });
    await peer.ask({ op: 'run' });
    return (await peer.ask({ op: 'run' })).seconds;
  };
  const { threads: _, ...ways } = WAYS[request.kind];
  const choices = [...Object.entries(ways), ['threads', [...new Set([request.threads, 1])]]];
  let best = Object.fromEntries(choices.map(([name, [first]]) => [name, first]));
  let seconds = await timed(best);
  for (const [name, [, ...others]] of choices) {
    for (const other of others) {
      const way = { ...best, [name]: other };
      const taken = await timed(way);
      if (taken < seconds) [best, seconds] = [way, taken];
    }
  }
  return best;
}

/** Adds the peers' work, checked, to `works`; what is not done for want of memory is named in rows. */
async function addPeers(layer, cell, { peer, peers, threads, progress }) {
  const [works, more] = [{}, {}];
  const request = {
    op: 'make',
    ...cell,
    labels: [...layer.labels],
    decay: DECAY,
    threshold: THRESHOLD,
    threads,
  };
  for (const [name, values] of Object.entries(layer.parameters)) peer.write(name, values);
  peer.write('input', layer.inputs);
  const kinds = ['products', ...['spikingjelly', 'snntorch'].filter((name) => peers.includes(name))];
  for (const kind of kinds) {
    const way = await fastest(peer, { ...request, kind });
    progress(`layer: ${kind} is fastest with ${JSON.stringify(way)}`);
    const ask = { ...request, kind, ...way };
    await peer.ask(ask);
    more[kind] = { compare: ['sonospike', kind], settings: way };
    if (kind !== 'products') more[kind].checks = await check(peer, kind, layer, cell);
    works[kind] = async () => {
      await peer.ask(ask);
      await peer.ask({ op: 'run' });
      return (await peer.ask({ op: 'run' })).seconds;
    };
  }
  return { works, more };
}

const nameOf = ({ n, steps, batch, density }) =>
  `n ${n}, ${steps} steps, batch ${batch}, ${Number((density * 100).toPrecision(3))}%`;

/** Why a cell of the grid is left out: arrays that this machine has no room for. */
function tooLarge({ n, steps, batch }, arrays) {
  const needed = 4 * n * steps * batch * arrays;
  const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
  const room = 0.7 * freemem();
  return needed > room ? `needs about ${gigabytes(needed)} of memory, ${gigabytes(room)} to spare` : null;
}

function skippedRow(cell, who, refused) {
  return { suite: 'layer', what: nameOf(cell), who, unit: 'ms', better: 'less', refused };
}

async function benchCell(cell, bench) {
  const what = nameOf(cell);
  const noRoom = tooLarge(cell, OUR_ARRAYS);
  if (noRoom) return [skippedRow(cell, 'sonospike', noRoom)];
  const layer = makeLayer(cell, bench.threads);
  let peers = { works: {}, more: {} };
  const noPeer = bench.peer && tooLarge(cell, OUR_ARRAYS + PEER_ARRAYS);
  if (bench.peer && !noPeer) peers = await addPeers(layer, cell, bench);
  const works = { sonospike: () => void layer.gradient(), ...peers.works };
  const seconds = await alternate(bench.repeats, works);
  const { n, steps, batch, density } = cell;
  const { spikes } = layer.model.forwardInputs(layer.inputs.subarray(0, steps * n), steps, 1);
  const fired = spikes[0].reduce((sum, s) => sum + s, 0) / spikes[0].length;
  const activity = { input: density, layers: [fired] };
  const { forward, backward } = networkWork(layer.settings, activity, { inputGradient: true });
  const ours = floorSeconds((forward + backward) * batch, bench.threads, layerTraffic(n, steps * batch));
  const products = floorSeconds(3 * n * n * steps * batch, bench.threads);
  const floor = { sonospike: ours, snntorch: ours, spikingjelly: ours, products };
  const found = rows({ suite: 'layer', what, unit: 'ms', floor, more: peers.more }, seconds);
  return noPeer ? [...found, skippedRow(cell, 'peers', noPeer)] : found;
}

/** Milliseconds of forward and backward of one layer, to weights and input. */
export async function benchLayer(bench) {
  const results = [];
  for (const [i, cell] of bench.grid.entries()) {
    bench.progress(`layer ${i + 1}/${bench.grid.length}: ${nameOf(cell)}`);
    results.push(...(await benchCell(cell, bench)));
    globalThis.gc?.();
  }
  return results;
}
