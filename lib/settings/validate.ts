import { type Reading, readField, readFields } from '../support/fields.js';
import { array, type Blame, refuse } from '../support/options.js';
import { defaultText } from './defaults.js';
import { validateLabels } from './labels.js';
import type {
  EncodingSettings,
  FrontendSettings,
  ModelSettings,
  NetworkSettings,
  ScalingSettings,
} from './settings.js';
import { type Bands, bandsAbove, channelsOfFeature, countParameters, featureCount } from './shapes.js';
import {
  ENCODING_FIELDS,
  MAX_FEATURES,
  MAX_FRAME_RATE,
  MAX_PARAMETERS,
  MAX_STEPS,
  NETWORK_FIELDS,
  SETTINGS_FIELDS,
} from './table.js';
import { requireCountable, validateLayer } from './validate-layer.js';

/** How settings are checked. */
export interface Checking {
  /**
   * Whether they come from a model file. Its ranges are wider: version 0.1.0 refused no decay and no threshold, and a
   * model that was trained from such values must load.
   */
  stored?: boolean;
}

/** Settings that were checked; they are frozen, so that they need not be checked again. */
const checked = new WeakMap<object, 'given' | 'stored'>();

/**
 * Checks settings that are not trusted, field by field by the table and against each other. What it returns is frozen;
 * given that again, it returns it as it is, so that settings are checked once, at the first door.
 * @param where what the settings are called in error texts (`settings.network.layers[1].neurons`); may be empty
 * @param blame the error code, and the file they come from if it is one
 * @returns a copy with exactly the fields of `ModelSettings`; labels in Unicode's NFC
 * @throws SonospikeError with the code of `blame`, ERR_INVALID_OPTION unless told otherwise
 */
export function validateSettings(
  value: unknown,
  where: string,
  blame: Blame = { code: 'ERR_INVALID_OPTION' },
  { stored = false }: Checking = {},
): ModelSettings {
  const before = typeof value === 'object' && value !== null ? checked.get(value) : undefined;
  if (before === 'given' || (before === 'stored' && stored)) return value as ModelSettings;
  const name = where || 'the settings';
  const at = where === '' ? '' : `${where}.`;
  const reading: Reading = { blame, stored, defaultOf: (path) => defaultText(path.slice(at.length)) };
  const read = readFields(SETTINGS_FIELDS, value, name, reading, at) as unknown as ModelSettings;
  checkFrontend(read, `${at}frontend`, blame);
  requirePeak(read.scaling, read.frontend, at, blame);
  const encoding = checkEncoding(read.encoding, `${at}encoding`, read.frames, reading);
  const labels = validateLabels(read.labels, `${at}labels`, blame);
  const bands = { count: featureCount(read), channels: channelsOfFeature(encoding) };
  const network = readNetwork(read.network, `${at}network`, labels.length, bands, reading);
  const settings = { ...read, encoding, network, labels };
  requireMemory(settings, name, blame);
  freeze(settings);
  checked.set(settings, stored ? 'stored' : 'given');
  return settings;
}

function freeze(value: object): void {
  Object.freeze(value);
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) freeze(item);
}

/** Memory follows from the settings alone: a small file must not ask for more than a machine has. */
function requireMemory(settings: ModelSettings, name: string, blame: Blame): void {
  const parameters = countParameters(settings);
  const features = settings.frames * featureCount(settings);
  if (features > MAX_FEATURES) {
    const wanted = `at most ${MAX_FEATURES}; use fewer frames or features`;
    throw refuse(features, `the number of features (frames x features of each) of ${name}`, wanted, blame);
  }
  if (parameters > MAX_PARAMETERS) {
    throw refuse(parameters, `the number of parameters of ${name}`, `at most ${MAX_PARAMETERS}`, blame);
  }
}

/** Rules between the fields of the front end. */
function checkFrontend({ frontend, sampleRate }: ModelSettings, at: string, blame: Blame): void {
  const { windowLength, hopLength, fftLength, melBands, minFrequency, maxFrequency } = frontend;
  const nyquist = sampleRate / 2;
  const leastHop = Math.ceil(sampleRate / MAX_FRAME_RATE);
  if (fftLength < windowLength)
    throw refuse(fftLength, `${at}.fftLength`, `at least windowLength, ${windowLength}`, blame);
  if (hopLength < leastHop)
    throw refuse(
      hopLength,
      `${at}.hopLength`,
      `at least ${leastHop}, for at most ${MAX_FRAME_RATE} frames a second`,
      blame,
    );
  for (const [key, frequency] of Object.entries({ minFrequency, maxFrequency })) {
    if (frequency > nyquist)
      throw refuse(frequency, `${at}.${key}`, `at most ${nyquist}, half of the sample rate`, blame);
  }
  if (maxFrequency <= minFrequency) {
    throw refuse(maxFrequency, `${at}.maxFrequency`, `more than minFrequency, ${minFrequency}`, blame);
  }
  if (frontend.type === 'mfcc' && frontend.coefficients > melBands)
    throw refuse(frontend.coefficients, `${at}.coefficients`, `at most melBands, ${melBands}`, blame);
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

/**
 * Checks an encoding of clips of `frames` frames.
 * @throws SonospikeError with the code of `blame`, ERR_INVALID_OPTION unless told otherwise
 */
export function validateEncoding(
  value: unknown,
  at: string,
  frames: number,
  blame?: Blame,
): EncodingSettings {
  const reading: Reading = { blame, defaultOf: (path) => defaultText(path.replace(at, 'encoding')) };
  const encoding = readFields(ENCODING_FIELDS, value, at, reading) as unknown as EncodingSettings;
  return checkEncoding(encoding, at, frames, reading);
}

/** Rules between the encoding and the number of frames. */
function checkEncoding(
  encoding: EncodingSettings,
  at: string,
  frames: number,
  reading: Reading,
): EncodingSettings {
  const { stepsPerFrame } = ENCODING_FIELDS;
  const max = Math.min(stepsPerFrame.max, Math.floor(MAX_STEPS / frames));
  readField({ ...stepsPerFrame, max }, encoding.stepsPerFrame, `${at}.stepsPerFrame`, reading);
  if (encoding.type === 'delta' && encoding.threshold <= 0) {
    const wanted = 'more than 0 for the delta encoding';
    throw refuse(encoding.threshold, `${at}.threshold`, wanted, reading.blame);
  }
  return encoding;
}

function readNetwork(
  network: NetworkSettings,
  at: string,
  labels: number,
  features: Bands,
  reading: Reading,
): NetworkSettings {
  const { blame } = reading;
  const { min, max } = NETWORK_FIELDS.layers;
  let bands = features;
  // Unlike map, Array.from does not pass over holes.
  const layers = Array.from(array(network.layers, `${at}.layers`, min, max, blame), (item, index) => {
    const layer = validateLayer(item, `${at}.layers[${index}]`, bands, reading);
    bands = bandsAbove(layer, bands);
    return layer;
  });
  if (network.readout.type === 'spike-count') {
    const last = layers.length - 1;
    requireCountable(layers[last]!, `${at}.layers[${last}]`, labels, blame);
  }
  return { ...network, layers };
}
