// How the speed grows with threads and instruction sets, and the time with the work.
import { isDeepStrictEqual } from 'node:util';
import { createModel, presetSettings } from '../../dist/index.js';
import { native } from '../../dist/native/load.js';
import { requireAllClose, requireClose, requireSameSpikes } from '../checks.mjs';
import { DIGITS, epochWork, makeTrainer, noiseClips } from '../clips.mjs';
import { floorOf, measureActivity, trainingWork } from '../floor.mjs';
import { fittedExponent } from '../statistics.mjs';
import { alternate, chained, rows } from '../works.mjs';
import { frontEndCases, frontEndWork } from './frontend.mjs';
import { latencyWork, predictionWork, sampleWavs } from './inference.mjs';

const SUITE = 'scaling';
// Between instruction sets: hard spikes may flip where rounding moves a potential over the threshold.
const TOLERANCE = 1e-3;
const SAME_SPIKES = 0.999;

async function trainingSlots({ model, settings }, batchSize) {
  const seconds = settings.frames * (settings.frontend.hopLength / settings.sampleRate) * 0.5;
  return trainingWork(
    settings,
    await measureActivity(model, settings, noiseClips(2, settings.sampleRate, seconds)),
    batchSize,
  );
}

/** Training on one thread and on all: the same bits, sooner. */
async function benchThreads(preset, batchSize, { threads, repeats, quick }) {
  const [works, floor, made] = [{}, {}, []];
  const count = quick ? batchSize : 4 * batchSize;
  for (const n of new Set([1, threads])) {
    const one = await makeTrainer({ preset, threads: n, batchSize, count, epochs: repeats + 1 });
    const who = `${n} ${n === 1 ? 'thread' : 'threads'}`;
    works[who] = epochWork(one);
    floor[who] = floorOf(await trainingSlots(one, batchSize), n);
    made.push(one.model);
  }
  const seconds = await alternate(repeats, works);
  const [first, ...others] = made.map((model) => model.readParameters());
  if (!others.every((other) => isDeepStrictEqual(first, other)))
    throw new Error(`${preset}, batch ${batchSize}: ${threads} threads give other bits than 1`);
  const what = `${preset}, training, batch ${batchSize}, threads`;
  return chained(rows({ suite: SUITE, what, unit: 'clips/s', floor }, seconds));
}

/** A piece of work for each instruction set. `make(set)` gives `run`, `slots`, and `result` to compare. */
async function benchSets(about, { repeats, threads }, make, compare) {
  const { instructionSet: before, instructionSets } = native().info();
  const [works, floor, more, results] = [{}, {}, {}, []];
  try {
    for (const set of instructionSets) {
      native().selectInstructionSet(set);
      const { run, slots, result } = await make();
      works[set] = () => {
        native().selectInstructionSet(set);
        return run();
      };
      floor[set] = floorOf(slots, threads);
      if (results.length > 0)
        more[set] = { checks: compare(`${about.what}, ${set}`, result, results.at(-1)) };
      results.push(result);
    }
    return chained(rows({ suite: SUITE, ...about, floor, more }, await alternate(repeats, works)));
  } finally {
    native().selectInstructionSet(before);
  }
}

const closeValues = (what, ours, theirs) => ({ values: requireClose(what, ours, theirs, TOLERANCE) });

function setsOfTraining(preset, bench) {
  const batchSize = bench.quick ? 8 : 64;
  const options = { preset, threads: bench.threads, batchSize, count: bench.quick ? 8 : 256 };
  const make = async () => {
    const made = await makeTrainer({ ...options, epochs: bench.repeats + 1 });
    const [clip] = noiseClips(1, made.settings.sampleRate, 0.5);
    const { input, steps } = await made.model.observe(clip.samples, clip.sampleRate, 1);
    const tools = new (native().NetworkTools)(made.model);
    const { spikes } = tools.forward(input, steps, 1);
    const { gradients } = tools.gradient(input, steps, 1, Int32Array.of(3), 0);
    const slots = await trainingSlots(made, batchSize);
    return { run: epochWork(made), slots, result: { spikes: spikes.at(-1), gradients, input } };
  };
  const soft = presetSettings(preset, DIGITS).network.layers[0].spike.type === 'soft';
  const compare = (what, ours, theirs) => ({
    spikes: soft
      ? requireClose(`${what}, spikes`, ours.spikes, theirs.spikes, TOLERANCE)
      : requireSameSpikes(`${what}, spikes`, ours.spikes, theirs.spikes, SAME_SPIKES),
    gradients: requireAllClose(
      `${what}, gradient`,
      ours.gradients,
      (name) => theirs.gradients[name],
      soft ? TOLERANCE : 0.05,
    ),
  });
  return benchSets(
    { what: `${preset}, training, batch ${batchSize}`, unit: 'clips/s' },
    bench,
    make,
    compare,
  );
}

