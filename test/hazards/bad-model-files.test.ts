import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawTensor } from '../../lib/files/dtypes.js';
import { encodeModel } from '../../lib/files/model-file.js';
import { encodeSafetensors } from '../../lib/files/safetensors.js';
import { loadModel, type ModelSettings, SonospikeError } from '../../lib/index.js';
import { SHIPPED_MODEL } from '../../lib/model/model.js';
import { parameterShapes } from '../../lib/settings/shapes.js';
import { needs } from '../helpers/data.js';
import { concat, filledModel } from '../helpers/model.js';
import { mutations } from '../helpers/mutations.js';
import { quickSettings, SAMPLES } from '../helpers/training.js';

const seed = needs('seed/parameters.pt');
const clip = readFileSync(join(SAMPLES, '7_kal_0.wav'));

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-bad-model-'));
  path = join(folder, 'damaged');
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads a file of these bytes and predicts with it; true if it is a model, false if it is refused properly. */
async function usable(bytes: Uint8Array): Promise<boolean> {
  writeFileSync(path, bytes);
  try {
    const model = await loadModel(path, { threads: 1 });
    expect(model.labels).toContain(model.predictSync(clip).label);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SonospikeError);
    expect((error as SonospikeError).message).toContain(path);
    return false;
  }
}

async function survives(bytes: Uint8Array, runs: number): Promise<void> {
  let refused = 0;
  const property = fc.asyncProperty(mutations(bytes), async (damaged) => {
    if (!(await usable(damaged))) refused++;
  });
  await fc.assert(property, { numRuns: runs, seed: 20 });
  expect(refused).toBeGreaterThan(runs / 20);
}

describe('a damaged file is refused with its name, or is a model that predicts', () => {
  it('500 forms of the shipped model', { timeout: 120_000 }, () =>
    survives(readFileSync(SHIPPED_MODEL), 500),
  );

  it('500 forms of its header', { timeout: 120_000 }, async () => {
    const bytes = readFileSync(SHIPPED_MODEL);
    const end = 8 + Number(bytes.readBigUInt64LE(0));
    const property = fc.asyncProperty(mutations(bytes.subarray(0, end)), async (head) => {
      await usable(Buffer.concat([head, bytes.subarray(end)]));
    });
    await fc.assert(property, { numRuns: 500, seed: 21 });
  });

  it.skipIf(seed.missing)("500 forms of the original program's checkpoint", { timeout: 120_000 }, () =>
    survives(readFileSync(seed.path), 500),
  );
});

describe('settings that ask for more memory than any machine has', () => {
  const layer = { ...quickSettings().network.layers[0]!, neurons: 8192 };
  const network = quickSettings().network;
  const wide = { ...network, layers: Array.from({ length: 16 }, () => layer) };
  const absurd: [string, Partial<ModelSettings>][] = [
    ['neurons', { network: wide }],
    ['frames', { frames: 200_000, frontend: { ...quickSettings().frontend, melBands: 512 } }],
    ['steps', { encoding: { type: 'direct', stepsPerFrame: 1_000_000 } }],
  ];

  it.each(absurd)('are refused by their %s, with tensors that are tiny', async (_, changes) => {
    const before = process.memoryUsage.rss();
    const settings = { ...quickSettings(), ...changes };
    const tiny: RawTensor = { dtype: 'F32', shape: [1], data: new Float32Array(1) };
    const tensors = new Map([...parameterShapes(settings).keys()].map((name) => [name, tiny]));
    const metadata = { format: 'sonospike', version: '1', settings: JSON.stringify(settings) };
    writeFileSync(path, concat(encodeSafetensors(metadata, tensors)));
    await expect(loadModel(path)).rejects.toMatchObject({ code: 'ERR_MODEL_INVALID', file: path });
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 26);
  });

  it('are not what a long clip of many neurons is: it is taken a piece at a time', async () => {
    // The activity of a whole clip would be 13 GB.
    const { frontend } = quickSettings();
    const settings: ModelSettings = {
      ...quickSettings(),
      frontend: { ...frontend, melBands: 1 },
      frames: 20_000,
      encoding: { type: 'direct', stepsPerFrame: 10 },
      network: { ...network, layers: [{ ...layer, recurrent: false }] },
    };
    writeFileSync(path, concat(encodeModel(filledModel(settings))));
    const before = process.memoryUsage.rss();
    const model = await loadModel(path, { threads: 1 });
    expect(settings.labels).toContain(model.predictSync(clip).label);
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 27);
    await expect(model.observe(clip)).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  });
});

it('weights that are finite but absurd give a prediction, not a crash', async () => {
  const settings = quickSettings({
    scaling: { type: 'standard', over: 'training-set', pooled: false },
    encoding: { type: 'latency', stepsPerFrame: 5, threshold: 0 },
  });
  const model = filledModel(settings);
  for (const [name, { data }] of model.parameters) data.fill(name.startsWith('scaling') ? 3e38 : -3e38);
  writeFileSync(path, concat(encodeModel(model)));
  const { label } = (await loadModel(path)).predictSync(clip);
  expect(settings.labels).toContain(label);
});
