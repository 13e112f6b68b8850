import type { Model } from '../model/model.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import type { TrainResult } from '../training/train.js';
import { accuracyText, percent } from './format.js';
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

/** How good the model of a training is, and what it accepts. */
export function testedText({ test, testedBy, crossValidation, bestEpoch, epochs }: TrainResult): string[] {
  const which = `with the model of epoch ${bestEpoch} of ${epochs.length}`;
  const lines =
    testedBy === 'test'
      ? [`Test accuracy ${accuracyText(test)}, ${which}.`]
      : [
          `Cross-validated accuracy ${accuracyText(test)}: of models trained in the same way, but shorter, each tested ` +
            'on takes that it was not trained on. The model that is kept was trained on all takes.',
        ];
  if (crossValidation === null) return lines;
  const { folds, rejected, others } = crossValidation;
  return [
    ...lines,
    `The threshold rejects ${percent(rejected)} of the held-out takes that were recognised, and accepts ` +
      `${percent(others.accepted)} of ${others.clips} sounds that are no word (cross-validation of ${folds} folds).`,
  ];
}
