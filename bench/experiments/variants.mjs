// What the experiments compare: each variant changes the default preset's settings or recipe in one respect.
// A variant is { name, settings?: change of a copy of the settings, options?: of the training, epochs? }.

/** Changes every layer. */
const layers = (change) => (settings) => {
  settings.network.layers = settings.network.layers.map((layer, k) => ({ ...layer, ...change(layer, k) }));
};

/** Layers of the default preset's kind; `convolutions` are [channels, kernel, taps], `dense` [neurons, taps]. */
const shape = (convolutions, dense) => (settings) => {
  const [first] = settings.network.layers;
  const last = settings.network.layers.at(-1);
  let bands = settings.frontend.melBands;
  settings.network.layers = [
    ...convolutions.map(([channels, kernel, taps]) => {
      bands = Math.ceil(bands / 2);
      return {
        ...first,
        neurons: bands * channels,
        connection: { type: 'convolution', channels, kernel, stride: 2, taps, dilation: 1 },
      };
    }),
    ...dense.map(([neurons, taps]) => ({
      ...last,
      neurons,
      connection: { type: 'dense', taps, dilation: 1 },
    })),
  ];
};

const connection = (change) => layers(({ connection }) => ({ connection: { ...connection, ...change } }));

/** Dense layers without temporal kernels. */
const dense = (count, neurons, change) => (settings) => {
  const [first] = settings.network.layers;
  const { connection: _, ...layer } = first;
  settings.network.layers = Array.from({ length: count }, () => ({
    ...layer,
    neurons,
    weightGain: 1,
    ...change,
  }));
};

const LIF = { neuron: 'lif', adaptation: null };

const neurons = [
  { name: 'adaptive' },
  { name: 'LIF', settings: layers(() => LIF) },
  {
    name: 'rectified linear (an ANN of the same shape)',
    settings: layers(() => ({ neuron: 'relu', adaptation: null, weightGain: 1.7 })),
    options: { spikeCost: 0 },
  },
  {
    name: 'adaptive, coupling from 0',
    settings: layers(() => ({ adaptation: { decay: 0.9, coupling: 0, jump: 0.5 } })),
  },
  { name: 'reset to zero', settings: layers(() => ({ reset: 'zero' })) },
  { name: 'reset detached', settings: layers(() => ({ detachReset: true })) },
  {
    name: 'readout: mean of the softmax',
    settings: (s) => {
      s.network.readout.type = 'leaky-integrator';
    },
  },
];

const connections = [
  { name: 'convolutions over frequency, 3 taps' },
  { name: 'no temporal kernels (1 tap)', settings: connection({ taps: 1 }) },
  { name: '5 taps', settings: connection({ taps: 5 }) },
  {
    name: 'dense layers of 128, 3 taps',
    settings: shape(
      [],
      [
        [128, 3],
        [128, 3],
        [128, 3],
      ],
    ),
  },
  { name: 'two recurrent layers of 128, adaptive', settings: dense(2, 128, { recurrent: true }) },
  { name: 'two recurrent layers of 128, LIF', settings: dense(2, 128, { recurrent: true, ...LIF }) },
];

const sizes = [
  {
    name: '16, 32, 64 channels, 64',
    settings: shape(
      [
        [16, 5, 3],
        [32, 3, 3],
        [64, 3, 3],
      ],
      [[64, 1]],
    ),
  },
  { name: '32, 64, 64 channels, 128' },
  {
    name: '32, 64, 96 channels, 128',
    settings: shape(
      [
        [32, 7, 3],
        [64, 5, 3],
        [96, 5, 3],
      ],
      [[128, 3]],
    ),
  },
  {
    name: '48, 64, 64 channels, 96',
    settings: shape(
      [
        [48, 7, 3],
        [64, 5, 3],
        [64, 5, 3],
      ],
      [[96, 3]],
    ),
  },
];

/** Scaled values lie between 0 and 1, as a rate and a time want them. */
const encoding =
  (type, stepsPerFrame, threshold = 0) =>
  (s) => {
    s.encoding = { type, stepsPerFrame, threshold };
  };

const encodings = [
  { name: 'direct: values as current, 1 step a frame' },
  // Their few spikes drive too little for a network that spikes cost.
  { name: 'rate, 4 steps a frame, no spike cost', settings: encoding('rate', 4), options: { spikeCost: 0 } },
  {
    name: 'latency, 4 steps a frame, no spike cost',
    settings: encoding('latency', 4),
    options: { spikeCost: 0 },
  },
  {
    name: 'delta, 1 step a frame, no spike cost',
    settings: encoding('delta', 1, 0.1),
    options: { spikeCost: 0 },
  },
];

/** `without`: parts that are left out of the recipe's augmentation. */
const without =
  (...parts) =>
  (augmentation) =>
    Object.fromEntries(Object.entries(augmentation).filter(([key]) => !parts.includes(key)));

const augmentations = [
  { name: 'as the recipe' },
  { name: 'none', augmentation: () => null },
  { name: 'without speed', augmentation: without('speed') },
  { name: 'without tempo', augmentation: without('tempo') },
  { name: 'without frequency warp', augmentation: without('frequencyWarp') },
  { name: 'without filter', augmentation: without('filter') },
  { name: 'without noise', augmentation: without('noise') },
  { name: 'without masks', augmentation: without('timeMask', 'frequencyMask') },
  { name: 'with synthesised voices', voices: true },
];

const recipes = [
  { name: 'as the recipe' },
  { name: 'no spike cost', options: { spikeCost: 0 } },
  { name: 'dropout 0.1', settings: layers(() => ({ dropout: 0.1 })) },
  { name: 'no label smoothing', options: { labelSmoothing: 0 } },
  { name: 'no negatives', options: { negatives: 0 } },
];

export const TABLES = { neurons, connections, sizes, encodings, augmentations, recipes };
