import type { Model } from '../model/model.js';
import { packageVersion } from '../support/version.js';
import { pack } from './message.js';
import type { Hello, SamplesOffered } from './protocol.js';

/** What every client is told first: it is the same for all of them. */
export async function helloMessage(
  model: Model,
  modelName: string,
  samples: SamplesOffered | null,
): Promise<Uint8Array> {
  const { settings, confidence } = model;
  const hello: Hello = {
    type: 'hello',
    version: packageVersion(),
    model: modelName,
    settings,
    confidence,
    samples,
  };
  // Unlike parameters(), this waits while the model is in use.
  const parameters = await model.snapshot();
  const thresholds = settings.network.layers.map(
    (_, layer) => [`threshold.${layer}`, parameters.get(`layers.${layer}.threshold`)!.data] as const,
  );
  return pack(hello, Object.fromEntries(thresholds));
}
