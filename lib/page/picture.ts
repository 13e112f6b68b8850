import type { Observation } from '../model/model.js';
import type { Prediction } from '../model/prediction.js';
import { ENCODINGS } from '../settings/choices.js';
import type { ModelSettings } from '../settings/settings.js';
import { sendsSpikes } from '../settings/shapes.js';
import { MAX_POTENTIALS } from './limits.js';
import { type NumberArray, pack } from './message.js';
import type { Activity, Guess, Live, Picture } from './protocol.js';

export function guessOf(prediction: Prediction): Guess {
  const { label, confidence, rejected, softmax, scores, firingRates } = prediction;
  return { label, confidence, rejected, softmax, scores, firingRates };
}

/**
 * The message that shows what the network did.
 * @param layers those whose potentials are shown, as long as there is room for them
 * @param samples of the clip
 */
export function pictureMessage<T extends Live | Picture>(
  about: Omit<T, 'activity'>,
  observation: Observation,
  settings: ModelSettings,
  layers: readonly number[],
  samples?: Float32Array,
): Uint8Array {
  const { features, input, readout } = observation;
  const arrays: Record<string, NumberArray> = { features: features.data };
  const bits: string[] = [];
  const spikes = (name: string, values: Float32Array, binary: boolean) => {
    arrays[name] = binary ? Uint8Array.from(values) : values;
    if (binary) bits.push(name);
  };
  spikes('input', input.data, ENCODINGS[settings.encoding.type].spikes);
  const potentials: number[] = [];
  let room = MAX_POTENTIALS;
  for (const [k, layer] of observation.layers.entries()) {
    spikes(`spikes.${k}`, layer.spikes, sendsSpikes(settings.network.layers[k]!));
    if (!layers.includes(k) || layer.potential.length > room) continue;
    room -= layer.potential.length;
    potentials.push(k);
    arrays[`potential.${k}`] = layer.potential;
  }
  if (readout !== null) arrays.readout = readout.potential;
  if (samples !== undefined) arrays.samples = samples;
  const activity: Activity = {
    guess: guessOf(observation),
    first: features.first,
    frames: features.frames,
    steps: input.steps,
    potentials,
  };
  return pack({ ...about, activity }, arrays, bits);
}

/** Seconds of audio that fill all frames that the network hears of one clip. */
export function heardSeconds({ frames, tail, frontend, sampleRate }: ModelSettings): number {
  const own = Math.max(1, frames - (tail ?? 0) - 1);
  return (own * frontend.hopLength) / sampleRate;
}
