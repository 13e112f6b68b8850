import { type Evaluation, evaluate as evaluateModel } from '../evaluation.js';
import { loadModel, MAX_THREADS } from '../model.js';
import type { OptionTable } from './args.js';
import { defineCommand } from './command.js';
import { modelPath, noteSkipped, openData } from './data.js';
import { accuracyText, firingText, percent, table } from './format.js';

/** Labels up to which a confusion matrix fits a terminal. */
const MATRIX_LABELS = 24;

const OPTIONS = {
  data: {
    type: 'text',
    value: 'DIR',
    help: 'AudioMNIST, FSDD or a folder for each word. Left out: the shipped samples.',
  },
  model: { type: 'text', value: 'FILE', help: 'Left out: the shipped model.' },
  split: {
    type: 'text',
    value: 'SPLIT',
    help:
      'official, speakers:<name,name>, leave-one-speaker-out, random:<fraction> or all. Left out: the split that ' +
      'the model was trained with if it was on this data, else all.',
  },
  fold: { type: 'integer', min: 1, max: 1000, help: 'Fold of a split that has several.' },
  part: {
    type: 'choice',
    choices: ['train', 'validation', 'test'],
    default: 'test',
    help: 'The part of the split.',
  },
  splitSeed: {
    type: 'integer',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: "Of the split's draw. Left out: the model's, for the split that it was trained with.",
  },
  seed: { type: 'integer', min: 0, max: Number.MAX_SAFE_INTEGER, help: 'Of the rate encoding.' },
  threads: { type: 'integer', min: 1, max: MAX_THREADS, help: 'Left out: all cores.' },
  strict: { type: 'flag', help: 'Makes a clip that cannot be used an error, instead of leaving it out.' },
} as const satisfies OptionTable;

export const evaluate = defineCommand({
  name: 'evaluate',
  summary: 'Measures a model on a dataset.',
  description:
    'Measures a model on a dataset: accuracy with its 95% interval, precision and recall of every label, confusion ' +
    'matrix, accuracy of every speaker, firing rates.',
  examples: [
    'sonospike evaluate --data data/fsdd --model sonospike-model.safetensors',
    'sonospike evaluate --data data/fsdd --split official --json',
  ],
  options: OPTIONS,
  async run({ options }, out) {
    const { data: directory, model: named, ...rest } = options;
    const file = modelPath(named);
    const model = await loadModel(file, options.threads === undefined ? {} : { threads: options.threads });
    const found = await evaluateModel({
      ...rest,
      model,
      data: await openData(directory, options),
      onProgress: (done, total) => out.bar.update('reading clips', done / total, `${done} of ${total}`),
    });
    noteSkipped(out, found.skipped);
    if (found.seenInTraining > 0 && options.part === 'test') {
      out.note(
        `${found.seenInTraining} of these ${found.clips} clips were in the training part of the model: this is no test of it.`,
      );
    }
    if (out.json) out.document({ ...found, model: file });
    else out.print(report(found));
  },
});

function report(found: Evaluation): string {
  return [
    `Split ${found.split}.`,
    `Accuracy ${accuracyText(found)}, loss ${found.loss.toFixed(3)}`,
    '',
    table([
      ['label', 'clips', 'precision', 'recall'],
      ...found.perClass.map(({ label, clips, precision, recall }) => [
        label,
        String(clips),
        percent(precision),
        percent(recall),
      ]),
    ]),
    '',
    matrix(found),
    '',
    ...speakers(found),
    `Firing rates of the layers: ${firingText(found.firingRates)} spikes per neuron and time step`,
  ].join('\n');
}

function matrix({ labels, confusion }: Evaluation): string {
  if (labels.length > MATRIX_LABELS) {
    return `The confusion matrix of ${labels.length} labels is too wide to print; --json has it.`;
  }
  const rows = confusion.map((row, i) => [labels[i]!, ...row.map((n) => (n === 0 ? '.' : String(n)))]);
  return `Confusion matrix (rows: true, columns: predicted)\n${table([['', ...labels], ...rows])}`;
}

function speakers({ perSpeaker }: Evaluation): string[] {
  const rows = Object.entries(perSpeaker).map(([name, { clips, accuracy }]) => [
    name,
    String(clips),
    percent(accuracy),
  ]);
  return rows.length === 0 ? [] : [table([['speaker', 'clips', 'accuracy'], ...rows]), ''];
}
