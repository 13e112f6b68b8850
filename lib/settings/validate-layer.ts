import { type Blame, boolean, choice, integer, number, object, refuse } from '../support/options.js';
import type { AdaptationSettings, ConnectionSettings, LayerSettings, SpikeSettings } from './settings.js';
import type { Bands } from './shapes.js';

const MAX_NEURONS = 8192;
/** A convolution has no padding of its own in the kernels' rows of 16 values. */
const CHANNEL_MULTIPLE = 16;
const MAX_TAPS = 64;
/** Steps that a layer looks back; they are kept beside each piece of a clip. */
const MAX_HISTORY = 1024;
const MAX_DROPOUT = 0.95;
/** Of decays, thresholds and slopes: far beyond use, yet safe from overflow in float32. */
export const LARGE = 1e6;

const NEURONS = ['lif', 'adaptive', 'relu'] as const;
const LAYER = [
  'neurons',
  'connection',
  'neuron',
  'adaptation',
  'recurrent',
  'dropout',
  'weightGain',
  'spike',
  'reset',
  'detachReset',
  'decay',
  'decaySpread',
  'threshold',
  'thresholdSpread',
  'learnDecay',
  'learnThreshold',
  'constrain',
] as const;

/** @param bands what the layer stands on */
export function validateLayer(value: unknown, at: string, bands: Bands, blame: Blame): LayerSettings {
  const given = object(value, at, LAYER, blame);
  const connection = validateConnection(given.connection, `${at}.connection`, bands, blame);
  const neuron = given.neuron === undefined ? 'lif' : choice(given.neuron, `${at}.neuron`, NEURONS, blame);
  const recurrent = validateRecurrent(given.recurrent, `${at}.recurrent`, connection, neuron, blame);
  const spike = validateSpike(given.spike, `${at}.spike`, blame);
  const soft = neuron !== 'relu' && spike.type === 'soft';
  return {
    neurons: validateNeurons(given.neurons, `${at}.neurons`, connection, bands, blame),
    connection,
    neuron,
    ...validateAdaptation(given.adaptation, `${at}.adaptation`, neuron, blame),
    recurrent,
    dropout: validateDropout(given.dropout, `${at}.dropout`, recurrent || soft, blame),
    weightGain:
      given.weightGain === undefined ? 1 : number(given.weightGain, `${at}.weightGain`, 0, LARGE, blame),
    spike,
    reset: choice(given.reset, `${at}.reset`, ['zero', 'subtract'], blame),
    detachReset: boolean(given.detachReset, `${at}.detachReset`, blame),
    decay: number(given.decay, `${at}.decay`, -LARGE, LARGE, blame),
    decaySpread: number(given.decaySpread, `${at}.decaySpread`, 0, LARGE, blame),
    threshold: number(given.threshold, `${at}.threshold`, -LARGE, LARGE, blame),
    thresholdSpread: number(given.thresholdSpread, `${at}.thresholdSpread`, 0, LARGE, blame),
    learnDecay: boolean(given.learnDecay, `${at}.learnDecay`, blame),
    learnThreshold: boolean(given.learnThreshold, `${at}.learnThreshold`, blame),
    constrain: boolean(given.constrain, `${at}.constrain`, blame),
  };
}

/** The field, where there is one. */
function validateAdaptation(
  value: unknown,
  at: string,
  neuron: LayerSettings['neuron'],
  blame: Blame,
): { adaptation?: AdaptationSettings } {
  if (neuron !== 'adaptive') {
    if (value === undefined || value === null) return {};
    throw refuse(value, at, `null, as ${neuron} neurons do not adapt, or left out`, blame);
  }
  const given = value === undefined ? {} : object(value, at, ['decay', 'coupling', 'jump'], blame);
  const { decay = 0.9, coupling = 0.1, jump = 0.5 } = given;
  return {
    adaptation: {
      decay: number(decay, `${at}.decay`, 0, 1, blame),
      coupling: number(coupling, `${at}.coupling`, 0, LARGE, blame),
      jump: number(jump, `${at}.jump`, -LARGE, LARGE, blame),
    },
  };
}

