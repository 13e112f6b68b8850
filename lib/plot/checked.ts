// What `sonospike/plot` gives: the functions of plot/index.ts, which check what they are given.
import { currentProtocolName, type ProtocolName } from '../protocol/names.js';
import type { ModelSettings } from '../settings/settings.js';
import { validateSettings } from '../settings/validate.js';
import { SonospikeError } from '../support/errors.js';
import { array, number, object, optionsObject, refuse, string } from '../support/options.js';
import * as plots from './index.js';

export type {
  FigureOptions,
  ObservationPlotOptions,
  PlotPageEntry,
  PlottedComparison,
  PlottedEpoch,
  PlottedEvaluation,
  PlottedObservation,
  PlottedProtocol,
} from './index.js';

const FIGURE_KEYS = ['width', 'title'] as const satisfies (keyof plots.FigureOptions)[];
const OBSERVATION_KEYS = [
  ...FIGURE_KEYS,
  'settings',
  'samples',
  'sampleRate',
  'truth',
  'clipped',
  'remarks',
] as const satisfies (keyof plots.ObservationPlotOptions)[];

/** Pixels. */
const [LEAST_WIDTH, MOST_WIDTH] = [320, 10_000];

/**
 * Draws what `Model.observe` saw of a clip, as an SVG document: waveform, features, input, the spikes of every layer
 * and the potentials of the readout over time, and the softmax of the labels. Dark or light as the reader's system is.
 * @throws SonospikeError ERR_INVALID_OPTION, also where the observation is not one of a model with these settings
 */
export function plotObservation(
  observation: plots.PlottedObservation,
  options: plots.ObservationPlotOptions,
): string {
  const { samples, sampleRate, truth, settings } = optionsObject(options, 'options', OBSERVATION_KEYS);
  checkFigure(options);
  const checked = validateSettings(settings, 'settings', undefined, { stored: true });
  if ((samples === undefined) !== (sampleRate === undefined)) {
    throw invalid('samples and sampleRate must be given together.');
  }
  if (samples !== undefined) {
    if (!(samples instanceof Float32Array) && !(samples instanceof Int16Array)) {
      throw refuse(samples, 'samples', 'a Float32Array or an Int16Array');
    }
    number(sampleRate, 'sampleRate', 1, Number.MAX_SAFE_INTEGER);
  }
  if (truth !== undefined && truth !== null) string(truth, 'truth');
  if (!isOf(observation, checked)) {
    throw invalid(
      'The observation is not one of a model with these settings; give those of the model that observed.',
    );
  }
  return plots.plotObservation(observation, options);
}

/** Whether the sizes are those of the settings, so that nothing beyond an array is drawn. */
function isOf(observation: plots.PlottedObservation | undefined, settings: ModelSettings): boolean {
  const { features, input, layers, readout, softmax, scores, firingRates } = (observation ??
    {}) as Partial<plots.PlottedObservation>;
  const { labels, network, encoding } = settings;
  if (!features || !input || !Array.isArray(layers)) return false;
  const steps = features.frames * encoding.stepsPerFrame;
  return (
    softmax?.length === labels.length &&
    scores?.length === labels.length &&
    features.data?.length === features.frames * features.features &&
    input.steps === steps &&
    input.data?.length === steps * input.channels &&
    layers.length === network.layers.length &&
    firingRates?.length === network.layers.length &&
    layers.every((layer, k) => layer?.spikes?.length === steps * network.layers[k]!.neurons) &&
    (network.readout.type === 'spike-count') === (readout === null) &&
    (!readout || readout.potential?.length === steps * labels.length)
  );
}

