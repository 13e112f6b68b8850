import type { Model, Observation } from '../model/model.js';
import type { LayerSettings, ModelSettings } from '../settings/settings.js';
import { inputCount } from '../settings/shapes.js';
import { SonospikeError } from '../support/errors.js';
import type { Tensor, Tensors } from '../support/tensor.js';
import { convolutionSynapses, countSynapses, denseSynapses, isBinary, type Synapses } from './synapses.js';

/**
 * What a model costs, in the definitions of NeuroBench (J. Yik et al., 2025, arXiv:2304.04640). Operations are those
 * of the synapses: a clip's mean, of all time steps, without front end, biases and neurons.
 */
export interface Operations {
  /** Every synapse in every step. */
  dense: number;
  /** Multiply-accumulates: values that are not zero and not just ones, times weights that are not zero. */
  effectiveMacs: number;
  /** Accumulates: spikes, times weights that are not zero. */
  effectiveAcs: number;
  /** Share of zeros among the outputs of all neurons in all steps. */
  activationSparsity: number;
  /** Share of zeros among the weights. */
  connectionSparsity: number;
  /** Numbers in the model's parameters. */
  parameters: number;
  /** Bytes of the parameters and of the state of every neuron, as float32. */
  footprint: number;
  /** Clips that were counted. */
  clips: number;
}

/** One group of synapses: from the input or a layer, to a layer or the readout. */
interface Projection {
  synapses: Synapses;
  /** Number of the layer that sends; -1: the input. */
  from: number;
}

/** Which clips `countOperations` looks at. */
export interface OperationsOptions {
  /** Paths of clips. */
  files: readonly string[];
  /** Greatest number of clips that are looked at, evenly spread over `files` (default: 200). */
  limit?: number;
  /** Seed of the random draws of the `rate` encoding (default: 0). */
  seed?: number;
  /** Stops the count with ERR_ABORTED. */
  signal?: AbortSignal | undefined;
}

const USUAL_LIMIT = 200;

/** `countOperations` of index.ts. */
export async function countOperations(model: Model, options: OperationsOptions): Promise<Operations | null> {
  const { files, limit = USUAL_LIMIT, seed = 0, signal } = options;
  const chosen = files.filter(
    (_, i) => Math.floor((i * limit) / files.length) !== Math.floor(((i - 1) * limit) / files.length),
  );
  const parameters = await model.snapshot();
  const projections = projectionsOf(model.settings, parameters);
  const sums = { dense: 0, macs: 0, acs: 0, outputs: 0, zeros: 0 };
  for (const file of chosen) {
    if (signal?.aborted)
      throw new SonospikeError('ERR_ABORTED', 'The evaluation was stopped.', { cause: signal.reason });
    try {
      addClip(sums, projections, await model.observe(file, { seed }));
    } catch (error) {
      if (error instanceof SonospikeError && error.code === 'ERR_OUT_OF_MEMORY') return null;
      throw error;
    }
  }
  const clips = chosen.length;
  return {
    dense: sums.dense / clips,
    effectiveMacs: sums.macs / clips,
    effectiveAcs: sums.acs / clips,
    activationSparsity: sums.zeros / sums.outputs,
    ...sizeOf(model.settings, parameters),
    clips,
  };
}

function addClip(
  sums: { dense: number; macs: number; acs: number; outputs: number; zeros: number },
  projections: readonly Projection[],
  { input, layers }: Observation,
): void {
  const sent = [input.data, ...layers.map(({ spikes }) => spikes)];
  const binary = sent.map(isBinary);
  for (const { synapses, from } of projections) {
    const { dense, effective } = countSynapses(synapses, sent[from + 1]!);
    sums.dense += dense;
    if (binary[from + 1]) sums.acs += effective;
    else sums.macs += effective;
  }
  for (const { spikes } of layers) {
    sums.outputs += spikes.length;
    for (const s of spikes) if (s === 0) sums.zeros++;
  }
}

/** All synapses of a network. */
function projectionsOf(settings: ModelSettings, parameters: Tensors): Projection[] {
  const { layers, readout } = settings.network;
  const found: Projection[] = [];
  for (const [k, layer] of layers.entries()) {
    const inputs = k === 0 ? inputCount(settings) : layers[k - 1]!.neurons;
    found.push({ synapses: synapsesOf(layer, parameters.get(`layers.${k}.weight`)!, inputs), from: k - 1 });
    if (!layer.recurrent) continue;
    found.push({ synapses: denseSynapses(parameters.get(`layers.${k}.recurrent`)!, 1), from: k });
  }
  if (readout.type !== 'spike-count') {
    found.push({ synapses: denseSynapses(parameters.get('readout.weight')!), from: layers.length - 1 });
  }
  return found;
}

function synapsesOf({ connection }: LayerSettings, weight: Tensor, inputs: number): Synapses {
  if (connection?.type !== 'convolution') return denseSynapses(weight, 0, connection?.dilation);
  const { stride, dilation } = connection;
  return convolutionSynapses(weight, { bands: inputs / weight.shape[1]!, stride, dilation });
}

/** Numbers that a neuron keeps from step to step: potential and adaptation. */
function statesOf({ neuron }: LayerSettings): number {
  return neuron === 'relu' ? 0 : neuron === 'adaptive' ? 2 : 1;
}

function sizeOf({ network, labels }: ModelSettings, parameters: Tensors) {
  const tensors = [...parameters];
  const numbers = (of: readonly [string, Tensor][]) => of.reduce((sum, [, { data }]) => sum + data.length, 0);
  const weights = tensors.filter(([name]) => name.endsWith('.weight') || name.endsWith('.recurrent'));
  const zeros = weights.reduce((sum, [, { data }]) => sum + data.filter((w) => w === 0).length, 0);
  const states =
    network.layers.reduce((sum, layer) => sum + layer.neurons * statesOf(layer), 0) +
    (network.readout.type === 'spike-count' ? 0 : labels.length);
  const count = numbers(tensors);
  return {
    connectionSparsity: zeros / numbers(weights),
    parameters: count,
    footprint: Float32Array.BYTES_PER_ELEMENT * (count + states),
  };
}
