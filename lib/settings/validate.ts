import {
  array,
  type Blame,
  boolean,
  choice,
  integer,
  number,
  object,
  refuse,
  string,
} from '../support/options.js';
import type {
  EncodingSettings,
  FrontendSettings,
  LayerSettings,
  ModelSettings,
  NetworkSettings,
  ScalingSettings,
} from './settings.js';
import type { Bands } from './shapes.js';
import { bandsAbove, channelsOfFeature, featureCount, parameterShapes } from './shapes.js';
import { LARGE, validateLayer } from './validate-layer.js';

const MAX_LAYERS = 16;
const MAX_LABELS = 1000;
const MAX_LABEL_LENGTH = 200;
/** Of feature frames: more than half an hour at the usual 100 a second. */
const MAX_FRAMES = 200_000;
const MAX_STEPS = 2_000_000;
/** Values of a clip after the front end, frames x features: 128 MiB. */
const MAX_FEATURES = 2 ** 25;
/** Weights and the like: 1 GiB. */
const MAX_PARAMETERS = 2 ** 28;
/** Of feature frames, so that half an hour of audio still fits. */
const MAX_FRAME_RATE = 1000;

const READOUTS = ['spike-count', 'leaky-integrator', 'mean-potential'] as const;
const SETTINGS = [
  'sampleRate',
  'frontend',
  'scaling',
  'frames',
  'tail',
  'encoding',
  'network',
  'labels',
] as const;
const FRONTEND = [
  'type',
  'windowLength',
  'hopLength',
  'fftLength',
  'melBands',
  'minFrequency',
  'maxFrequency',
  'coefficients',
  'topDb',
  'removeMean',
] as const;

/**
 * Checks settings that are not trusted, field by field and against each other.
 * @param where what the settings are called in error texts (`settings.network.layers[1].neurons`); may be empty
 * @param blame the error code, and the file they come from if it is one
 * @returns a copy with exactly the fields of `ModelSettings`; labels in Unicode's NFC
 * @throws SonospikeError with the code of `blame`, ERR_INVALID_OPTION unless told otherwise
 */
export function validateSettings(
  value: unknown,
  where: string,
  blame: Blame = { code: 'ERR_INVALID_OPTION' },
): ModelSettings {
  const given = object(value, where || 'the settings', SETTINGS, blame);
  const at = where === '' ? '' : `${where}.`;
  const sampleRate = integer(given.sampleRate, `${at}sampleRate`, 1000, 192_000, blame);
  const frontend = validateFrontend(given.frontend, `${at}frontend`, sampleRate, blame);
  const scaling = validateScaling(given.scaling, `${at}scaling`, blame);
  requirePeak(scaling, frontend, at, blame);
  const frames = integer(given.frames, `${at}frames`, 1, MAX_FRAMES, blame);
  const encoding = validateEncoding(given.encoding, `${at}encoding`, frames, blame);
  const labels = validateLabels(given.labels, `${at}labels`, blame);
  const bands = { count: featureCount({ frontend }), channels: channelsOfFeature(encoding) };
  const network = validateNetwork(given.network, `${at}network`, labels.length, bands, blame);
  const tail = given.tail ?? null;
  const fitted = tail === null ? {} : { tail: integer(tail, `${at}tail`, 0, MAX_FRAMES, blame) };
  const settings = { sampleRate, frontend, scaling, frames, ...fitted, encoding, network, labels };
  requireMemory(settings, where || 'the settings', blame);
  return settings;
}

/** Memory follows from the settings alone: a small file must not ask for more than a machine has. */
function requireMemory(settings: ModelSettings, name: string, blame: Blame): void {
  const shapes = [...parameterShapes(settings).values()];
  const parameters = shapes.reduce((sum, shape) => sum + shape.reduce((product, n) => product * n, 1), 0);
  const features = settings.frames * featureCount(settings);
  if (features > MAX_FEATURES) {
    const wanted = `at most ${MAX_FEATURES}; use fewer frames or features`;
    throw refuse(features, `the number of features (frames x features of each) of ${name}`, wanted, blame);
  }
  if (parameters > MAX_PARAMETERS) {
    throw refuse(parameters, `the number of parameters of ${name}`, `at most ${MAX_PARAMETERS}`, blame);
  }
}

function validateFrontend(value: unknown, at: string, sampleRate: number, blame: Blame): FrontendSettings {
  const given = object(value, at, FRONTEND, blame);
  const nyquist = sampleRate / 2;
  const windowLength = integer(given.windowLength, `${at}.windowLength`, 2, 16_384, blame);
  const melBands = integer(given.melBands, `${at}.melBands`, 1, 512, blame);
  const minFrequency = number(given.minFrequency, `${at}.minFrequency`, 0, nyquist, blame);
  const maxFrequency = number(given.maxFrequency, `${at}.maxFrequency`, minFrequency, nyquist, blame);
  if (maxFrequency === minFrequency) {
    throw refuse(maxFrequency, `${at}.maxFrequency`, 'more than minFrequency', blame);
  }
  return {
    type: choice(given.type, `${at}.type`, ['mfcc', 'log-mel'], blame),
    windowLength,
    hopLength: integer(
      given.hopLength,
      `${at}.hopLength`,
      Math.ceil(sampleRate / MAX_FRAME_RATE),
      65_536,
      blame,
    ),
    fftLength: integer(given.fftLength, `${at}.fftLength`, windowLength, 16_384, blame),
    melBands,
    minFrequency,
    maxFrequency,
    coefficients: integer(given.coefficients, `${at}.coefficients`, 1, melBands, blame),
    topDb: given.topDb === null ? null : number(given.topDb, `${at}.topDb`, 0, 1000, blame),
    // Left out where it is not done, as in the files of before.
    ...(boolean(given.removeMean ?? false, `${at}.removeMean`, blame) ? { removeMean: true } : {}),
  };
}

