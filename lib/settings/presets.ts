import { SonospikeError } from '../support/errors.js';
import { nearest } from '../support/nearest.js';
import { validateLabels } from './labels.js';
import { PRESETS, type PresetName, presetNames } from './preset-data.js';
import type { ModelSettings } from './settings.js';
import { validateSettings } from './validate.js';

export { type PresetName, presetNames };

/**
 * The settings of a preset for the words `labels`: `default`, or `original`, the network that this project
 * started from. They are the caller's to change.
 * @throws SonospikeError ERR_UNKNOWN_PRESET; ERR_INVALID_OPTION if the labels cannot be used
 */
export function presetSettings(name: string, labels: readonly string[]): ModelSettings {
  const preset = presetNames.find((each) => each === name);
  if (preset === undefined) {
    const meant = nearest(String(name), presetNames);
    throw new SonospikeError(
      'ERR_UNKNOWN_PRESET',
      `There is no preset ${JSON.stringify(name)}; the presets are ${presetNames.join(', ')}.` +
        (meant === null ? '' : ` Did you mean ${meant}?`),
    );
  }
  return structuredClone(validateSettings(PRESETS[preset](validateLabels(labels, 'labels')), ''));
}
