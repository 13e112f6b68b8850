// Calls everything that the addon has with arguments that make no sense. Each call may throw or give a result; what
// it may not do is end the process. Prints the number of calls.
import { readFileSync } from 'node:fs';
import { addon, CLIP, check, presetLike, settings, spoken, sweep } from './common.mjs';

const detached = sweep();
structuredClone(detached, { transfer: [detached.buffer] });
const shrinkable = new ArrayBuffer(4000, { maxByteLength: 8000 });
const shrunk = new Float32Array(shrinkable);
shrinkable.resize(8);
const thrower = () => {
  throw new RangeError('thrown by a getter');
};
const hostile = new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower, getPrototypeOf: thrower });

const model = new addon.Model(settings(), 2);
model.initialise(1);
const tools = new addon.NetworkTools(model);
const sample = { samples: sweep(), sampleRate: 8000, label: 3 };
const store = new addon.FeatureStore(model, 2);
await store.add([sample, sample]);
await store.fit(new Int32Array(), false);
const options = {
  epochs: 2,
  batchSize: 2 ** 30,
  seed: 1,
  labelSmoothing: 0,
  optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
  schedule: { type: 'constant', rate: 1e-3, warmupShare: 0.3 },
};
const trainer = new addon.Trainer(model, store, options, Int32Array.of(0, 1));
const streamOptions = { sampleRate: 8000, endSilence: 0.25, seed: 1, keepSamples: true };
const stream = new addon.Stream(model, streamOptions);

const garbage = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1e300,
  2 ** 31,
  2 ** 53,
  10n ** 30n,
  '',
  'rate',
  Symbol('s'),
  {},
  [],
  [null],
  [{}],
  new Array(2 ** 32 - 1),
  () => 1,
  new Date(),
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Uint8Array(8),
  new Float64Array(8),
  new BigInt64Array(8),
  new Float32Array(),
  new Float32Array(9).fill(Number.NaN),
  new Float32Array(new SharedArrayBuffer(64)),
  new Int32Array(),
  Int32Array.of(-1, 2 ** 31 - 1),
  detached,
  shrunk,
  hostile,
  Object.create(null),
  Object.create(model),
  model,
  store,
  trainer,
  stream,
  settings(),
  options,
  sample,
  sweep(),
  readFileSync(CLIP),
];

let calls = 0;
const pending = [];
function attempt(call) {
  calls++;
  try {
    const result = call();
    if (result instanceof Promise)
      pending.push(result.catch((error) => check(error instanceof Error, 'no error')));
  } catch (error) {
    check(error instanceof Error, `thrown: ${String(error)}`);
  }
}

// Good arguments, which are then made bad one at a time.
const direct = { type: 'direct', stepsPerFrame: 1 };
const valid = {
  predict: [sweep(), 8000, 0],
  predictSync: [sweep(), 8000, 0],
  observe: [sweep(), 8000, 0],
  initialise: [1],
  setConfidence: [{ bias: 0, logOdds: 1, margin: 0, entropy: 0, threshold: 0.7 }],
  loadParameters: [model.readParameters()],
  loadScaling: [new Float32Array(1), new Float32Array(1)],
  forward: [new Float32Array(40 * 6), 3, 2],
  gradient: [new Float32Array(40 * 6), 3, 2, Int32Array.of(1, 2), 0],
  optimizerStep: [options.optimizer, 1e-3],
  add: [[sample]],
  fit: [Int32Array.of(0), false],
  evaluate: [Int32Array.of(0, 1), 0, 0],
  loadState: [trainer.readState()],
  resample: [sweep(), 8000, 16000],
  features: [sweep(), 8000, settings().frontend],
  encode: [new Float32Array(6), 3, 2, direct, 0, 0, 0],
  write: [spoken()],
  selectInstructionSet: ['baseline'],
};

/** Copies of `value` with each of its leaves replaced by garbage, missing, or a getter that throws. */
function* spoiled(value) {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return;
  for (const key of Object.keys(value)) {
    for (const other of garbage)
      yield Object.assign(Array.isArray(value) ? [...value] : { ...value }, { [key]: other });
    yield Object.defineProperty({ ...value }, key, { get: thrower });
    for (const inner of spoiled(value[key])) yield { ...value, [key]: inner };
  }
}

const methods = (object) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== 'constructor');

