import type { Evaluation } from '../evaluation/evaluate.js';
import type { Calibration } from '../evaluation/metrics.js';
import type { Operations } from '../evaluation/operations.js';
import type { Rejection, UnknownResult } from '../evaluation/rejection.js';
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
    ...operationLines(found.operations ?? null),
    calibrationLine(found.calibration),
    ...rejectionLines(found.rejection),
    ...robustnessLines(found),
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

/** Operations of a clip, in thousands. */
export function operationLines(of: Operations | null): string[] {
  if (of === null) return [];
  const thousands = (n: number) => `${(n / 1000).toFixed(1)}k`;
  return [
    `Operations of a clip: ${thousands(of.dense)} dense, ${thousands(of.effectiveMacs)} effective MACs, ` +
      `${thousands(of.effectiveAcs)} effective ACs; ${percent(of.activationSparsity)} of the outputs are zero`,
    `Size: ${of.parameters} parameters, ${of.footprint} bytes`,
  ];
}

export function calibrationLine({ error }: Calibration): string {
  return `Expected calibration error of the confidence: ${percent(error)}`;
}

export function rejectionLines(of: Rejection | null): string[] {
  if (of === null) return [];
  const { threshold, known, kinds, unknown } = of;
  const row = (name: string, { clips, auroc, accepted, confidence }: UnknownResult) => [
    name,
    String(clips),
    auroc === null ? '-' : auroc.toFixed(4),
    percent(accepted),
    percent(confidence),
  ];
  const rejects =
    threshold === null
      ? 'The model has no threshold: it rejects nothing'
      : `At the confidence ${threshold.toFixed(3)} it rejects ${percent(known.rejected)} of the known words; ` +
        `accuracy of the others ${percent(known.accuracy)}`;
  return [
    '',
    table([
      ['sounds that are no words', 'clips', 'AUROC', 'accepted', 'confidence'],
      ...Object.entries(kinds).map(([name, result]) => row(name, result)),
      row('all', unknown),
    ]),
    rejects,
  ];
}

function robustnessLines({ robustness, accuracy }: Evaluation): string[] {
  if (robustness === undefined) return [];
  const rows = robustness.map((of) => [
    of.condition,
    percent(of.accuracy),
    (100 * of.difference).toFixed(1),
    percent(of.rejected),
  ]);
  return [
    '',
    table([['condition', 'accuracy', 'points', 'rejected'], ['as it is', percent(accuracy)], ...rows]),
  ];
}
