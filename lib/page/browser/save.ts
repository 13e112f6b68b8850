import { plotObservation } from '../../plot/observation.js';
import type { PlottedObservation } from '../../plot/timing.js';
import type { ModelSettings } from '../../settings/settings.js';
import { element } from './elements.js';
import type { Shown } from './shown.js';

/** Saves the picture of a clip as the file that `run-digit --plot` would write. */
export function saveSvg(shown: Shown, settings: ModelSettings, title: string): void {
  const { samples, sampleRate } = shown;
  const svg = plotObservation(observationOf(shown, settings), { settings, samples, sampleRate, title });
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  const name = `${title.replace(/\.(wav|flac|mp3|m4a|og[ag]|opus|webm|aiff?)\b/i, '').replace(/[^\p{L}\p{N}]+/gu, '-')}.svg`;
  element('a', { href: url, download: name }).click();
  // Some browsers fetch it a moment later.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function observationOf(shown: Shown, { labels, network }: ModelSettings): PlottedObservation {
  const { first, frames, features, steps, channels, guess } = shown;
  const counted = network.readout.type === 'spike-count';
  return {
    ...guess,
    features: { first, frames, features: features.length / frames, data: features },
    input: { steps, channels, data: Float32Array.from(shown.input) },
    layers: shown.layers.map(({ neurons, spikes, potential }) => ({
      neurons,
      spikes: Float32Array.from(spikes),
      potential: potential ?? new Float32Array(),
    })),
    readout: counted ? null : { classes: labels.length, potential: shown.readout },
  };
}
