import { readModelFile } from '../../files/model-file.js';
import { SHIPPED_MODEL } from '../../model/model.js';
import type { CudaDevice, CudaReport } from '../../native/cuda/devices.js';
import { type DeviceInfo, deviceInfo } from '../../native/info.js';
import type { ConfidenceSettings } from '../../settings/confidence.js';
import { isThere } from '../../support/permission.js';
import type { OptionTable } from '../args.js';
import { defineCommand } from '../command.js';
import { modelPath } from '../data.js';
import { accuracyText, shortPath, table } from '../format.js';
import { thresholdText } from '../threshold.js';

const OPTIONS = {
  model: { type: 'text', value: 'FILE', help: 'Model to tell of (default: the shipped one).' },
} as const satisfies OptionTable;

interface Reached {
  accuracy: number;
  interval: [number, number];
  clips: number;
}

/** What a model file says of the model. */
interface ModelCard {
  file: string;
  labels: string[];
  training: Record<string, unknown> | null;
  /** null: the model has no threshold and rejects nothing. */
  confidence: ConfidenceSettings | null;
}

export const info = defineCommand({
  name: 'info',
  summary: 'Tells versions, instruction set, threads, devices, and what a model file says of its model.',
  description: 'Tells versions, instruction set, threads, devices, and what a model file says of its model.',
  examples: ['sonospike info', 'sonospike info --model sonospike-model.safetensors', 'sonospike info --json'],
  options: OPTIONS,
  async run({ options }, out) {
    const found = await deviceInfo();
    const model = await readCard(options.model);
    if (out.json) out.document({ ...found, model });
    else out.print(report(found, model));
  },
});

/** Null where none is named and the shipped one has been left out of an installation. */
async function readCard(named: string | undefined): Promise<ModelCard | null> {
  const file = modelPath(named);
  if (named === undefined && !isThere(file)) return null;
  const { settings, training, confidence } = await readModelFile(file);
  return { file, labels: settings.labels, training, confidence };
}

function report(found: DeviceInfo, model: ModelCard | null): string {
  const rows = [
    ['sonospike', found.version],
    ['node', found.node],
    ['platform', found.platform],
    ['instruction set', `${found.instructionSet} (of ${found.instructionSets.join(', ')})`],
    ['threads', String(found.threads)],
    ['compiler', found.compiler],
    ['addon', `${shortPath(found.addon.file)} (${found.addon.reason})`],
    ...cudaRows(found.cuda),
    ...(model ? modelRows(model) : [['shipped model', 'none']]),
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

function modelRows({ file, labels, training, confidence }: ModelCard): string[][] {
  const {
    split,
    test,
    crossValidation,
    remarks = [],
  } = (training ?? {}) as {
    split?: string;
    test?: Reached;
    crossValidation?: Reached;
    remarks?: string[];
  };
  const about = [
    shortPath(file),
    `labels ${labels.join(' ')}`,
    ...(test ? [`test accuracy ${accuracyText(test)}`] : []),
    ...(!test && crossValidation ? [`cross-validated accuracy ${accuracyText(crossValidation)}`] : []),
    ...(split ? [`split ${split}`] : []),
  ];
  return [
    [file === SHIPPED_MODEL ? 'shipped model' : 'model', about.join('; ')],
    ['its threshold', thresholdText(confidence)],
    ...remarks.map((remark) => ['warning', remark]),
  ];
}