function validateConnection(value: unknown, at: string, bands: Bands, blame: Blame): ConnectionSettings {
  if (value === undefined) return { type: 'dense', taps: 1, dilation: 1 };
  const given = object(value, at, ['type', 'channels', 'kernel', 'stride', 'taps', 'dilation'], blame);
  const type = choice(given.type, `${at}.type`, ['dense', 'convolution'], blame);
  const taps = given.taps === undefined ? 1 : integer(given.taps, `${at}.taps`, 1, MAX_TAPS, blame);
  const farthest = Math.floor(MAX_HISTORY / Math.max(1, taps - 1));
  const dilation =
    given.dilation === undefined ? 1 : integer(given.dilation, `${at}.dilation`, 1, farthest, blame);
  if (type === 'dense') {
    object(value, at, ['type', 'taps', 'dilation'], blame);
    return { type, taps, dilation };
  }
  if (bands === null) {
    throw refuse(
      type,
      `${at}.type`,
      "'dense', as the dense layer below has no bands to convolve over",
      blame,
    );
  }
  const channels = integer(given.channels, `${at}.channels`, CHANNEL_MULTIPLE, MAX_NEURONS, blame);
  if (channels % CHANNEL_MULTIPLE !== 0) {
    throw refuse(channels, `${at}.channels`, `a multiple of ${CHANNEL_MULTIPLE}`, blame);
  }
  const kernel = integer(given.kernel, `${at}.kernel`, 1, 2 * bands.count, blame);
  const stride = integer(given.stride, `${at}.stride`, 1, bands.count, blame);
  return { type, channels, kernel, stride, taps, dilation };
}

/** Those of a convolution follow from the bands below it. */
function validateNeurons(
  value: unknown,
  at: string,
  connection: ConnectionSettings,
  bands: Bands,
  blame: Blame,
): number {
  if (connection.type === 'dense' || bands === null) return integer(value, at, 1, MAX_NEURONS, blame);
  const outputs = Math.ceil(bands.count / connection.stride);
  const neurons = outputs * connection.channels;
  if (value !== undefined && value !== neurons) {
    const wanted = `${neurons}, the ${outputs} output bands x ${connection.channels} channels, or left out`;
    throw refuse(value, at, wanted, blame);
  }
  return integer(neurons, at, 1, MAX_NEURONS, blame);
}

function validateRecurrent(
  value: unknown,
  at: string,
  connection: ConnectionSettings,
  neuron: LayerSettings['neuron'],
  blame: Blame,
): boolean {
  const recurrent = boolean(value, at, blame);
  if (recurrent && (connection.type !== 'dense' || connection.taps > 1 || neuron === 'relu')) {
    throw refuse(
      recurrent,
      at,
      'false: only a dense layer of one tap, of spiking neurons, can be recurrent',
      blame,
    );
  }
  return recurrent;
}

function validateDropout(value: unknown, at: string, impossible: boolean, blame: Blame): number {
  if (value === undefined) return 0;
  const dropout = number(value, at, 0, MAX_DROPOUT, blame);
  if (dropout > 0 && impossible) {
    throw refuse(dropout, at, '0 in a recurrent layer and where spikes are soft', blame);
  }
  return dropout;
}

function validateSpike(value: unknown, at: string, blame: Blame): SpikeSettings {
  const given = object(value, at, ['type', 'surrogate', 'slope'], blame);
  const surrogates = ['fast-sigmoid', 'atan', 'triangle', 'boxcar', 'sigmoid'] as const;
  return {
    type: choice(given.type, `${at}.type`, ['hard', 'soft'], blame),
    surrogate: choice(given.surrogate, `${at}.surrogate`, surrogates, blame),
    slope: number(given.slope, `${at}.slope`, 1 / LARGE, LARGE, blame),
  };
}
