import type { FrontendSettings } from '../settings/settings.js';
import { hertzToMel } from '../support/mel.js';
import type { Tick } from './scale.js';

const ROUND = [50, 100, 200, 500, 1000, 2000, 4000, 8000, 16_000];

/** Round frequencies where they lie among the mel bands: the middle of band i, from 0, is at i + 0.5. */
export function melTicks({ melBands, minFrequency, maxFrequency }: FrontendSettings): Tick[] {
  const least = hertzToMel(minFrequency);
  // The bands' centres cut the range into as many parts as there are bands, and one.
  const apart = (hertzToMel(maxFrequency) - least) / (melBands + 1);
  return ROUND.map((hertz) => ({
    value: (hertzToMel(hertz) - least) / apart - 0.5,
    label: String(hertz),
  })).filter(({ value }) => value >= 0 && value <= melBands);
}