/**
 * Draws the course of a training as an SVG document: loss and accuracy of the training clips, and of validation and
 * test where they were measured, and the firing rates of the layers, with a line at the epoch that is kept.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function plotTraining(
  epochs: readonly plots.PlottedEpoch[],
  options: plots.FigureOptions = {},
): string {
  optionsObject(options, 'options', FIGURE_KEYS);
  checkFigure(options);
  const all = array(epochs, 'epochs', 0, Number.MAX_SAFE_INTEGER) as Partial<plots.PlottedEpoch>[];
  if (!all.every((epoch) => epoch?.train && Array.isArray(epoch.firingRates))) {
    throw invalid('epochs must be those that train() gives.');
  }
  return plots.plotTraining(epochs, options);
}

/**
 * Draws what `evaluate` found as an SVG document: confusion matrix, accuracy of every speaker with its 95% interval,
 * and how far the confidences can be believed.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function plotEvaluation(found: plots.PlottedEvaluation, options: plots.FigureOptions = {}): string {
  optionsObject(options, 'options', FIGURE_KEYS);
  checkFigure(options);
  const { perSpeaker, calibration, interval } = (found ?? {}) as Partial<plots.PlottedEvaluation>;
  if (!isSquare(found) || !perSpeaker || !calibration?.bins || !interval)
    throw invalid('What is to be drawn must be what evaluate() gives.');
  return plots.plotEvaluation(found, options);
}

/**
 * Draws what `evaluateProtocol` found as an SVG document: accuracy of every fold and speaker with the spread over the
 * seeds, confusion matrix, and how far the confidences can be believed.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function plotProtocol(result: plots.PlottedProtocol, options: plots.FigureOptions = {}): string {
  optionsObject(options, 'options', FIGURE_KEYS);
  checkFigure(options);
  const { labels, summary } = (result ?? {}) as Partial<plots.PlottedProtocol>;
  const drawable =
    summary === null || (summary && labels && isSquare({ labels, confusion: summary.confusion }));
  if (!drawable) throw invalid('What is to be drawn must be what evaluateProtocol() gives.');
  // Files of version 0.1.0 have the names of then.
  const protocol = currentProtocolName(String(result.protocol)) as ProtocolName;
  return plots.plotProtocol({ ...result, protocol }, options);
}

/**
 * Draws what `compare` found as an SVG document: the accuracy of every variant with its runs, and its difference to the
 * first variant with the 95% interval.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function plotComparison(result: plots.PlottedComparison, options: plots.FigureOptions = {}): string {
  optionsObject(options, 'options', FIGURE_KEYS);
  checkFigure(options);
  const { variants, runs, seeds, folds } = (result ?? {}) as Partial<plots.PlottedComparison>;
  if (
    ![variants, runs, seeds, folds].every(Array.isArray) ||
    !variants!.every((of) => typeof of?.name === 'string')
  )
    throw invalid('What is to be drawn must be what compare() gives.');
  return plots.plotComparison(result, options);
}

/**
 * Figures as one HTML page that needs nothing else: no script, no other file, dark and light.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function plotPage(title: string, entries: readonly plots.PlotPageEntry[]): string {
  string(title, 'title');
  for (const [i, entry] of array(entries, 'entries', 0, Number.MAX_SAFE_INTEGER).entries()) {
    const { name, svg } = object(entry, `entries[${i}]`, ['name', 'svg']);
    string(name, `entries[${i}].name`);
    string(svg, `entries[${i}].svg`);
  }
  return plots.plotPage(title, entries);
}

function checkFigure({ width, title }: plots.FigureOptions): void {
  if (width !== undefined) number(width, 'width', LEAST_WIDTH, MOST_WIDTH);
  if (title !== undefined) string(title, 'title');
}

function isSquare(
  found: Partial<Pick<plots.PlottedEvaluation, 'labels' | 'confusion'>> | undefined,
): boolean {
  const { labels, confusion } = found ?? {};
  if (!Array.isArray(labels) || !Array.isArray(confusion) || confusion.length !== labels.length) return false;
  return confusion.every((row) => Array.isArray(row) && row.length === labels.length);
}

function invalid(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}
