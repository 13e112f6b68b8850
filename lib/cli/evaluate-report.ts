import type { Evaluation } from '../evaluation.js';
import { accuracyText, firingText, percent, table } from './format.js';

/** Labels up to which a confusion matrix fits a terminal. */
const MATRIX_LABELS = 24;

/** What an evaluation found, for people. */
export function report(found: Evaluation): string {
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

export function matrix({ labels, confusion }: { labels: string[]; confusion: number[][] }): string {
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
