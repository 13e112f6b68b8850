import { presetSettings } from '../../dist/index.js';
import { requireAllClose, requireClose, requireCosine, requireSameSpikes } from '../checks.mjs';
import { DIGITS } from '../clips.mjs';
import { comparison, refusedRows } from '../devices.mjs';
import { bandwidth, layerTraffic, networkWork } from '../floor.mjs';
import { random } from '../random.mjs';
import { alternate, rows } from '../works.mjs';

const DECAY = 0.9;
const THRESHOLD = 1;
// A potential that rounding moves over the threshold flips a spike, and with it the neuron's next ones.
const SAME_SPIKES = 0.9995;
const TOLERANCE = 0.02; // relative, of scores and gradients that such spikes are in
const COSINE = 0.999; // the least between gradients of two devices
// Arrays of the size of the inputs that live at once, measured; on the peers' side what autograd keeps for the way back.
const OUR_ARRAYS = 9;
const PEER_ARRAYS = 17;
const USABLE = 0.7; // of the memory that is free

/** Hard spikes, reset to zero, no gradient through the reset: what SpikingJelly and snnTorch can both compute. */
function layerSettings(n, steps) {
  const base = presetSettings('original', DIGITS);
  const { coefficients: _, ...frontend } = base.frontend;
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
    frontend: { ...frontend, type: 'log-mel', melBands: n },
    frames: steps,
    encoding: { type: 'direct', stepsPerFrame: 1 },
    network: { layers: [layer], readout: base.network.readout },
    labels: Array.from({ length: n }, (_, i) => `${i}`),
  };
}

/** One layer n -> n, read by its spike counts, with inputs of which a share `density` are spikes. */
function makeLayer({ n, steps, batch, density }, threads, { addon, number }) {
  const settings = layerSettings(n, steps);
  const model = new addon.Model(settings, threads, number);
  model.initialise(1);
  // Enough current that neurons spike at any density of the input.
  const parameters = model.readParameters();
  const weights = random(2);
  parameters['layers.0.weight'] = parameters['layers.0.weight'].map(
    () => (weights() - 0.45) * (6 / Math.sqrt(n)),
  );
  model.loadParameters(parameters);
  const tools = new addon.NetworkTools(model);
  const draw = random(1);
  const inputs = new Float32Array(steps * batch * n);
  for (let i = 0; i < inputs.length; i++) inputs[i] = draw() < density ? 1 : 0;
  const labels = Int32Array.from({ length: batch }, (_, i) => i % n);
  return { settings, tools, parameters, inputs, labels, gradient };

  /** Forward and backward `repeats` times, and the seconds of each, with the inputs where they are computed. */
  function gradient(repeats = 1) {
    return tools.timeGradient(inputs, steps, batch, labels, 0, repeats);
  }
}

/** Spikes, scores, and gradients to weights, bias and input are the same on both sides. */
async function check(peer, made, layer, { steps, batch }) {
  await peer.ask(made);
  await peer.ask({ op: 'gradients' });
  const { spikes, scores } = layer.tools.forward(layer.inputs, steps, batch);
  const { gradients, inputGradient } = layer.gradient();
  const trained = {
    'layers.0.weight': gradients['layers.0.weight'],
    'layers.0.bias': gradients['layers.0.bias'],
    input: inputGradient,
  };
  const what = `layer, ${made.kind}`;
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

/** The ways to write the same layer: a later one is taken where it is faster. */
const WAYS = {
  products: {},
  spikingjelly: { loop: ['unbind', 'own'], linear: ['sequence', 'step'] },
  snntorch: { loop: ['unbind'], linear: ['sequence', 'step'] },
};
/** On a GPU SpikingJelly has kernels of its own for whole sequences, in place of its loop. */
const GPU_WAYS = {
  ...WAYS,
  spikingjelly: { loop: ['unbind', 'cupy', 'triton'], linear: ['sequence', 'step'] },
};
const WARM = 3; // seconds: a run that takes longer needs none before it

/** Makes a peer's layer and gives the seconds of a run. */
async function makeAndRun(peer, request) {
  await peer.ask(request);
  const first = (await peer.ask({ op: 'run' })).seconds;
  return first > WARM ? first : (await peer.ask({ op: 'run' })).seconds;
}

/**
 * Seconds that SpikingJelly's own loop takes at least. It indexes the sequence in every step, whose backward makes
 * zeros of the whole sequence and adds them up: one array written, then two read and one written.
 */
function leastOfOwnLoop({ n, steps, batch, threads }) {
  return (4 * steps * (4 * n * steps * batch)) / bandwidth(threads)();
}

/** The peer's fastest way, found one choice after the other. */
async function fastestWay(peer, request) {
  const threads = [...new Set([request.threads, 1])];
  const ways = peer.device === 'cuda' ? GPU_WAYS : WAYS;
  const choices = Object.entries({ ...ways[request.kind], threads });
  let best = Object.fromEntries(choices.map(([name, [first]]) => [name, first]));
  let seconds = await makeAndRun(peer, { ...request, ...best });
  for (const [name, [, ...others]] of choices) {
    for (const other of others) {
      if (other === 'own' && leastOfOwnLoop(request) > seconds) continue;
      const way = { ...best, [name]: other };
      // What is not installed is no way.
      const taken = await makeAndRun(peer, { ...request, ...way }).catch(() => Number.POSITIVE_INFINITY);
      if (taken < seconds) [best, seconds] = [way, taken];
    }
  }
  return best;
}

/**
 * Adds to `more` what the rows of a device's peers say.
 * @returns their work, each the fastest way and checked, by the name of its row
 */
async function addPeers(layer, cell, device, more, { peers, threads, ways, progress }) {
  const { peer } = device;
  const works = {};
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
    const name = peerName(kind, device);
    const shape = `${name} ${cell.n} ${cell.steps} ${cell.batch}`;
    if (!ways.has(shape)) {
      ways.set(shape, await fastestWay(peer, { ...request, kind }));
      progress(`layer: ${name} is fastest with ${JSON.stringify(ways.get(shape))}`);
    }
    const way = ways.get(shape);
    const made = { ...request, kind, ...way };
    more[name] = { compare: [device.who, name], settings: way };
    if (kind !== 'products') more[name].checks = await check(peer, made, layer, cell);
    works[name] = () => makeAndRun(peer, made);
  }
  return works;
}

