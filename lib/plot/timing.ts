import type { Observation } from '../model/model.js';
import type { ModelSettings } from '../settings/settings.js';

/** What a picture needs of what `Model.observe` gives. */
export type PlottedObservation = Omit<Observation, 'silent' | 'ranked' | 'heard'>;

/** When the steps of an observation are, in seconds from the beginning of the clip. */
export interface Timing {
  /** Of the first and the last step. */
  from: number;
  to: number;
  steps: number;
  stepSeconds: number;
  frameSeconds: number;
}

/** Frame i is that around sample i x hop, so that the first one begins half a hop before the clip. */
export function timingOf({ features, input }: PlottedObservation, settings: Readonly<ModelSettings>): Timing {
  const frameSeconds = settings.frontend.hopLength / settings.sampleRate;
  const from = (features.first - 0.5) * frameSeconds;
  return {
    from,
    to: from + features.frames * frameSeconds,
    steps: input.steps,
    stepSeconds: frameSeconds / settings.encoding.stepsPerFrame,
    frameSeconds,
  };
}

/** `16 ms`, `1.25 ms` */
export function milliseconds(seconds: number): string {
  return `${Number((1000 * seconds).toPrecision(3))} ms`;
}
