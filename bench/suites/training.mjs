import { isDeepStrictEqual } from 'node:util';
import { presetSettings } from '../../dist/index.js';
import { requireAllClose, requireClose } from '../checks.mjs';
import { DIGITS, epochWork, makeTrainer, noiseClips } from '../clips.mjs';
import { checkDevices, comparison, refusedRows } from '../devices.mjs';
import { measureActivity, trainingWork } from '../floor.mjs';
import { random } from '../random.mjs';
import { alternate, rows } from '../works.mjs';

const BATCHES = [10, 64, 256];
/** With a GPU, which is slow to fill. */
const LARGE_BATCHES = [1024, 4096];
/** Clips of a timed epoch: about as long as the peer takes for one batch, so that waking up counts for little. */
const EPOCH = 2048;
const TOLERANCE = 1e-4; // relative, of float32 sums in another order over 800 steps
const GRADIENT_TOLERANCE = { cpu: TOLERANCE, cuda: 1e-3 };

/** The weights after one epoch on one thread and on `threads` are the same. */
async function checkThreads(preset, threads, batchSize) {
  const options = { preset, batchSize, count: 2 * batchSize, epochs: 1 };
  const [one, many] = await Promise.all(
    [1, threads].map(async (n) => {
      const { model, trainer } = await makeTrainer({ ...options, threads: n });
      await trainer.runEpoch();
      return model.readParameters();
    }),
  );
  if (!isDeepStrictEqual(one, many))
    throw new Error(`training ${preset}: ${threads} threads give other bits than 1`);
}

/** The request that makes the original program in PyTorch, with our weights and inputs. */
export function originalProgram(peer, model, settings, { inputs, batch, threads }) {
  for (const [name, values] of Object.entries(model.readParameters())) peer.write(name, values);
  peer.write('input', inputs);
  const sizes = [20, ...settings.network.layers.map(({ neurons }) => neurons)];
  const steps = settings.frames * settings.encoding.stepsPerFrame;
  const labels = Array.from({ length: batch }, (_, i) => i % DIGITS.length);
  return { op: 'make', kind: 'original', sizes, steps, batch, labels, threads };
}

/** The original program on spikes of our own: its spikes, scores and gradients are ours, on the same device. */
async function checkOriginal({ peer, place }, batch, threads) {
  const settings = presetSettings('original', DIGITS);
  const model = new place.addon.Model(settings, threads, place.number);
  model.initialise(1);
  const tools = new place.addon.NetworkTools(model);
  const steps = settings.frames * settings.encoding.stepsPerFrame;
  const draw = random(5);
  const inputs = Float32Array.from({ length: steps * batch * 20 }, () => (draw() < 0.4 ? 1 : 0));
  const request = originalProgram(peer, model, settings, { inputs, batch, threads });
  await peer.ask(request);
  await peer.ask({ op: 'gradients' });
  const ours = tools.forward(inputs, steps, batch);
  const { gradients } = tools.gradient(inputs, steps, batch, Int32Array.from(request.labels), 0);
  const what = 'original network';
  const checks = {
    spikes: requireClose(`${what}, spikes`, ours.spikes.at(-1), peer.read('spikes'), TOLERANCE),
    scores: requireClose(`${what}, scores`, ours.scores, peer.read('scores'), TOLERANCE),
    gradients: requireAllClose(
      `${what}, gradient`,
      gradients,
      (name) => peer.read(`gradient.${name}`),
      GRADIENT_TOLERANCE[place.device],
    ),
  };
  return { checks, request };
}

/** The number of threads that the peer is fastest with. */
async function fastestThreads(peer, request) {
  const tried = [];
  for (const threads of new Set([1, request.threads])) {
    await peer.ask({ ...request, threads });
    await peer.ask({ op: 'run' });
    tried.push({ threads, ...(await peer.ask({ op: 'run' })) });
  }
  return tried.sort((a, b) => a.seconds - b.seconds)[0].threads;
}

/** Adds the original program in PyTorch on a device to the works. */
async function addOriginal(device, batchSize, threads, works, more) {
  const { who, peer, peerName } = device;
  const { checks, request } = await checkOriginal(device, batchSize, threads);
  const best = device.name === 'cpu' ? await fastestThreads(peer, request) : threads;
  await peer.ask({ ...request, threads: best });
  more[peerName] = { compare: [who, peerName], checks, settings: `${best} threads` };
  works[peerName] = async () => (await peer.ask({ op: 'run' })).seconds / batchSize;
}

/** One preset and batch on all devices, by turns. */
async function benchBatch(preset, batchSize, bench) {
  const { threads, repeats, quick, devices } = bench;
  const [works, more, floor] = [{}, {}, {}];
  const checks = await checkDevices(devices, { preset, threads });
  const count = quick ? batchSize : Math.max(EPOCH, batchSize);
  for (const device of devices.usable) {
    const { who, place, peer } = device;
    const made = await makeTrainer({ preset, threads, batchSize, count, epochs: repeats + 1, place });
    works[who] = epochWork(made);
    more[who] = { ...comparison(devices, device), ...(checks[who] && { checks: checks[who] }) };
    const clips = noiseClips(4, made.settings.sampleRate, 0.5);
    const activity = await measureActivity(made.model, made.settings, clips);
    floor[who] = device.floorOf(trainingWork(made.settings, activity, batchSize));
    if (!peer || preset !== 'original') continue;
    await addOriginal(device, batchSize, threads, works, more);
    floor[device.peerName] = floor[who];
  }
  const row = { suite: 'training', what: `${preset}, batch ${batchSize}`, unit: 'clips/s' };
  const seconds = await alternate(repeats, works);
  return [...rows({ ...row, floor, more }, seconds), ...refusedRows(devices, row)];
}

/** Clips per second of whole training steps: encoding, forward, backward, optimizer. */
export async function benchTraining(bench) {
  const { presets, threads, quick, devices, progress } = bench;
  const large = devices.usable.some(({ name }) => name === 'cuda') ? LARGE_BATCHES : [];
  const batches = quick ? BATCHES.slice(0, 1) : [...BATCHES, ...large];
  const results = [];
  for (const preset of presets) {
    for (const batchSize of batches) {
      progress(`training: ${preset}, batch ${batchSize}`);
      await checkThreads(preset, threads, Math.min(batchSize, 16));
      results.push(...(await benchBatch(preset, batchSize, bench)));
    }
  }
  return results;
}
