import { readdir } from 'node:fs/promises';
import type { Model } from '../model/model.js';
import { samplesFolder } from '../support/package-files.js';
import { packageVersion } from '../support/version.js';
import { pack } from './message.js';
import type { Hello } from './protocol.js';

/** What every client is told first: it is the same for all of them. */
export async function helloMessage(model: Model, modelName: string): Promise<Uint8Array> {
  const hello: Hello = {
    type: 'hello',
    version: packageVersion(),
    model: modelName,
    settings: model.settings,
    samples: await sampleNames(),
  };
  // Unlike parameters(), this waits while the model is in use.
  const parameters = await model.snapshot();
  const thresholds = model.settings.network.layers.map(
    (_, layer) => [`threshold.${layer}`, parameters.get(`layers.${layer}.threshold`)!.data] as const,
  );
  return pack(hello, Object.fromEntries(thresholds));
}

/** Sorted; empty where the samples have been left out of an installation. */
export async function sampleNames(): Promise<string[]> {
  const names = await readdir(samplesFolder()).catch(() => []);
  return names.filter((name) => name.endsWith('.wav')).sort();
}
