import { type Reading, readFields } from '../support/fields.js';
import { type Blame, refuse } from '../support/options.js';
import type { ConnectionSettings, LayerSettings, SpikingLayer } from './settings.js';
import type { Bands } from './shapes.js';
import { CHANNEL_MULTIPLE, LAYER_FIELDS, MAX_HISTORY, MAX_NEURONS } from './table.js';

/** The number of neurons may be left out where it follows from the bands. */
const FIELDS = { ...LAYER_FIELDS, neurons: { ...LAYER_FIELDS.neurons, optional: true } } as const;

/**
 * Checks a layer by the table, and its fields against each other.
 * @param bands what the layer stands on
 */
export function validateLayer(value: unknown, at: string, bands: Bands, reading: Reading): LayerSettings {
  const { blame, stored } = reading;
  const layer = readFields(FIELDS, value, at, reading) as unknown as LayerSettings;
  const connection = layer.connection!;
  checkConnection(connection, `${at}.connection`, bands, blame);
  const neurons = neuronsOf(layer.neurons, `${at}.neurons`, connection, bands, blame);
  checkRecurrent(layer, `${at}.recurrent`, connection, blame);
  const soft = layer.neuron !== 'relu' && layer.spike.type === 'soft';
  if (layer.dropout && (layer.recurrent || soft)) {
    const wanted = '0 in a recurrent layer and where spikes are soft';
    throw refuse(layer.dropout, `${at}.dropout`, wanted, blame);
  }
  if (layer.neuron !== 'relu' && !stored) checkSpreads(layer, at, blame);
  return { ...layer, neurons };
}

function checkConnection(connection: ConnectionSettings, at: string, bands: Bands, blame?: Blame): void {
  const { taps, dilation } = connection;
  const farthest = Math.floor(MAX_HISTORY / Math.max(1, taps - 1));
  if (dilation > farthest) {
    const wanted = `at most ${farthest} with ${taps} taps, as a layer looks back at most ${MAX_HISTORY} steps`;
    throw refuse(dilation, `${at}.dilation`, wanted, blame);
  }
  if (connection.type === 'dense') return;
  if (bands === null) {
    const wanted = "'dense', as the dense layer below has no bands to convolve over";
    throw refuse(connection.type, `${at}.type`, wanted, blame);
  }
  const { channels, kernel, stride } = connection;
  if (channels % CHANNEL_MULTIPLE !== 0)
    throw refuse(channels, `${at}.channels`, `a multiple of ${CHANNEL_MULTIPLE}`, blame);
  const below = `the ${bands.count} bands below`;
  if (kernel > 2 * bands.count) {
    const wanted = `an integer from 1 to ${2 * bands.count}, twice ${below}`;
    throw refuse(kernel, `${at}.kernel`, wanted, blame);
  }
  if (stride > bands.count)
    throw refuse(stride, `${at}.stride`, `an integer from 1 to ${bands.count}, ${below}`, blame);
}

/** The neurons of a convolution follow from the bands below it. */
function neuronsOf(
  given: number | undefined,
  at: string,
  connection: ConnectionSettings,
  bands: Bands,
  blame?: Blame,
): number {
  if (connection.type === 'dense' || bands === null) {
    if (given === undefined) throw refuse(given, at, `an integer from 1 to ${MAX_NEURONS}`, blame);
    return given;
  }
  const outputs = Math.ceil(bands.count / connection.stride);
  const neurons = outputs * connection.channels;
  const follows = `${outputs} output bands x ${connection.channels} channels`;
  if (given !== undefined && given !== neurons)
    throw refuse(given, at, `${neurons}, the ${follows}, or left out`, blame);
  if (neurons > MAX_NEURONS) throw refuse(neurons, at, `at most ${MAX_NEURONS}; it is ${follows}`, blame);
  return neurons;
}

function checkRecurrent(
  { recurrent, neuron }: LayerSettings,
  at: string,
  { type, taps }: ConnectionSettings,
  blame?: Blame,
): void {
  if (!recurrent || (type === 'dense' && taps === 1 && neuron !== 'relu')) return;
  throw refuse(
    recurrent,
    at,
    'false: only a dense layer of one tap, of spiking neurons, can be recurrent',
    blame,
  );
}

/** No neuron may draw a decay or a threshold that `decay` and `threshold` themselves may not have. */
function checkSpreads(
  { decay, decaySpread, threshold, thresholdSpread }: SpikingLayer,
  at: string,
  blame?: Blame,
): void {
  // Sums such as 0.9 + 0.1 must not fail for their rounding.
  const room = Math.min(decay, 1 - decay) + 1e-12;
  if (decaySpread > room) {
    const wanted = `at most ${room.toPrecision(6).replace(/\.?0+$/, '')}, so that decay ± decaySpread stays within 0 and 1`;
    throw refuse(decaySpread, `${at}.decaySpread`, wanted, blame);
  }
  if (thresholdSpread >= threshold) {
    const wanted = `below threshold, ${threshold}, so that every neuron draws a threshold above 0`;
    throw refuse(thresholdSpread, `${at}.thresholdSpread`, wanted, blame);
  }
}

/** The last layer under a readout that counts its spikes: one neuron a label, which spikes and is never silenced. */
export function requireCountable(
  { neuron, neurons, dropout }: LayerSettings,
  at: string,
  labels: number,
  blame?: Blame,
): void {
  const why = 'as the readout counts the spikes of this layer';
  if (neurons !== labels) {
    const wanted = `${labels}, the number of labels, as the readout counts the spikes of one neuron a label`;
    throw refuse(neurons, `${at}.neurons`, wanted, blame);
  }
  if (neuron === 'relu') throw refuse(neuron, `${at}.neuron`, `'lif' or 'adaptive', ${why}`, blame);
  if (dropout) throw refuse(dropout, `${at}.dropout`, `0, ${why}`, blame);
}