const peerName = (kind, { name }) => (name === 'cpu' ? kind : `${kind} ${name}`);

const nameOf = ({ n, steps, batch, density }) =>
  `n ${n}, ${steps} steps, batch ${batch}, ${Number((density * 100).toPrecision(3))}%`;

/** Why a cell of the grid is left out: arrays that this machine has no room for. */
function tooLarge({ n, steps, batch }, arrays) {
  const needed = 4 * n * steps * batch * arrays;
  const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
  const room = USABLE * process.availableMemory();
  return needed > room ? `needs about ${gigabytes(needed)} of memory, ${gigabytes(room)} to spare` : null;
}

function emptyRow(cell, who, why) {
  return { suite: 'layer', what: nameOf(cell), who, unit: 'ms', better: 'less', ...why };
}

/**
 * The least seconds on a device: of the layer, ours with its inputs as `bits` or anybody's with floats, and of its dense
 * products alone.
 */
function floors(layer, { n, steps, batch, density }, device, bits) {
  const { spikes } = layer.tools.forward(layer.inputs.slice(0, steps * n), steps, 1);
  const fired = spikes[0].reduce((sum, s) => sum + s, 0) / spikes[0].length;
  const activity = { input: density, layers: [fired], near: [1] };
  const { forward, backward } = networkWork(layer.settings, activity, { inputGradient: true });
  const least = (asBits) =>
    device.floorOf((forward + backward) * batch, layerTraffic(n, steps * batch, asBits));
  const products = device.floorOf(3 * n * n * steps * batch);
  return { ours: least(bits), layers: least(false), products };
}

/** Both devices have the same scores' loss and gradients, but for spikes that rounding flips. */
function sameGradient(what, found, expected) {
  const all = ({ gradients, inputGradient }) => ({ ...gradients, input: inputGradient });
  const theirs = all(expected);
  const cosines = Object.entries(all(found)).map(([name, values]) =>
    requireCosine(`${what}, gradient of ${name}`, values, theirs[name], COSINE),
  );
  return { cosine: Math.min(...cosines), loss: requireClose(what, [found.loss], [expected.loss], TOLERANCE) };
}

/** Adds a device and its peers to what is timed. */
async function addDevice(device, cell, bench, { works, more, floor, expected }) {
  const { who, peer, place } = device;
  const layer = makeLayer(cell, bench.threads, place);
  const found = layer.gradient();
  // The peers' inputs are floats.
  more[who] = { ...comparison(bench.devices, device), settings: { inputs: found.bits ? 'bits' : 'floats' } };
  if (expected) more[who].checks = sameGradient(`layer on ${who}`, found, expected);
  const runs = found.seconds[0] > WARM ? 1 : 2; // as of the peers
  works[who] = () => layer.gradient(runs).seconds.at(-1);
  const { ours, layers, products } = floors(layer, cell, device, found.bits);
  floor[who] = ours;
  if (peer) {
    for (const [name, work] of Object.entries(await addPeers(layer, cell, device, more, bench))) {
      works[name] = work;
      floor[name] = name.startsWith('products') ? products : layers;
    }
  }
  return found;
}

async function benchCell(cell, bench) {
  const { devices } = bench;
  const noRoom = tooLarge(cell, OUR_ARRAYS * devices.usable.length);
  if (noRoom) return [emptyRow(cell, 'sonospike', { refused: noRoom })];
  const asked = devices.usable.some(({ peer }) => peer);
  const noPeers = asked ? tooLarge(cell, OUR_ARRAYS * devices.usable.length + PEER_ARRAYS) : null;
  const made = { works: {}, more: {}, floor: {}, expected: null };
  for (const device of devices.usable) {
    const found = await addDevice(noPeers ? { ...device, peer: null } : device, cell, bench, made);
    made.expected ??= found;
  }
  const seconds = await alternate(bench.repeats, made.works);
  const row = emptyRow(cell, undefined, {});
  const found = [...rows({ ...row, ...made }, seconds), ...refusedRows(devices, row)];
  return noPeers ? [...found, emptyRow(cell, 'peers', { refused: noPeers })] : found;
}

/** Milliseconds of forward and backward of one layer, to weights and input. */
export async function benchLayer(bench) {
  const results = [];
  const ways = new Map(); // the peers' fastest, by shape: the density changes nothing for them
  for (const [i, cell] of bench.grid.entries()) {
    bench.progress(`layer ${i + 1}/${bench.grid.length}: ${nameOf(cell)}`);
    // A long run keeps what it has; the bench ends with status 1.
    const failed = (error) => [emptyRow(cell, 'sonospike', { failed: error.message })];
    results.push(...(await benchCell(cell, { ...bench, ways }).catch(failed)));
  }
  return results;
}
