// The devices that are measured side by side, and the PyTorch of each.

import { createModel } from '../dist/index.js';
import { choosePlace } from '../dist/native/device.js';
import { requireClose, requireCosine } from './checks.mjs';
import { makeTrainer } from './clips.mjs';
import { floorOf } from './floor.mjs';
import { Peer } from './peer.mjs';

/** What the rows of a device and of its PyTorch are called. */
const NAMES = {
  cpu: { who: 'sonospike', peerName: 'pytorch' },
  cuda: { who: 'cuda', peerName: 'pytorch cuda' },
};

/**
 * Opens the devices of `--device`, with a PyTorch each where there shall be peers. Those that cannot be used are named
 * in `refused` with the reason; throws where none can.
 */
export async function openDevices({ devices: names, peers, python, threads, quick }) {
  const [usable, refused] = [[], []];
  for (const name of names) {
    const place = await choosePlace(name, name).catch((error) => error);
    if (place instanceof Error) refused.push({ ...NAMES[name], why: place.message });
    else usable.push({ name, ...NAMES[name], place, ...limits(place, threads, quick) });
  }
  if (usable.length === 0) throw new Error(refused[0].why);
  for (const device of usable) device.peer = peers ? new Peer(python, device.name) : null;
  return { usable, refused, close: () => usable.forEach(({ peer }) => void peer?.close()) };
}

/** `floorOf`: the least seconds of some work, on all threads of the CPU; `peak`: what a GPU can do at most. */
function limits({ addon, number }, threads, quick) {
  if (number === undefined) return { floorOf: (slots, bytes = 0) => floorOf(slots, threads, bytes) };
  const peak = addon.cudaPeak(number, quick);
  // On tensor cores a product of float32 by spikes takes three of theirs; others take more.
  const operations = Math.max(peak.operations, peak.tensor / 3);
  const least = (slots, bytes = 0) => Math.max((2 * slots) / operations, bytes / peak.bytes);
  return { peak, floorOf: (slots, bytes) => () => least(slots, bytes) };
}

/** Rows of the devices that cannot be used. */
export function refusedRows({ refused }, row) {
  return refused.map(({ who, why }) => ({ ...row, who, refused: why }));
}

/** What the row of a device is compared with: another device, where there is one before it. */
export function comparison({ usable }, device) {
  const [first] = usable;
  return device === first ? {} : { compare: [device.who, first.who] };
}

const CLIPS = 32;
// Relative, of scores. A potential that rounding moves over the threshold flips a hard spike, and with it others.
const SCORES = { soft: 1e-4, hard: 0.02 };
const COSINE = { soft: 0.9999, hard: 0.98 };

/** A device computes the scores and the gradient of another, on clips that each encodes for itself. */
export async function checkDevices({ usable }, options) {
  const [first, ...others] = usable;
  const expected = others.length > 0 ? await computeOn(first, options) : null;
  const checks = {};
  for (const device of others) {
    const found = await computeOn(device, options);
    const kind = expected.soft ? 'soft' : 'hard';
    const what = `${options.preset ?? 'network'} on ${device.name} and ${first.name}`;
    checks[device.who] = {
      scores: requireClose(`${what}, scores`, found.scores, expected.scores, SCORES[kind]),
      cosine: requireCosine(`${what}, gradient`, found.gradient, expected.gradient, COSINE[kind]),
    };
  }
  return checks;
}

/** Scores of some clips, and the gradient of a training step with them: Adam's first moment is a tenth of it. */
async function computeOn({ place }, options) {
  const made = await makeTrainer({ ...options, place, count: CLIPS, batchSize: CLIPS, epochs: 1 });
  const all = Int32Array.from({ length: CLIPS }, (_, i) => i);
  const { predictions } = await made.store.evaluate(all, 1, 0);
  await made.trainer.runEpoch();
  const flat = (arrays) => Float32Array.from(arrays.flatMap((values) => [...values]));
  return {
    soft: made.settings.network.layers.every(({ spike }) => spike.type === 'soft'),
    scores: flat(predictions.map(({ scores }) => scores)),
    gradient: flat(Object.values(made.trainer.readState().m)),
  };
}

/** A model of a preset on a device. */
export function modelOn({ name }, settings, threads) {
  return createModel(settings, { threads, seed: 1, device: name });
}
