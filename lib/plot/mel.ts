import type { FrontendSettings } from '../settings/settings.js';
import type { Tick } from './scale.js';

/** The HTK mel scale, as torchaudio has it. */
function mel(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}

const ROUND = [50, 100, 200, 500, 1000, 2000, 4000, 8000, 16_000];

/** Round frequencies where they lie among the mel bands: the middle of band i, from 0, is at i + 0.5. */
export function melTicks({ melBands, minFrequency, maxFrequency }: FrontendSettings): Tick[] {
  const least = mel(minFrequency);
  // The bands' centres cut the range into as many parts as there are bands, and one.
  const apart = (mel(maxFrequency) - least) / (melBands + 1);
  return ROUND.map((hertz) => ({ value: (mel(hertz) - least) / apart - 0.5, label: String(hertz) })).filter(
    ({ value }) => value >= 0 && value <= melBands,
  );
}
