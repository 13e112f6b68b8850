// Run in a process of its own: loads the CUDA addon that is named, lists the devices, and lets each that it is built
// for, until one is good, take a step of a small training, which must be that of the CPU. The last line that it prints
// is a `ProbeAnswer` as JSON.
import { createRequire } from 'node:module';
import { presetSettings } from '../../settings/presets.js';
import type { NamedArrays, NativeAddon } from '../addon.js';
import type { ProbeAnswer } from './probe.js';

const CLIPS = 3;
const INPUTS = 20;
/** Relative, of float32 sums in another order. */
const TOLERANCE = 1e-3;

const addon = createRequire(import.meta.url)(process.argv[2]!) as NativeAddon;
const info = addon.cudaInfo?.();
if (info === undefined) throw new Error('it is an addon without CUDA');
const answer: ProbeAnswer = { info, failures: {} };
const expected = trainedBy(undefined);
for (const [number, { supported }] of info.devices.entries()) {
  if (!supported) continue;
  const failure = failureOf(number);
  if (failure === null) break;
  answer.failures[number] = failure;
}
process.stdout.write(`\n${JSON.stringify(answer)}\n`);

/** Parameters after a step of the training: on the CPU, or on a CUDA device. */
function trainedBy(device: number | undefined): NamedArrays {
  const base = presetSettings('original', [...'0123456789']);
  const layers = [base.network.layers[0]!, base.network.layers.at(-1)!];
  const settings = { ...base, frames: 2, network: { ...base.network, layers } };
  const model = new addon.Model(settings, 1, device);
  model.initialise(1);
  const tools = new addon.NetworkTools(model);
  const steps = settings.frames * settings.encoding.stepsPerFrame;
  const inputs = Float32Array.from({ length: steps * CLIPS * INPUTS }, (_, i) => (i % 3 === 0 ? 1 : 0));
  tools.gradient(
    inputs,
    steps,
    CLIPS,
    Int32Array.from({ length: CLIPS }, (_, i) => i),
    0,
  );
  const adam = {
    type: 'adam',
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    clipNorm: 0,
  } as const;
  tools.optimizerStep(adam, 0.01);
  return model.readParameters();
}

/** Why a device is not to be trusted; null if it is. */
function failureOf(device: number): string | null {
  try {
    const found = trainedBy(device);
    for (const [name, values] of Object.entries(expected)) {
      const error = relativeError(found[name]!, values);
      if (!(error <= TOLERANCE)) return `it computes ${name} wrong, by ${error} of its norm`;
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Norm of the difference over the norm of what is expected. */
function relativeError(found: Float32Array, expected: Float32Array): number {
  let [difference, norm] = [0, 0];
  for (const [i, value] of expected.entries()) {
    difference += (found[i]! - value) ** 2;
    norm += value ** 2;
  }
  return Math.sqrt(difference / Math.max(norm, Number.MIN_VALUE));
}