for (const target of [model, tools, store, trainer, stream, addon]) {
  const names = target === addon ? Object.keys(addon) : methods(target);
  for (const name of names.filter((each) => each !== 'abort' && each !== 'close')) {
    const method = target[name];
    const arguments_ = valid[name] ?? [];
    const call = (...args) => attempt(() => method.apply(target, args));
    call();
    call(...arguments_);
    for (const other of garbage) {
      call(other);
      for (let at = 0; at < arguments_.length; at++) call(...arguments_.with(at, other));
      attempt(() => method.call(other, ...arguments_));
      attempt(() => Reflect.construct(method, [other]));
    }
    attempt(() => method(...arguments_));
    await Promise.all(pending.splice(0));
  }
}

for (const frontend of spoiled(settings().frontend)) attempt(() => addon.features(sweep(), 8000, frontend));
for (const encoding of spoiled(direct))
  attempt(() => addon.encode(new Float32Array(6), 3, 2, encoding, 0, 0, 0));
for (const bad of spoiled(trainer.readState().position)) {
  attempt(() => trainer.loadState({ ...trainer.readState(), position: bad }));
}
for (const bad of spoiled(options)) attempt(() => new addon.Trainer(model, store, bad, Int32Array.of(0)));
const confidence = { bias: 0, logOdds: 1, margin: 0, entropy: 0, threshold: 0.7 };
for (const bad of spoiled(streamOptions)) {
  attempt(() => new addon.Stream(model, bad).write(sweep()));
  await Promise.all(pending.splice(0));
}
for (const bad of spoiled(confidence)) attempt(() => model.setConfidence(bad));
model.setConfidence(null);
for (const bad of spoiled(sample)) {
  attempt(() => store.add([bad]));
  await Promise.all(pending.splice(0));
}
for (const whole of [settings(), presetLike('default'), presetLike('original')]) {
  for (const bad of spoiled(whole)) attempt(() => new addon.Model(bad, 1).predictSync(sweep(400), 8000, 0));
}
for (const other of garbage) {
  attempt(() => new addon.Model(other, other));
  attempt(() => new addon.NetworkTools(other));
  attempt(() => new addon.FeatureStore(other, 1));
  attempt(() => new addon.Stream(other, streamOptions));
  attempt(() => new addon.Stream(model, other));
  attempt(() => new addon.FeatureStore(model, other));
  attempt(() => new addon.Trainer(model, other, options, Int32Array.of(0)));
  attempt(() => new addon.Trainer(other, store, options, Int32Array.of(0)));
  attempt(() => new addon.Trainer(model, store, options, other));
}

// Memory that is taken away by a getter or a conversion between two of the addon's looks at it.
const evil = (samples) => ({
  valueOf: () => structuredClone(samples.buffer, { transfer: [samples.buffer] }) && 8000,
});
for (let i = 0; i < 20; i++) {
  const samples = sweep(200_000);
  const heard = sweep(200_000);
  const late = {
    ...streamOptions,
    get seed() {
      return Number(evil(heard)) && 1;
    },
  };
  attempt(() => new addon.Stream(model, late).write(heard));
  attempt(() => addon.resample(samples, evil(samples), 16000));
  attempt(() =>
    store.add([
      {
        samples,
        label: 1,
        get sampleRate() {
          return Number(evil(samples));
        },
      },
    ]),
  );
  const others = sweep(200_000);
  const frontend = {
    ...settings().frontend,
    get topDb() {
      return Number(evil(others));
    },
  };
  attempt(() => addon.features(others, 8000, frontend));
  await Promise.all(pending.splice(0));
}

// Sizes beyond any memory.
attempt(() => addon.resample(new Float32Array(9000), 1, 1_000_000));
attempt(() =>
  addon.encode(new Float32Array(2 ** 20), 2 ** 20, 1, { ...direct, stepsPerFrame: 1000 }, 0, 0, 0),
);
attempt(() => tools.forward(new Float32Array(), 2 ** 24, 2 ** 24));
const huge = { ...settings(8192).network.layers[0], recurrent: true };
attempt(
  () =>
    new addon.Model({ ...settings(), network: { ...settings().network, layers: Array(16).fill(huge) } }, 1),
);
attempt(() =>
  addon.encode(new Float32Array(6).fill(Number.NaN), 3, 2, { ...direct, type: 'latency' }, 0, 0, 0),
);

await Promise.all(pending);
check((await trainer.runEpoch()).complete, 'the trainer still works');
check(model.predictSync(sweep(), 8000, 0).scores.length === 10, 'the model still works');
stream.reset();
check(stream.write(spoken()).length === 1, 'the stream still works');
console.log(calls);
