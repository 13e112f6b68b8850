import { type Blame, integer, number, object } from '../support/options.js';
import type { ConfidenceSettings } from './confidence.js';

const LARGE = 1e6;

/** Checks what a model file says of the confidence. */
export function validateConfidence(value: unknown, at: string, blame: Blame): ConfidenceSettings {
  const keys = ['bias', 'logOdds', 'margin', 'entropy', 'threshold', 'rejectRate', 'clips', 'right'] as const;
  const given = object(value, at, keys, blame);
  const clips = integer(given.clips, `${at}.clips`, 1, Number.MAX_SAFE_INTEGER, blame);
  return {
    bias: number(given.bias, `${at}.bias`, -LARGE, LARGE, blame),
    logOdds: number(given.logOdds, `${at}.logOdds`, 0, LARGE, blame),
    margin: number(given.margin, `${at}.margin`, 0, LARGE, blame),
    entropy: number(given.entropy, `${at}.entropy`, -LARGE, 0, blame),
    threshold: number(given.threshold, `${at}.threshold`, 0, 1, blame),
    rejectRate: number(given.rejectRate, `${at}.rejectRate`, 0, 1, blame),
    clips,
    right: integer(given.right, `${at}.right`, 0, clips, blame),
  };
}
