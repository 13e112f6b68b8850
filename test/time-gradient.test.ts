// What the layer bench times must be what `gradient` computes.
import { describe, expect, it } from 'vitest';
import { native } from '../lib/native/load.js';
import { presetSettings } from '../lib/settings/presets.js';

const [STEPS, CLIPS, INPUTS] = [12, 3, 20];
const labels = Int32Array.of(0, 2, 1);

function makeModel() {
  const base = presetSettings('original', ['a', 'b', 'c']);
  const settings = {
    ...base,
    frames: 4,
    network: { ...base.network, layers: base.network.layers.slice(-1) },
  };
  settings.network.layers[0] = { ...settings.network.layers[0]!, neurons: 3 };
  const model = new (native().Model)(settings, 2);
  model.initialise(3);
  return model;
}

const inputs = (value: (i: number) => number) =>
  Float32Array.from({ length: STEPS * CLIPS * INPUTS }, (_, i) => value(i));
const spikes = inputs((i) => ((i * 7) % 5 < 2 ? 1 : 0));
const currents = inputs((i) => Math.abs(Math.sin(i)));

function expectClose(found: Float32Array, expected: Float32Array) {
  expect(found).toHaveLength(expected.length);
  const most = Math.max(...expected.map(Math.abs));
  expect(most).toBeGreaterThan(0);
  expect(Math.max(...expected.map((x, i) => Math.abs(x - found[i]!)))).toBeLessThan(1e-5 * most);
}

describe.each([
  ['spikes go in as bits', spikes, true],
  ['currents as floats', currents, false],
])('timeGradient: %s', (_, given, bits) => {
  it('gives what gradient gives, and the seconds of each repeat', () => {
    const model = makeModel();
    const tools = new (native().NetworkTools)(model);
    const before = model.readParameters();
    const expected = tools.gradient(given, STEPS, CLIPS, labels, 0.1, true);
    for (const repeats of [1, 4]) {
      const found = tools.timeGradient(given, STEPS, CLIPS, labels, 0.1, repeats);
      expect(found.bits).toBe(bits);
      expect(found.seconds).toHaveLength(repeats);
      for (const seconds of found.seconds) expect(seconds).toBeGreaterThan(0);
      expect(found.loss).toBeCloseTo(expected.loss, 5);
      expect(found.correct).toBe(expected.correct);
      expectClose(found.inputGradient, expected.inputGradient!);
      for (const [name, values] of Object.entries(expected.gradients)) {
        if (values.some((x) => x !== 0)) expectClose(found.gradients[name]!, values);
      }
    }
    expect(model.readParameters()).toEqual(before);
  });
});

it.each([
  ['repeats', [spikes, STEPS, CLIPS, labels, 0, 0]],
  ['repeats', [spikes, STEPS, CLIPS, labels, 0, undefined]],
  ['labels', [spikes, STEPS, CLIPS, Int32Array.of(1), 0, 1]],
  ['label', [spikes, STEPS, CLIPS, Int32Array.of(0, 1, 3), 0, 1]],
  ['inputs', [spikes.slice(1), STEPS, CLIPS, labels, 0, 1]],
])('timeGradient refuses wrong %s', (what, given) => {
  const tools = new (native().NetworkTools)(makeModel());
  const call = () => (tools.timeGradient as (...args: unknown[]) => unknown).call(tools, ...given);
  expect(call).toThrow(TypeError);
  expect(call).toThrow(what);
});
