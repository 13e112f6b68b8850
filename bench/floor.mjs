// The least that a piece of work costs this machine: its arithmetic at the measured peak, or its memory traffic at
// the measured bandwidth where that takes longer.
//
// Arithmetic is counted in slots: one lane of one floating-point instruction. A multiply-add is one slot, and so is an
// addition by itself, as one of an event-driven product: it takes the place of a multiply-add. The peak counts two
// operations a slot. Integer work is not counted (random numbers, lists of events, copies), so the floor is below what
// can be reached.
import { native } from '../dist/native/load.js';
import { inputCount, parameterShapes, samePadding } from '../dist/settings/shapes.js';

const OPERATIONS_PER_SLOT = 2;

// e^x: clamp (2), round x / ln 2 (2), subtract twice (2), polynomial of degree 5 (5), scale by 2^n (1).
const EXPONENTIAL = 12;
// 1 / x: the processor's estimate, and a Newton step of two multiply-adds. A division takes longer.
const RECIPROCAL = 3;
/** 1 / (1 + e^-x): 16 slots, 32 operations. */
const SIGMOID = EXPONENTIAL + 1 + RECIPROCAL;
// log x: exponent and mantissa (3), polynomial of degree 8 (8), put together (1).
const LOGARITHM = 12;
// Adam: two moments (4), square root and reciprocal (6), step (2).
const ADAM = 12;

// Slots of the surrogate derivatives at d = u - threshold, which is one of them.
const SURROGATES = {
  'fast-sigmoid': 3 + RECIPROCAL,
  atan: 4 + RECIPROCAL,
  triangle: 3,
  boxcar: 3,
  sigmoid: 1 + SIGMOID + 2,
};

/** Of one neuron and step: charge, distance to the threshold, spike, reset; adaptation: charge (1), w (4). */
function neuronForward({ spike, neuron }) {
  return (spike.type === 'soft' ? 3 + SIGMOID : 3) + (neuron === 'adaptive' ? 5 : 0);
}

/** Through the reset (2, one if detached), the spike (1), to bias, threshold and decay (4), to the step before (1).
 * Adaptation: through w (1), to u and s (2), to rho (3), coupling (1) and jump (1), to the step before (1). */
function neuronBackward({ spike, detachReset, neuron }) {
  const adaptation = neuron === 'adaptive' ? 9 : 0;
  return (spike.type === 'soft' ? 2 : SURROGATES[spike.surrogate]) + (detachReset ? 1 : 2) + 6 + adaptation;
}

function readoutWork({ readout, layers }, classes, density) {
  if (readout.type === 'spike-count') return { forward: classes, backward: 0 };
  const product = classes * layers.at(-1).neurons;
  const softmax = readout.type === 'leaky-integrator';
  // Forward: leak (2), softmax (top, exponential, sum, scale), mean (1). Backward: softmax (3), leak and gradients (6).
  return {
    forward: product * density + classes * (2 + (softmax ? 3 + EXPONENTIAL : 0) + 1),
    backward: product * density + product + classes * (softmax ? 9 : 6),
  };
}

/** Of each layer: synapses from what is below it, without those of a convolution to its padding. */
function synapsesFromBelow(settings) {
  const shapes = parameterShapes(settings);
  let inputs = inputCount(settings);
  return settings.network.layers.map(({ connection, neurons }, k) => {
    const weight = shapes.get(`layers.${k}.weight`);
    const below = inputs;
    inputs = neurons;
    if (connection?.type !== 'convolution') return weight.reduce((product, n) => product * n, 1);
    const [channels, inputChannels, kernel, taps] = weight;
    const bands = below / inputChannels;
    const outBands = neurons / channels;
    const { left } = samePadding(bands, kernel, connection.stride);
    let heard = 0;
    for (let band = 0; band < outBands; band++) {
      const first = band * connection.stride - left;
      heard += Math.min(first + kernel, bands) - Math.max(first, 0);
    }
    return heard * inputChannels * channels * taps;
  });
}

/**
 * Slots of a clip through a network, forward and backward. `activity` says which share of the inputs and of each
 * layer's spikes is not zero, and which of its neurons are near enough to the threshold to have use for a gradient
 * (`measureActivity`): products that read spikes, or whose result is needed there only, cost that share of a dense one.
 */
export function networkWork(settings, activity, { inputGradient = false } = {}) {
  const steps = activity.steps ?? settings.frames * settings.encoding.stepsPerFrame;
  const synapses = synapsesFromBelow(settings);
  // Spiking inputs go by table where they are many: one addition for every four.
  const spiking = settings.encoding.type !== 'direct';
  const input = spiking ? Math.min(activity.input, 0.25) : activity.input;
  let [forward, backward, density] = [0, 0, input];
  for (const [k, layer] of settings.network.layers.entries()) {
    const n = layer.neurons;
    const own = layer.recurrent ? n * n : 0;
    const passedOn = k > 0 ? synapses[k] * activity.near[k - 1] : inputGradient ? synapses[k] : 0;
    forward += synapses[k] * density + own * activity.layers[k] + n * neuronForward(layer);
    backward +=
      synapses[k] * density +
      passedOn +
      own * (activity.layers[k] + activity.near[k]) +
      n * neuronBackward(layer);
    density = activity.layers[k];
  }
  const readout = readoutWork(settings.network, settings.labels.length, density);
  return { forward: steps * (forward + readout.forward), backward: steps * (backward + readout.backward) };
}

