import { describe, expect, it } from 'vitest';
import { native } from '../lib/native/load.js';
import * as choices from '../lib/settings/choices.js';

const { namesOf } = choices;

describe('the choices of the settings', () => {
  it('are those that the addon knows', () => {
    const ours = {
      frontends: choices.FRONTENDS,
      scalings: choices.SCALINGS,
      scaledOver: choices.SCALED_OVER,
      encodings: choices.ENCODINGS,
      connections: choices.CONNECTIONS,
      neurons: choices.NEURONS,
      spikes: choices.SPIKES,
      surrogates: choices.SURROGATES,
      resets: choices.RESETS,
      readouts: choices.READOUTS,
      optimizers: choices.OPTIMIZERS,
      schedules: choices.SCHEDULES,
    };
    const sorted = (lists: Record<string, string[]>) =>
      Object.fromEntries(Object.entries(lists).map(([kind, names]) => [kind, [...names].sort()]));
    expect(sorted(native().choices())).toEqual(
      sorted(Object.fromEntries(Object.entries(ours).map(([kind, table]) => [kind, namesOf(table)]))),
    );
  });

  it.each(namesOf(choices.ENCODINGS))(
    '%s has as many channels as the addon gives, of spikes or values',
    (type) => {
      const { channels, spikes, threshold } = choices.ENCODINGS[type];
      const values = Float32Array.of(0.1, 0.9, 0.35, 0.6);
      const encoding = { type, stepsPerFrame: 2, ...(threshold === null ? {} : { threshold: 0.05 }) };
      const encoded = native().encode(values, 2, 2, encoding as never, 1, 0, 0);
      expect(encoded).toHaveLength(2 * 2 * 2 * channels);
      expect(encoded.every((value) => value === 0 || value === 1)).toBe(spikes);
      expect(encoded.some((value) => value !== 0)).toBe(true);
    },
  );
});