function validateScaling(value: unknown, at: string, blame: Blame): ScalingSettings {
  const given = object(value, at, ['type', 'over', 'pooled'], blame);
  return {
    type: choice(given.type, `${at}.type`, ['min-max', 'standard', 'peak', 'none'], blame),
    over: choice(given.over, `${at}.over`, ['clip', 'training-set'], blame),
    pooled: boolean(given.pooled, `${at}.pooled`, blame),
  };
}

/** Peak scaling counts dB down from the loudest band of the clip. */
function requirePeak(scaling: ScalingSettings, frontend: FrontendSettings, at: string, blame: Blame): void {
  if (scaling.type !== 'peak') return;
  if (frontend.type !== 'log-mel')
    throw refuse(frontend.type, `${at}frontend.type`, "'log-mel' for peak scaling", blame);
  if (!frontend.topDb)
    throw refuse(frontend.topDb, `${at}frontend.topDb`, 'more than 0 dB for peak scaling', blame);
  if (scaling.over !== 'clip')
    throw refuse(scaling.over, `${at}scaling.over`, "'clip' for peak scaling", blame);
  if (!scaling.pooled) throw refuse(scaling.pooled, `${at}scaling.pooled`, 'true for peak scaling', blame);
}

/** Checks an encoding of clips of `frames` frames. */
export function validateEncoding(
  value: unknown,
  at: string,
  frames: number,
  blame?: Blame,
): EncodingSettings {
  const given = object(value, at, ['type', 'stepsPerFrame', 'threshold'], blame);
  const type = choice(given.type, `${at}.type`, ['rate', 'latency', 'delta', 'direct'], blame);
  const maxSteps = Math.min(1000, Math.floor(MAX_STEPS / frames));
  const threshold = number(given.threshold, `${at}.threshold`, -LARGE, LARGE, blame);
  if (type === 'delta' && threshold <= 0) {
    throw refuse(threshold, `${at}.threshold`, 'more than 0 for the delta encoding', blame);
  }
  return {
    type,
    stepsPerFrame: integer(given.stepsPerFrame, `${at}.stepsPerFrame`, 1, maxSteps, blame),
    threshold,
  };
}

function validateNetwork(
  value: unknown,
  at: string,
  labels: number,
  features: Bands,
  blame: Blame,
): NetworkSettings {
  const given = object(value, at, ['layers', 'readout'], blame);
  let bands = features;
  // Unlike map, Array.from does not pass over holes.
  const layers = Array.from(array(given.layers, `${at}.layers`, 1, MAX_LAYERS, blame), (item, index) => {
    const layer = validateLayer(item, `${at}.layers[${index}]`, bands, blame);
    bands = bandsAbove(layer, bands);
    return layer;
  });
  const readout = object(given.readout, `${at}.readout`, ['type', 'decay', 'learnDecay'], blame);
  const type = choice(readout.type, `${at}.readout.type`, READOUTS, blame);
  const last = layers.length - 1;
  if (type === 'spike-count' && layers[last]!.neurons !== labels) {
    const wanted = `${labels}, the number of labels, as the readout counts the spikes of one neuron a label`;
    throw refuse(layers[last]!.neurons, `${at}.layers[${last}].neurons`, wanted, blame);
  }
  if (type === 'spike-count') requireCountable(layers[last]!, `${at}.layers[${last}]`, blame);
  const decay = number(readout.decay, `${at}.readout.decay`, -LARGE, LARGE, blame);
  const learnDecay = boolean(readout.learnDecay, `${at}.readout.learnDecay`, blame);
  return { layers, readout: { type, decay, learnDecay } };
}

/** Scores are spikes, of which none is left out. */
function requireCountable({ neuron, dropout }: LayerSettings, at: string, blame: Blame): void {
  const why = 'as the readout counts the spikes of this layer';
  if (neuron === 'relu') throw refuse(neuron, `${at}.neuron`, `'lif' or 'adaptive', ${why}`, blame);
  if (dropout) throw refuse(dropout, `${at}.dropout`, `0, ${why}`, blame);
}

/** The words of a model: 2 to 1000 different ones, printable; returned in Unicode's NFC. */
export function validateLabels(value: unknown, at: string, blame?: Blame): string[] {
  const labels = new Set<string>();
  for (const [index, item] of array(value, at, 2, MAX_LABELS, blame).entries()) {
    const name = `${at}[${index}]`;
    const label = string(item, name, blame).normalize('NFC');
    // Control characters would break a terminal's line, and lone surrogates have no UTF-8 form.
    if (label.length > MAX_LABEL_LENGTH || label.trim() === '' || /[\p{Cc}\p{Cs}]/u.test(label)) {
      throw refuse(item, name, `a word of up to ${MAX_LABEL_LENGTH} printable characters`, blame);
    }
    if (labels.has(label)) throw refuse(item, name, 'different from the labels before it', blame);
    labels.add(label);
  }
  return [...labels];
}
