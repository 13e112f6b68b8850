import type { Model } from '../model/model.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import { percent } from './format.js';
import type { Output } from './output.js';

/** Says so of a model that cannot reject anything. */
export function noteWithoutThreshold(out: Output, { confidence }: Pick<Model, 'confidence'>): void {
  if (confidence === null) out.note(`Warning: ${thresholdText(null)}`);
}

/** What a model rejects, and what its confidence comes from. */
export function thresholdText(confidence: Readonly<ConfidenceSettings> | null): string {
  if (confidence === null) {
    return (
      'the model has no threshold, so it takes every sound for one of its words, and its confidence is not ' +
      'calibrated. Train it again to give it one.'
    );
  }
  const { threshold, clips, right } = confidence;
  return `rejects what has a confidence below ${percent(threshold)}; calibrated on ${clips} answers, ${right} of them right`;
}
