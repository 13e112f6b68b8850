import { existsSync } from 'node:fs';
import { readModelFile } from '../../files/model-file.js';
import { SHIPPED_MODEL } from '../../model/model.js';
import type { CudaDevice, CudaReport } from '../../native/cuda/devices.js';
import { type DeviceInfo, deviceInfo } from '../../native/info.js';
import { defineCommand } from '../command.js';
import { accuracyText, shortPath, table } from '../format.js';

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
    const found = await deviceInfo();
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

function report(found: DeviceInfo, model: ShippedModel | null): string {
  const rows = [
    ['sonospike', found.version],
    ['node', found.node],
    ['platform', found.platform],
    ['instruction set', `${found.instructionSet} (of ${found.instructionSets.join(', ')})`],
    ['threads', String(found.threads)],
    ['compiler', found.compiler],
    ['addon', `${shortPath(found.addon.file)} (${found.addon.reason})`],
    ...cudaRows(found.cuda),
    ['shipped model', model ? card(model) : 'none'],
  ];
  return table(rows, 2);
}

function cudaRows({ built, driver, runtime, devices, device, whyNot }: CudaReport): string[][] {
  const versions = [driver && `driver for ${driver}`, runtime && `built with ${runtime}`].filter(Boolean);
  return [
    ...devices.map((each) => [`cuda ${each.number}`, gpuText(each, each.number === device)]),
    ...(versions.length > 0 ? [['cuda', versions.join(', ')]] : []),
    ...(whyNot === null ? [] : [['cuda', built ? whyNot : `no CUDA device is used: ${whyNot}`]]),
  ];
}

function gpuText(gpu: CudaDevice, used: boolean): string {
  const { name, memory, freeMemory, computeCapability, multiprocessors, whyNot } = gpu;
  const gibibytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
  return [
    name,
    `compute capability ${computeCapability}`,
    `${multiprocessors} multiprocessors`,
    `${gibibytes(freeMemory)} of ${gibibytes(memory)} GiB free`,
    ...(used ? ['used'] : []),
    ...(whyNot === null ? [] : [`cannot be used: ${whyNot}`]),
  ].join('; ');
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
