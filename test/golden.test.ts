import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSafetensors } from '../lib/files/safetensors.js';
import type { NamedArrays } from '../lib/native/addon.js';
import { cudaPlace } from '../lib/native/cuda/devices.js';
import { native } from '../lib/native/load.js';
import { presetSettings } from '../lib/settings/presets.js';
import type { LayerSettings, ModelSettings, Surrogate } from '../lib/settings/settings.js';
import { SonospikeError } from '../lib/support/errors.js';

const GOLDEN = 'test/golden';

/** Tensors of a golden file as plain numbers. */
function load(name: string) {
  const { metadata, tensors } = parseSafetensors(new Uint8Array(readFileSync(join(GOLDEN, name))));
  const get = (key: string) => {
    const tensor = tensors.get(key);
    if (!tensor) throw new Error(`${name} has no ${key}`);
    return { shape: tensor.shape, data: Float64Array.from(tensor.data as ArrayLike<number>, Number) };
  };
  return {
    metadata,
    keys: [...tensors.keys()],
    get,
    floats: (key: string) => new Float32Array(get(key).data),
  };
}

function norm(x: ArrayLike<number>): number {
  return Math.sqrt(Array.from(x).reduce((sum, v) => sum + v * v, 0));
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, v, i) => sum + v * b[i]!, 0) / (norm(a) * norm(b));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((top, v, i) => Math.max(top, Math.abs(v - b[i]!)), 0);
}

function expectGradient(ours: ArrayLike<number>, reference: ArrayLike<number>, name: string): void {
  expect(cosine(ours, reference), `cosine of ${name}`).toBeGreaterThanOrEqual(0.9999);
  expect(Math.abs(norm(ours) / norm(reference) - 1), `norm of ${name}`).toBeLessThan(1e-3);
}

const digits = Array.from({ length: 10 }, (_, i) => String(i));
const adam = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 } as const;

/** Where they are computed: with every instruction set of this machine, and on a GPU that can be used. */
async function places() {
  const [cpu, cuda] = [native(), await cudaPlace()];
  const sets = cpu.info().instructionSets.map((name) => ({ name, addon: cpu, device: undefined, set: name }));
  if (cuda instanceof SonospikeError) return sets;
  const { addon, device } = cuda;
  return [...sets, { name: device.name, addon, device: device.number, set: cpu.info().instructionSet }];
}