/** Slots of an optimizer step. */
export function optimizerWork(settings) {
  const shapes = [...parameterShapes(settings).values()];
  return ADAM * shapes.reduce((sum, shape) => sum + shape.reduce((product, n) => product * n, 1), 0);
}

/** Slots of a training step for each clip of a batch: forward, backward, and the clip's share of the optimizer. */
export function trainingWork(settings, activity, batch) {
  const { forward, backward } = networkWork(settings, activity);
  return forward + backward + optimizerWork(settings) / batch;
}

/** Slots of the features of `samples`: window, real FFT (2.5 n log2 n operations), power, mel, log, DCT. */
export function featureWork(frontend, samples) {
  const { windowLength, fftLength, hopLength, melBands, coefficients, type } = frontend;
  const bins = fftLength / 2 + 1;
  const fft = (2.5 * fftLength * Math.log2(fftLength)) / OPERATIONS_PER_SLOT;
  const dct = type === 'mfcc' ? melBands * coefficients : 0;
  const frames = Math.floor(samples / hopLength) + 1;
  // A bin lies under two triangles of the mel filter.
  return frames * (windowLength + fft + 2 * bins + 2 * bins + melBands * LOGARITHM + dct);
}

/** Slots of resampling: the taps of a windowed sinc with 6 zero crossings on each side and a roll-off of 0.99. */
export function resampleWork(samples, from, to) {
  if (from === to) return 0;
  const taps = (2 * 6 * Math.max(1, from / to)) / 0.99;
  return Math.ceil((samples * to) / from) * taps;
}

/**
 * Bytes that a layer n -> n must move: inputs read, as floats or as bits, and their gradient written; weights read,
 * gradient written.
 */
export function layerTraffic(n, rows, bits = false) {
  return (bits ? 1 / 8 : 4) * rows * n + 4 * (rows * n + 2 * n * n);
}

function share(values) {
  let [nonzero, binary] = [0, true];
  for (const x of values) {
    if (x !== 0) nonzero++;
    if (x !== 0 && x !== 1) binary = false;
  }
  return binary ? nonzero / values.length : 1;
}

/** How far from the threshold a surrogate derivative is not zero. */
function reach({ type, surrogate, slope }) {
  if (type === 'soft') return Number.POSITIVE_INFINITY;
  return { triangle: 1 / slope, boxcar: 0.5 / slope }[surrogate] ?? Number.POSITIVE_INFINITY;
}

function shareNear(potential, threshold, distance) {
  if (distance === Number.POSITIVE_INFINITY) return 1;
  let near = 0;
  for (const [i, u] of potential.entries())
    if (Math.abs(u - threshold[i % threshold.length]) < distance) near++;
  return near / potential.length;
}

/**
 * How many steps a clip has; the shares of spikes in the input and the layers of a native model, 1 for what is not zeros and ones; and of neurons whose
 * surrogate derivative is not zero.
 */
export async function measureActivity(model, settings, clips) {
  const seen = [];
  const parameters = model.readParameters();
  for (const { samples, sampleRate } of clips) seen.push(await model.observe(samples, sampleRate, 1));
  const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
  return {
    steps: mean(seen.map(({ steps }) => steps)),
    input: mean(seen.map(({ input }) => share(input))),
    layers: seen[0].layers.map((_, k) => mean(seen.map(({ layers }) => share(layers[k].spikes)))),
    near: settings.network.layers.map(({ spike }, k) => {
      const threshold = parameters[`layers.${k}.threshold`];
      return mean(seen.map(({ layers }) => shareNear(layers[k].potential, threshold, reach(spike))));
    }),
  };
}

const ROUNDS = 2 ** 21;
const TRIES = 5;
// Of each of two arrays a thread. The larger ones are beyond the caches, the smaller ones not.
const [LEAST_FLOATS, MOST_FLOATS] = [2 ** 20, 2 ** 23];

const measured = new Map();

/** Measures anew; gives a function for the most that has been measured at the time it is called. */
function most(name, measure) {
  const key = `${native().info().instructionSet} ${name}`;
  measured.set(key, Math.max(measured.get(key) ?? 0, ...Array.from({ length: TRIES }, measure)));
  return () => measured.get(key);
}

/** Operations per second of `threads` threads at once, with the instruction set in use. */
export function peakOperations(threads) {
  return most(`operations ${threads}`, () => native().peakOperations(threads, ROUNDS));
}

/** Bytes per second to and from arrays of about `size` bytes in all, which caches may hold; of memory if not given. */
export function bandwidth(threads, size = Number.POSITIVE_INFINITY) {
  const wanted = 2 ** Math.ceil(Math.log2(size / 8 / threads));
  const floats = Math.min(MOST_FLOATS, Math.max(LEAST_FLOATS, wanted));
  return most(`bytes ${threads} ${floats}`, () => native().memoryBandwidth(threads, floats));
}

/**
 * The least seconds of some work, as a function: other programs may hide the peak for a while, so it is measured again
 * for every floor, and floors are taken at the end.
 */
export function floorOf(slots, threads, bytes = 0) {
  const operations = peakOperations(threads);
  const traffic = bytes > 0 ? bandwidth(threads, bytes) : () => 1;
  return () => Math.max((slots * OPERATIONS_PER_SLOT) / operations(), bytes / traffic());
}
