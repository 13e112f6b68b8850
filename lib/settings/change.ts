import { SonospikeError } from '../support/errors.js';
import { readField } from '../support/fields.js';
import { number, object } from '../support/options.js';
import { ENCODINGS, type EncodingName } from './choices.js';
import type { EncodingSettings, ModelSettings, ScalingSettings } from './settings.js';
import { ENCODING_FIELDS } from './table.js';
import { validateSettings } from './validate.js';

/** Changes to the settings of a model that concern several fields. */
export interface SettingsOptions {
  /**
   * Frames of the front end a second. The distance between frames is rounded to whole samples, and the number of
   * frames is set so that they cover as many seconds as before. There are at least so many that no sample falls between
   * two windows.
   */
  framesPerSecond?: number;
  /**
   * How values become input. An encoding other than that of the settings also brings
   * - the scaling and threshold that suit it: for `rate` and `latency` values from 0 to 1, as they stand for a
   *   probability and a time, for `delta` the same with a spike for a change of 0.1; `direct` takes any scaling
   * - for `rate` and `latency`, which cannot tell values apart in one time step, 10 steps a frame where the
   *   settings have 1
   */
  encoding?: EncodingName;
  /** Time steps for each frame. */
  stepsPerFrame?: number;
}

const OPTIONS = ['framesPerSecond', 'encoding', 'stepsPerFrame'] as const;

/**
 * Settings with some of them changed; those given are left as they are, and the result is the caller's to change.
 * @throws SonospikeError ERR_INVALID_OPTION if an option is out of range, for itself or with the other settings
 */
export function changeSettings(settings: ModelSettings, options: SettingsOptions): ModelSettings {
  return structuredClone(withChanges(validateSettings(settings, 'settings'), options));
}

/** @internal `changeSettings` of settings that are checked; so is the result. */
export function withChanges(checked: ModelSettings, options: SettingsOptions): ModelSettings {
  const given = object(options, 'the options', OPTIONS);
  const { type, stepsPerFrame } = ENCODING_FIELDS;
  let changed = checked;
  if (given.encoding !== undefined)
    changed = withEncoding(changed, readField(type, given.encoding, 'encoding') as EncodingName);
  if (given.stepsPerFrame !== undefined) {
    const steps = readField(stepsPerFrame, given.stepsPerFrame, 'stepsPerFrame') as number;
    changed = { ...changed, encoding: { ...changed.encoding, stepsPerFrame: steps } };
  }
  if (given.framesPerSecond !== undefined) changed = withFrameRate(changed, given.framesPerSecond);
  return validateSettings(changed, 'settings');
}

function withEncoding(settings: ModelSettings, type: EncodingName): ModelSettings {
  const { encoding, scaling } = settings;
  if (type === encoding.type) return settings;
  const { threshold, steps } = ENCODINGS[type];
  return {
    ...settings,
    scaling: scalingFor(type, scaling),
    encoding: {
      type,
      stepsPerFrame: encoding.stepsPerFrame === 1 ? steps : encoding.stepsPerFrame,
      ...(threshold === null ? {} : { threshold }),
    } as EncodingSettings,
  };
}

/** Peak scaling gives values from 0 to 1, which suit every encoding. */
function scalingFor(type: EncodingName, scaling: ScalingSettings): ScalingSettings {
  if (!ENCODINGS[type].unitRange || scaling.type === 'peak') return scaling;
  if (scaling.type === 'none') return { type: 'min-max', over: 'clip', pooled: false };
  return { ...scaling, type: 'min-max' };
}

function withFrameRate(settings: ModelSettings, wanted: unknown): ModelSettings {
  const { sampleRate, frontend } = settings;
  const least = Math.ceil(sampleRate / frontend.windowLength);
  const rate = number(wanted, 'framesPerSecond', least, sampleRate);
  const hopLength = Math.round(sampleRate / rate);
  const covering = (frames: number) => Math.round((frames * frontend.hopLength) / hopLength);
  const frames = Math.max(1, covering(settings.frames));
  refuseTooManySteps(frames, settings, rate);
  const tail = settings.tail == null ? {} : { tail: covering(settings.tail) };
  return { ...settings, frontend: { ...frontend, hopLength }, frames, ...tail };
}

/** A message about frames or steps alone would not name the option that made them too many. */
function refuseTooManySteps(frames: number, settings: ModelSettings, rate: number): void {
  try {
    validateSettings({ ...settings, frames }, 'settings');
  } catch (cause) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      `framesPerSecond is ${rate}, which makes ${frames} frames of ${settings.encoding.stepsPerFrame} time steps ` +
        `a clip, more than a model may have (${(cause as Error).message}) Choose fewer.`,
      { cause },
    );
  }
}