function setsOfInference(preset, bench) {
  const wavs = sampleWavs(bench.quick ? 2 : 16);
  const make = async () => {
    const model = await createModel(presetSettings(preset, DIGITS), { threads: 1, seed: 1 });
    const { all: slots } = await predictionWork(model, wavs);
    return { run: latencyWork(model, wavs), slots, result: model.predictSync(wavs[0]).scores };
  };
  return benchSets(
    { what: `${preset}, one clip`, unit: 'ms' },
    { ...bench, threads: 1 },
    make,
    (what, a, b) => ({
      scores: requireClose(what, a, b, 10 * TOLERANCE),
    }),
  );
}

function setsOfFrontEnd(each, bench) {
  const make = async () => ({ run: frontEndWork(each), slots: each.slots, result: each.ours(each.input) });
  return benchSets({ what: each.what, unit: 'ms' }, { ...bench, threads: 1 }, make, closeValues);
}

/** Epochs of growing size: time for each unit of it, which stays where growth is linear, and the fitted exponent. */
async function benchGrowth(what, sizes, { repeats, threads }, make) {
  const [works, floor] = [{}, {}];
  for (const size of sizes) {
    const { options, units } = make(size);
    const made = await makeTrainer({ ...options, threads, epochs: repeats + 1 });
    const epoch = epochWork(made);
    works[size] = async () => ((await epoch()) * options.count) / units;
    const slots = await trainingSlots(made, options.batchSize);
    const least = floorOf(slots, threads);
    floor[size] = () => (least() * options.count) / units;
  }
  const seconds = await alternate(repeats, works);
  const exponents = seconds[sizes[0]].map((_, round) =>
    fittedExponent(
      sizes,
      sizes.map((size) => size * seconds[size][round]),
    ),
  );
  const about = { suite: SUITE, what };
  return [
    ...rows({ ...about, unit: 'us', floor }, seconds),
    { ...about, who: 'exponent', unit: '', better: 'near 1', values: exponents },
  ];
}

function growthCases(preset, quick) {
  const { frames, encoding } = presetSettings(preset, DIGITS);
  const steps = frames * encoding.stepsPerFrame;
  const count = quick ? 8 : 64;
  const epoch = quick ? 16 : 1024;
  return [
    {
      what: `${preset}, us a step of a clip, by steps`,
      sizes: (quick ? [1, 2] : [1, 2, 4, 8]).map((times) => times * steps),
      make: (size) => ({
        options: { preset, times: size / steps, batchSize: count, count },
        units: size * count,
      }),
    },
    {
      what: `${preset}, us a clip, by batch`,
      sizes: quick ? [8, 16] : [16, 32, 64, 128, 256, 512, 1024],
      make: (size) => ({ options: { preset, batchSize: size, count: epoch }, units: epoch }),
    },
    {
      what: `${preset}, us a clip, by clips of an epoch`,
      sizes: quick ? [8, 16] : [256, 512, 1024, 2048],
      make: (size) => ({ options: { preset, batchSize: count, count: size }, units: size }),
    },
  ];
}

export async function benchScaling(bench) {
  const results = [];
  const add = async (what, work) => {
    bench.progress(`scaling: ${what}`);
    results.push(...(await work()));
  };
  for (const preset of bench.presets) {
    for (const batch of bench.quick ? [8] : [64, 256])
      await add(`${preset}, threads, batch ${batch}`, () => benchThreads(preset, batch, bench));
    await add(`${preset}, training, instruction sets`, () => setsOfTraining(preset, bench));
    await add(`${preset}, inference, instruction sets`, () => setsOfInference(preset, bench));
    for (const { what, sizes, make } of growthCases(preset, bench.quick))
      await add(what, () => benchGrowth(what, sizes, bench, make));
  }
  for (const each of frontEndCases())
    await add(`${each.what}, instruction sets`, () => setsOfFrontEnd(each, bench));
  return results;
}
