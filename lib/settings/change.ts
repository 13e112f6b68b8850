import { SonospikeError } from '../support/errors.js';
import { choice, integer, number, object } from '../support/options.js';
import type { EncodingSettings, ModelSettings } from './settings.js';
import { validateSettings } from './validate.js';

/** Changes to the settings of a model that several fields have a part in. */
export interface SettingsOptions {
  /**
   * Frames of the front end a second. The distance between frames is rounded to whole samples, and the number of
   * frames is set so that they cover as many seconds as before. At least so many that no sample falls between two
   * windows.
   */
  framesPerSecond?: number;
  /**
   * How values become input. With another encoding than the settings have come
   * - the scaling and threshold that suit it: for `rate` and `latency` values from 0 to 1, as they stand for a
   *   probability and a time, for `delta` the same with a spike for a change of 0.1; `direct` takes any scaling
   * - for `rate` and `latency`, which cannot tell values apart in one time step, 10 steps a frame where the
   *   settings have 1
   */
  encoding?: EncodingSettings['type'];
  /** Time steps for each frame. */
  stepsPerFrame?: number;
}

const ENCODINGS = ['rate', 'latency', 'delta', 'direct'] as const;
/** Of the values from 0 to 1. */
const DELTA_THRESHOLD = 0.1;
const SEVERAL_STEPS = 10;

/**
 * Settings with some of them changed; those given are left as they are.
 * @throws SonospikeError ERR_INVALID_OPTION if an option is out of range, for itself or with the other settings
 */
export function changeSettings(settings: ModelSettings, options: SettingsOptions): ModelSettings {
  const base = validateSettings(settings, 'settings');
  const given = object(options, 'the options', ['framesPerSecond', 'encoding', 'stepsPerFrame']);
  let changed = base;
  if (given.encoding !== undefined) {
    changed = withEncoding(changed, choice(given.encoding, 'encoding', ENCODINGS));
  }
  if (given.stepsPerFrame !== undefined) {
    const stepsPerFrame = integer(given.stepsPerFrame, 'stepsPerFrame', 1, 1000);
    changed = { ...changed, encoding: { ...changed.encoding, stepsPerFrame } };
  }
  if (given.framesPerSecond !== undefined) changed = withFrameRate(changed, given.framesPerSecond);
  return validateSettings(changed, 'settings');
}

function withEncoding(settings: ModelSettings, type: EncodingSettings['type']): ModelSettings {
  const { encoding, scaling } = settings;
  if (type === encoding.type) return settings;
  const severalSteps = (type === 'rate' || type === 'latency') && encoding.stepsPerFrame === 1;
  return {
    ...settings,
    // Peak scaling gives values from 0 to 1, which suit every encoding.
    scaling: type === 'direct' || scaling.type === 'peak' ? scaling : { ...scaling, type: 'min-max' },
    encoding: {
      type,
      stepsPerFrame: severalSteps ? SEVERAL_STEPS : encoding.stepsPerFrame,
      threshold: type === 'delta' ? DELTA_THRESHOLD : 0,
    },
  };
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
