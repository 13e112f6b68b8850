import type { NativePrediction } from '../native/addon.js';
import { type ConfidenceSettings, judge } from '../settings/confidence.js';

/** What the network says of one clip. Arrays are in the order of the model's `labels`. */
export interface Prediction {
  label: string;
  /**
   * Probability that the label is right, as measured on the validation part of the training; for models of which that
   * is not known, the label's own probability.
   */
  confidence: number;
  /** Whether the confidence is below the model's threshold: noise, say, or a word that it does not know. */
  rejected: boolean;
  /** Sum to 1. */
  probabilities: number[];
  /**
   * What the readout gives: spikes of each output neuron where it counts spikes, else the mean over time of the
   * softmax of the leaky integrator, or of its potentials.
   */
  scores: number[];
  /** Of each layer: spikes per neuron and time step. */
  firingRates: number[];
}

/** What a model knows of its own answers. */
export interface Namer {
  readonly labels: readonly string[];
  readonly confidence: Readonly<ConfidenceSettings> | null;
}

/** The network's answer with the name of the label and the confidence in it. */
export function namedPrediction({ labels, confidence }: Namer, prediction: NativePrediction): Prediction {
  return {
    label: labels[prediction.best]!,
    ...judge(confidence, prediction.probabilities, prediction.best),
    probabilities: Array.from(prediction.probabilities),
    scores: Array.from(prediction.scores),
    firingRates: prediction.firingRates,
  };
}
