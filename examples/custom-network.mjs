// Changes the network of a preset and compares both: node examples/custom-network.mjs [DIR]
import { countOperations, openDataset, presetSettings, train } from '../dist/index.js';

const [directory = 'samples'] = process.argv.slice(2);
const data = await openDataset(directory);

const preset = presetSettings('default', data.labels);
// A smaller last layer of plain LIF neurons with another surrogate derivative.
const last = { ...preset.network.layers.at(-1), neurons: 64, neuron: 'lif' };
delete last.adaptation;
last.spike = { ...last.spike, surrogate: 'atan', slope: 2 };
const custom = {
  ...preset,
  network: { ...preset.network, layers: [...preset.network.layers.slice(0, -1), last] },
};

for (const [name, settings] of Object.entries({ preset, custom })) {
  const { model, test } = await train({ data, settings, split: 'random:0.2', epochs: 40, seed: 1 });
  const parameters = [...model.parameters().values()].reduce((sum, { data }) => sum + data.length, 0);
  const operations = await countOperations(model, { files: [data.clips[0].file] });
  console.log(
    `${name}: ${parameters} parameters, ${(100 * test.accuracy).toFixed(1)}% right, ` +
      `${Math.round(operations.effectiveAcs)} accumulates a clip`,
  );
}
