import { existsSync } from 'node:fs';
import { readModelFile } from '../checkpoint/model-file.js';
import { type Info, info as installation } from '../info.js';
import { SHIPPED_MODEL } from '../model.js';
import { defineCommand } from './command.js';
import { accuracyText, shortPath, table } from './format.js';

interface ShippedModel {
  file: string;
  labels: string[];
  /** As the model file says. */
  training: Record<string, unknown> | null;
}

export const info = defineCommand({
  name: 'info',
  summary: 'Tells versions, instruction set, threads, devices and the shipped model.',
  description: 'Tells versions, instruction set, threads, devices and the shipped model.',
  examples: ['sonospike info', 'sonospike info --json'],
  options: {},
  async run(_, out) {
    const found = installation();
    const model = await shippedModel();
    if (out.json) out.document({ ...found, model });
    else out.print(report(found, model));
  },
});

async function shippedModel(): Promise<ShippedModel | null> {
  if (!existsSync(SHIPPED_MODEL)) return null;
  const { settings, training } = await readModelFile(SHIPPED_MODEL);
  return { file: SHIPPED_MODEL, labels: settings.labels, training };
}

function report(found: Info, model: ShippedModel | null): string {
  const rows = [
    ['sonospike', found.version],
    ['node', found.node],
    ['platform', found.platform],
    ['instruction set', `${found.instructionSet} (of ${found.instructionSets.join(', ')})`],
    ['threads', String(found.threads)],
    ['devices', found.devices.map(({ name }) => name).join(', ')],
    ['compiler', found.compiler],
    ['shipped model', model ? card(model) : 'none'],
  ];
  return table(rows, 2);
}

/** The model in one line. */
function card({ file, labels, training }: ShippedModel): string {
  const { split, test } = (training ?? {}) as {
    split?: string;
    test?: { accuracy: number; interval: [number, number]; clips: number };
  };
  return [
    shortPath(file),
    `labels ${labels.join(' ')}`,
    ...(test ? [`test accuracy ${accuracyText(test)}`] : []),
    ...(split ? [`split ${split}`] : []),
  ].join('; ');
}
