import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { presetSettings, readAudio } from '../../dist/index.js';
import { requireClose } from '../checks.mjs';
import { DIGITS } from '../clips.mjs';
import { comparison, modelOn, refusedRows } from '../devices.mjs';
import { featureWork, floorOf, measureActivity, networkWork, resampleWork } from '../floor.mjs';
import { quantile } from '../statistics.mjs';
import { alternate, rows } from '../works.mjs';
import { originalProgram } from './training.mjs';

const SAMPLES = new URL('../../samples/', import.meta.url);
const TOLERANCE = 1e-4; // relative, of the scores
const HARD_TOLERANCE = 0.02; // the same where rounding can flip a spike

export function sampleWavs(most = Number.POSITIVE_INFINITY) {
  return readdirSync(SAMPLES)
    .filter((name) => name.endsWith('.wav'))
    .sort()
    .slice(0, most)
    .map((name) => readFileSync(new URL(name, SAMPLES)));
}

/** Seconds of every prediction, one clip after the other. */
function latencies(model, wavs) {
  return wavs.map((wav) => {
    const start = performance.now();
    model.predictSync(wav);
    return (performance.now() - start) / 1000;
  });
}

const median = (values) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** The middle one of the predictions; each is added to `all`. */
export function latencyWork(model, wavs, all = []) {
  return () => {
    const seconds = latencies(model, wavs);
    all.push(...seconds);
    return median(seconds);
  };
}

/** Slots of a prediction of the middle clip: resampling, features, network; and of the network alone. */
export async function predictionWork(model, wavs) {
  const clips = await Promise.all(wavs.map((wav) => readAudio(wav)));
  const { settings } = model;
  const front = clips.map(({ samples, sampleRate }) => {
    const resampled = Math.ceil((samples.length * settings.sampleRate) / sampleRate);
    return (
      resampleWork(samples.length, sampleRate, settings.sampleRate) +
      featureWork(settings.frontend, resampled)
    );
  });
  const { forward: network } = networkWork(
    settings,
    await measureActivity(model.native, settings, clips.slice(0, 8)),
  );
  return { all: median(front) + network, network };
}

/** The original program in PyTorch on the spikes of a clip as we encode it: its scores are ours. */
async function makeOriginal(peer, model, wav) {
  const { input, scores } = await model.observe(wav);
  const request = { inputs: input.data, batch: 1, threads: 1 };
  await peer.ask(originalProgram(peer, model.native, model.settings, request));
  await peer.ask({ op: 'gradients' });
  return { scores: requireClose('inference, scores', scores, peer.read('scores'), TOLERANCE) };
}

/** One clip after the other on one thread, and the network alone in PyTorch, without reading, features, encoding. */
async function benchSingle(preset, model, wavs, { repeats, peer }) {
  const all = [];
  const works = { sonospike: latencyWork(model, wavs, all) };
  const slots = await predictionWork(model, wavs);
  const more = {};
  if (peer && preset === 'original') {
    more.pytorch = { compare: ['sonospike', 'pytorch'], checks: await makeOriginal(peer, model, wavs[0]) };
    works.pytorch = async () => (await peer.ask({ op: 'forward' })).seconds;
  }
  const seconds = await alternate(repeats, works);
  all.splice(0, wavs.length); // the round that warmed up
  more.sonospike = {
    p99:
      quantile(
        all.sort((a, b) => a - b),
        0.99,
      ) * 1000,
  };
  const floor = { sonospike: floorOf(slots.all, 1), pytorch: floorOf(slots.network, 1) };
  return rows({ suite: 'inference', what: `${preset}, one clip`, unit: 'ms', floor, more }, seconds);
}

/** All clips at once, on every device by turns. Scores are those of `single`. */
async function benchBatch(preset, models, wavs, single, { repeats, devices }) {
  const [works, more, floor] = [{}, {}, {}];
  for (const device of devices.usable) {
    const model = models.get(device);
    const all = await model.predictBatch(wavs);
    more[device.who] = { ...comparison(devices, device), ...sameScores(preset, device, all, single) };
    works[device.who] = async () => {
      const start = performance.now();
      await model.predictBatch(wavs);
      return (performance.now() - start) / 1000 / wavs.length;
    };
    floor[device.who] = device.floorOf((await predictionWork(model, wavs)).all);
  }
  const row = { suite: 'inference', what: `${preset}, batch of ${wavs.length}`, unit: 'clips/s' };
  return [...rows({ ...row, floor, more }, await alternate(repeats, works)), ...refusedRows(devices, row)];
}

/** A batch has the bits of single clips on the CPU, and close to them on a GPU. */
function sameScores(preset, { name }, all, single) {
  if (name === 'cpu') {
    if (isDeepStrictEqual(single, all)) return {};
    throw new Error(`${preset}: a batch gives other scores than single clips`);
  }
  const flat = (predictions) => predictions.flatMap(({ scores }) => scores);
  const most = preset === 'original' ? TOLERANCE : HARD_TOLERANCE;
  return { checks: { scores: requireClose(`${preset}, batch`, flat(all), flat(single), most) } };
}

/** From the bytes of a WAV to the label: one clip on one thread, and many on all devices. */
export async function benchInference(bench) {
  const { devices, threads } = bench;
  const results = [];
  for (const preset of bench.presets) {
    bench.progress(`inference: ${preset}`);
    const settings = presetSettings(preset, DIGITS);
    const models = new Map();
    for (const device of devices.usable) models.set(device, await modelOn(device, settings, threads));
    const host = devices.usable.find(({ name }) => name === 'cpu');
    const wavs = sampleWavs(bench.quick ? 4 : undefined);
    const single = wavs.map((wav) => models.get(host ?? devices.usable[0]).predictSync(wav));
    if (host) {
      // One clip is the CPU's work.
      results.push(...(await benchSingle(preset, models.get(host), wavs, { ...bench, peer: host.peer })));
    }
    results.push(...(await benchBatch(preset, models, wavs, single, bench)));
  }
  return results;
}
