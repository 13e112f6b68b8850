import { describe, expect, test } from 'vitest';
import type { NamedArrays } from '../lib/native/addon.js';
import { native } from '../lib/native/load.js';
import type { AdaptiveLayer, ModelSettings } from '../lib/settings/settings.js';
import { parameterShapes } from '../lib/settings/shapes.js';
import { validateSettings } from '../lib/settings/validate.js';
import { smallSettings } from './helpers/model.js';

const STEPS = 12;
const INPUTS = 8;
const NEURONS = 3;
const CLASSES = 2;
const CLIPS = 2;
const LABELS = [1, 0];

type Numbers = Record<string, Float64Array>;

/** One recurrent layer of soft adaptive neurons, whose loss has a true gradient, and the mean potential. */
function someSettings(reset: 'zero' | 'subtract'): ModelSettings {
  const settings = smallSettings();
  const spike = { type: 'soft', slope: 4 } as const;
  const layer = settings.network.layers[0] as AdaptiveLayer;
  settings.network.layers = [{ ...layer, spike, reset, detachReset: false }];
  settings.network.readout = { type: 'mean-potential', decay: 0.9, learnDecay: true };
  settings.scaling = { type: 'standard', over: 'clip', pooled: false };
  return validateSettings(settings, '');
}

/** The formulas of docs/architecture.md and nothing else: the scores of one clip, [steps, inputs]. */
function scoresOf(p: Numbers, reset: 'zero' | 'subtract', x: Float64Array): number[] {
  const layer = (name: string) => p[`layers.0.${name}`]!;
  const score = new Array<number>(CLASSES).fill(0);
  let [v, w, s] = [new Array(NEURONS).fill(0), new Array(NEURONS).fill(0), new Array(NEURONS).fill(0)];
  let o = new Array<number>(CLASSES).fill(0);
  const product = (matrix: Float64Array, row: number, vector: ArrayLike<number>) =>
    Array.from(vector).reduce((sum, value, j) => sum + matrix[row * vector.length + j]! * value, 0);
  for (let t = 0; t < STEPS; t++) {
    const input = x.subarray(t * INPUTS, (t + 1) * INPUTS);
    const u = v.map(
      (before: number, i: number) =>
        layer('decay')[i]! * before +
        product(layer('weight'), i, input) +
        layer('bias')[i]! +
        product(layer('recurrent'), i, s) -
        w[i],
    );
    s = u.map((potential, i) => 1 / (1 + Math.exp(-4 * (potential - layer('threshold')[i]!))));
    v = u.map((potential, i) =>
      reset === 'zero' ? potential * (1 - s[i]) : potential - s[i] * layer('threshold')[i]!,
    );
    w = w.map((before: number, i: number) => {
      const rho = layer('adaptation_decay')[i]!;
      const target = layer('adaptation_coupling')[i]! * u[i]! + layer('adaptation_jump')[i]! * s[i];
      return rho * before + (1 - rho) * target;
    });
    o = o.map((before, c) => {
      const d = p['readout.decay']![c]!;
      return d * before + (1 - d) * (product(p['readout.weight']!, c, s) + p['readout.bias']![c]!);
    });
    for (let c = 0; c < CLASSES; c++) score[c]! += o[c]! / STEPS;
  }
  return score;
}

function lossOf(p: Numbers, reset: 'zero' | 'subtract', clips: Float64Array[]): number {
  const losses = clips.map((x, clip) => {
    const score = scoresOf(p, reset, x);
    return Math.log(score.reduce((sum, value) => sum + Math.exp(value), 0)) - score[LABELS[clip]!]!;
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / CLIPS;
}

/** A number from 0 to 1 that float32 has, the same every time. */
const fraction = (seed: number) => Math.fround((Math.sin(12.9898 * (seed + 1)) * 43_758.5453 + 1e6) % 1);

describe.each(native().info().instructionSets)('adaptive neurons and the mean potential, %s', (set) => {
  test.each(['zero', 'subtract'] as const)('reset %s: scores, loss and gradient', (reset) => {
    expect(native().selectInstructionSet(set)).toBe(true);
    const settings = someSettings(reset);
    const p: Numbers = {};
    let seed = 0;
    for (const [name, shape] of parameterShapes(settings)) {
      const length = shape.reduce((product, n) => product * n, 1);
      const signed = /weight|recurrent|bias/.test(name);
      const value = () => (signed ? 3 * fraction(seed++) - 1.5 : 0.1 + 0.8 * fraction(seed++));
      p[name] = Float64Array.from({ length }, () => Math.fround(value()));
    }
    const clips = Array.from({ length: CLIPS }, () =>
      Float64Array.from({ length: STEPS * INPUTS }, () => fraction(seed++)),
    );
    const model = new (native().Model)(settings, 1);
    const parameters: NamedArrays = {};
    for (const [name, values] of Object.entries(p)) parameters[name] = Float32Array.from(values);
    model.loadParameters(parameters);
    const tools = new (native().NetworkTools)(model);
    const inputs = Float32Array.from({ length: STEPS * CLIPS * INPUTS }, (_, i) => {
      const [step, clip, input] = [
        Math.floor(i / INPUTS / CLIPS),
        Math.floor(i / INPUTS) % CLIPS,
        i % INPUTS,
      ];
      return clips[clip]![step * INPUTS + input]!;
    });

    const { scores } = tools.forward(inputs, STEPS, CLIPS);
    const expected = clips.flatMap((x) => scoresOf(p, reset, x));
    for (const [i, score] of expected.entries()) expect(scores[i]).toBeCloseTo(score, 5);

    const { loss, gradients } = tools.gradient(inputs, STEPS, CLIPS, Int32Array.from(LABELS), 0);
    expect(loss).toBeCloseTo(lossOf(p, reset, clips), 5);
    for (const [name, values] of Object.entries(p)) {
      for (const [i, value] of values.entries()) {
        const h = 1e-5;
        values[i] = value + h;
        const above = lossOf(p, reset, clips);
        values[i] = value - h;
        const slope = (above - lossOf(p, reset, clips)) / (2 * h);
        values[i] = value;
        expect(gradients[name]![i], `${name}[${i}]`).toBeCloseTo(slope, 5);
      }
    }
  });
});

test('the initial values are those of the settings', () => {
  const model = new (native().Model)(someSettings('zero'), 1);
  model.initialise(5);
  const { 'layers.0.adaptation_coupling': coupling, ...others } = model.readParameters();
  expect(others['layers.0.adaptation_decay']).toEqual(Float32Array.of(0.8, 0.8, 0.8));
  expect(others['layers.0.adaptation_jump']).toEqual(Float32Array.of(0.4, 0.4, 0.4));
  expect(new Set(coupling).size).toBe(NEURONS);
  for (const value of coupling!) expect(value >= 0 && value <= 0.2).toBe(true);
});
