import type { NativePrediction } from '../native/addon.js';
import type { ModelSettings } from '../settings/settings.js';

/**
 * The label of a clip in which there is nothing to hear: all its samples are the same. It is none of the model's
 * labels, and such a clip is always rejected.
 */
export const SILENCE_LABEL = '_silence_';

/** What a model says of one clip. Arrays of numbers are in the order of the model's `labels`. */
export interface Prediction {
  /** The most probable of the model's labels; `_silence_` where `silent` is true. */
  label: string;
  /**
   * Probability from 0 to 1 that `label` is right, for any sound, one that is no word included. It is calibrated on clips
   * that were held back from training: of the clips with a confidence of 0.9, nine in ten are right. Use it, or
   * `rejected`, to decide whether to believe the label; `softmax` is not made for that.
   *
   * A model without a calibration (`Model.confidence` is null) has the softmax of `label` here, and rejects nothing.
   */
  confidence: number;
  /** Whether the confidence is below the model's threshold: the clip is noise, say, or a word that is not known. */
  rejected: boolean;
  /** Whether the clip is digital silence, which is rejected without asking the network: all its samples are the same. */
  silent: boolean;
  /**
   * Softmax output of the network for each label, in the order of `Model.labels`; the values sum to 1. They compare the
   * labels with each other, as if the clip were one of these words for certain, so that they may be high for noise. They
   * are not calibrated: how far `label` can be believed is said by `confidence`.
   */
  softmax: number[];
  /** Every label with its `softmax`, the greatest first: `ranked[0].label` is `label`, but for silence. */
  ranked: RankedLabel[];
  /**
   * What the readout gives for each label: the spikes of each output neuron where it counts spikes, else the mean over
   * time of the softmax of the leaky integrator, or of its potentials.
   */
  scores: number[];
  /** Firing rate of each layer: spikes per neuron and time step. */
  firingRates: number[];
  /**
   * The part of the clip that the network heard: all of it; or the word, where the clip is longer than the network can
   * hear or has much quiet around the word (its beginning, where the model's `tail` is null). null for digital silence.
   */
  heard: HeardPart | null;
}

/** Seconds of a clip. */
export interface HeardPart {
  /** Where the part begins; 0 where all of the clip was heard. */
  start: number;
  /** Where the part ends; equal to `of` where all of the clip was heard. */
  end: number;
  /** Length of the whole clip. */
  of: number;
  /** Whether the rest of the clip holds sound as well, at least 0.08 s of it: another word, or noise. */
  more: boolean;
}

/** A label and the network's softmax output for it. */
export interface RankedLabel {
  /** One of the model's labels. */
  label: string;
  /** Softmax output for the label, from 0 to 1, as in `Prediction.softmax`. */
  softmax: number;
}

/** What a prediction takes from its model. */
export interface Namer {
  readonly labels: readonly string[];
  readonly settings: Readonly<ModelSettings>;
}

/**
 * The network's answer with the name of the label and the confidence in it.
 * @param seconds length of the clip
 */
export function namedPrediction(model: Namer, prediction: NativePrediction, seconds: number): Prediction {
  const { labels } = model;
  const { best } = prediction;
  const softmax = Array.from(prediction.probabilities);
  return {
    label: labels[best]!,
    confidence: prediction.confidence,
    rejected: prediction.rejected,
    silent: false,
    softmax,
    ranked: ranked(labels, softmax, best),
    scores: Array.from(prediction.scores),
    firingRates: prediction.firingRates,
    heard: heardPart(model.settings, prediction, seconds),
  };
}

/** What is said of digital silence: nothing is more probable than anything else, and no neuron fires. */
export function silentPrediction(labels: readonly string[], layers: number): Prediction {
  const softmax = labels.map(() => 1 / labels.length);
  return {
    label: SILENCE_LABEL,
    confidence: 0,
    rejected: true,
    silent: true,
    softmax,
    ranked: ranked(labels, softmax, 0),
    scores: labels.map(() => 0),
    firingRates: Array.from({ length: layers }, () => 0),
    heard: null,
  };
}

let told = false;

/** Keeps `tellLonger` from warning: the command line says it in its own words. */
export function leaveLongerToCaller(): void {
  told = true;
}

/** Warns once in a process, as Node warns, of a clip with sound that the network did not hear. */
export function tellLonger({ heard }: Pick<Prediction, 'heard'>): void {
  if (told || heard === null || !heard.more) return;
  told = true;
  const [start, end, of] = [heard.start, heard.end, heard.of].map((seconds) => seconds.toFixed(2));
  process.emitWarning(
    `A clip of ${of} s is longer than the model hears: it heard ${start} to ${end} s, and the rest was left out ` +
      '(`heard` of the prediction). Cut recordings into single words, or use model.stream(). This is said once.',
    { type: 'SonospikeWarning', code: 'SONOSPIKE_CLIP_LONGER' },
  );
}

/** Frame i is that around sample i x hopLength. */
function heardPart(
  { frontend, sampleRate }: Readonly<ModelSettings>,
  { firstFrame, heardFrames, ownFrames, moreToHear }: NativePrediction,
  seconds: number,
): HeardPart {
  if (heardFrames === ownFrames) return { start: 0, end: seconds, of: seconds, more: false };
  const beginOf = (frame: number) => ((frame - 0.5) * frontend.hopLength) / sampleRate;
  return {
    start: Math.max(0, beginOf(firstFrame)),
    end: Math.min(seconds, beginOf(firstFrame + heardFrames)),
    of: seconds,
    more: moreToHear,
  };
}

/** Of labels with equal values the predicted one comes first, then those that come first in the model. */
function ranked(labels: readonly string[], softmax: readonly number[], best: number): RankedLabel[] {
  const order = [...softmax.keys()].sort(
    (a, b) => softmax[b]! - softmax[a]! || Number(b === best) - Number(a === best) || a - b,
  );
  return order.map((i) => ({ label: labels[i]!, softmax: softmax[i]! }));
}