describe.each(await places())('golden values, $name', ({ addon, device, set }) => {
  const use = () => expect(addon.selectInstructionSet(set)).toBe(true);

  describe('original network', () => {
    const names = [0, 1, 2, 3].flatMap((k) =>
      ['weight', 'bias', 'decay', 'threshold'].map((kind) => ({
        ours: `layers.${k}.${kind}`,
        theirs: `l${k + 1}.${kind === 'weight' || kind === 'bias' ? `fc.${kind}` : kind}`,
      })),
    );

    it('gives the logits, loss, gradients and three Adam steps of PyTorch', () => {
      use();
      const f32 = load('original_network_f32.safetensors');
      const f64 = load('original_network_f64.safetensors');
      const model = new addon.Model(presetSettings('original', digits), 2, device);
      const parameters: NamedArrays = {};
      for (const { ours, theirs } of names) parameters[ours] = f32.floats(`param.${theirs}`);
      model.loadParameters(parameters);
      const tools = new addon.NetworkTools(model);

      const inputs = f32.floats('spikes');
      const labels = Int32Array.from(f32.get('labels').data);
      const logits = tools.forward(inputs, 800, 4).scores;
      const reference = f32.get('logits').data;
      for (let i = 0; i < logits.length; i++) {
        expect(Math.abs(logits[i]! - reference[i]!) / Math.abs(reference[i]!)).toBeLessThan(1e-3);
      }

      for (let step = 0; step < 3; step++) {
        const { loss, gradients } = tools.gradient(inputs, 800, 4, labels, 0);
        if (step === 0) {
          expect(Math.abs(loss / f64.get('loss').data[0]! - 1)).toBeLessThan(1e-4);
          for (const { ours, theirs } of names) {
            expectGradient(gradients[ours]!, f64.get(`grad.${theirs}`).data, theirs);
          }
        }
        tools.optimizerStep(adam, 1e-3);
      }
      const after = model.readParameters();
      for (const { ours, theirs } of names) {
        expect(largestDifference(after[ours]!, f32.get(`after3.${theirs}`).data), theirs).toBeLessThan(1e-5);
        expect(largestDifference(after[ours]!, f64.get(`after3.${theirs}`).data), theirs).toBeLessThan(1e-5);
      }
    });
  });

  const cases = readdirSync(GOLDEN).filter((file) => file.startsWith('spiking_'));
  it('has all spiking cases', () => expect(cases.length).toBe(15));

  it.each(cases)('%s: the same spikes, loss and gradients', (file) => {
    use();
    const reference = load(file);
    const [, kind, slope] = /^(\w+), a = ([\d.]+)/.exec(reference.metadata.surrogate!)!;
    const recurrent = reference.keys.includes('param.r0');
    const layer: LayerSettings = {
      neurons: 16,
      recurrent,
      spike: { type: 'hard', surrogate: kind!.replace('_', '-') as Surrogate, slope: Number(slope) },
      reset: reference.metadata.reset!.startsWith('v = u (1 - s)') ? 'zero' : 'subtract',
      detachReset: reference.metadata.reset_gradient!.includes('is detached'),
      decay: 0.9,
      decaySpread: 0,
      threshold: 1,
      thresholdSpread: 0,
      learnDecay: true,
      learnThreshold: true,
      constrain: false,
    };
    const base = presetSettings('original', digits);
    const settings: ModelSettings = {
      ...base,
      frontend: { ...base.frontend, type: 'mfcc', coefficients: 12 },
      frames: 50,
      encoding: { type: 'direct', stepsPerFrame: 1 },
      network: {
        layers: [layer, layer],
        readout: { type: 'leaky-integrator', decay: 0.9, learnDecay: true },
      },
    };
    const model = new addon.Model(settings, 2, device);
    const names = new Map([
      ['readout.weight', 'w_out'],
      ['readout.bias', 'b_out'],
      ['readout.decay', 'decay_out'],
    ]);
    for (const k of [0, 1]) {
      names.set(`layers.${k}.weight`, `w${k}`).set(`layers.${k}.bias`, `b${k}`);
      names.set(`layers.${k}.decay`, `decay${k}`).set(`layers.${k}.threshold`, `threshold${k}`);
      if (recurrent) names.set(`layers.${k}.recurrent`, `r${k}`);
    }
    const parameters: NamedArrays = {};
    for (const [ours, theirs] of names) parameters[ours] = reference.floats(`param.${theirs}`);
    model.loadParameters(parameters);
    const tools = new addon.NetworkTools(model);

    const inputs = reference.floats('input');
    const { scores, spikes } = tools.forward(inputs, 50, 4);
    for (const k of [0, 1]) expect(largestDifference(spikes[k]!, reference.get(`spikes${k}`).data)).toBe(0);
    expect(largestDifference(scores, reference.get('mean_softmax').data)).toBeLessThan(1e-6);

    const labels = Int32Array.from(reference.get('labels').data);
    const { loss, gradients } = tools.gradient(inputs, 50, 4, labels, 0);
    expect(Math.abs(loss / reference.get('loss').data[0]! - 1)).toBeLessThan(1e-5);
    for (const [ours, theirs] of names) {
      expectGradient(gradients[ours]!, reference.get(`grad.${theirs}`).data, theirs);
    }
  });

  describe('front end', () => {
    const frontend = presetSettings('original', digits).frontend;

    it('resamples as torchaudio within 1e-5', () => {
      const reference = load('resample.safetensors');
      for (const rate of [8000, 22050, 44100, 48000]) {
        const ours = addon.resample(reference.floats(`from${rate}.in`), rate, 16000);
        expect(largestDifference(ours, reference.get(`from${rate}.out`).data), `${rate} Hz`).toBeLessThan(
          1e-5,
        );
      }
    });

    it('computes the MFCC of torchaudio within 2e-3 dB and scaled frames within 5e-4', async () => {
      const reference = load('frontend.safetensors');
      const clips = reference.keys.filter((key) => key.endsWith('.samples')).map((key) => key.slice(0, -8));
      expect(clips.length).toBe(6);
      const model = new addon.Model(presetSettings('original', digits), 1, device);
      model.initialise(1);
      for (const clip of clips) {
        const samples = reference.floats(`${clip}.samples`);
        const mfcc = addon.features(samples, 16000, frontend);
        expect([mfcc.frames, mfcc.features]).toEqual(reference.get(`${clip}.mfcc`).shape);
        expect(largestDifference(mfcc.data, reference.get(`${clip}.mfcc`).data), clip).toBeLessThan(2e-3);
        const frames = (await model.observe(samples, 16000, 0)).features;
        expect(largestDifference(frames, reference.get(`${clip}.frames80`).data), clip).toBeLessThan(5e-4);
        const scaled = reference.get(`${clip}.scaled`).data.slice(0, 80 * 20);
        expect(largestDifference(frames.slice(0, scaled.length), scaled), clip).toBeLessThan(5e-4);
      }
    });
  });
});
