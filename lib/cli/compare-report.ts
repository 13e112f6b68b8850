import { basename } from 'node:path';
import type { PairedDifference } from '../evaluation/paired.js';
import type { ComparedVariant, Comparison } from '../protocol/comparison.js';
import { counted, percent, table } from './format.js';

/** `fsdd, split official`: what the runs of a comparison were on. */
export function comparisonTitle({ dataset, split }: Comparison): string {
  return `${basename(dataset.directory)}, split ${split}`;
}

/** The table for people, with what its columns mean. */
export function report(result: Comparison): string {
  return [headline(result), '', table([HEADS, ...result.variants.map(cells)]), '', ...legend(result)].join(
    '\n',
  );
}

/** The same as Markdown. */
export function markdownTable(result: Comparison): string {
  const escaped = (text: string) => text.replaceAll(/[|*_]/g, '\\$&');
  const line = (row: readonly string[]) => `| ${row.map(escaped).join(' | ')} |`;
  return [
    escaped(headline(result)),
    '',
    line(HEADS),
    `|---${'|--:'.repeat(HEADS.length - 1)}|`,
    ...result.variants.map((variant) => line(cells(variant))),
    '',
    escaped(legend(result).join(' ')),
    '',
  ].join('\n');
}

/** Figures for programs, a line for each variant; shares are from 0 to 1, and nothing is rounded. */
export function csvTable({ variants }: Comparison): string {
  const columns = {
    variant: ({ name }) => name,
    runs: ({ summary }) => summary?.runs ?? 0,
    accuracy: ({ summary }) => summary?.accuracy.mean,
    accuracy_deviation: ({ summary }) => summary?.accuracy.deviation,
    accuracy_min: ({ summary }) => summary?.accuracy.min,
    accuracy_max: ({ summary }) => summary?.accuracy.max,
    difference: ({ difference }) => difference?.mean,
    difference_low: ({ difference }) => difference?.interval?.[0],
    difference_high: ({ difference }) => difference?.interval?.[1],
    pairs: ({ difference }) => difference?.pairs,
    loss: ({ summary }) => summary?.loss.mean,
    calibration_error: ({ summary }) => summary?.calibrationError.mean,
    firing_rate: ({ summary }) => summary?.firingRate.mean,
    parameters: ({ parameters }) => parameters,
    synaptic_operations: ({ summary }) => summary?.synapticOperations,
    seconds: ({ summary }) => summary?.seconds.mean,
  } satisfies Record<string, (of: ComparedVariant) => string | number | null | undefined>;
  const rows = variants.map((variant) => Object.values(columns).map((read) => csvCell(read(variant))));
  return `${[Object.keys(columns), ...rows].map((cells) => cells.join(',')).join('\r\n')}\r\n`;
}

/** RFC 4180. */
function csvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const HEADS = ['variant', 'accuracy %', 'difference [95%]', 'firing', 'param.', 'time'];

function cells({ name, summary, difference, parameters }: ComparedVariant): string[] {
  const size = parameters < 10_000 ? String(parameters) : `${Math.round(parameters / 1000)}k`;
  if (summary === null) return [name, '-', '-', '-', size, '-'];
  const { accuracy, firingRate, seconds } = summary;
  const spread = accuracy.deviation === null ? '' : ` ± ${(100 * accuracy.deviation).toFixed(2)}`;
  return [
    name,
    (100 * accuracy.mean).toFixed(2) + spread,
    difference === null ? '' : differenceText(difference),
    firingRate.mean.toFixed(3),
    size,
    `${seconds.mean.toFixed(1)} s`,
  ];
}

function differenceText({ mean, interval }: PairedDifference): string {
  if (interval === null) return points(mean);
  const [low, high] = interval;
  return `${points(mean)} [${points(low)}, ${points(high)}]${isClear(interval) ? '*' : ''}`;
}

/** Whether an interval is on one side of 0. */
function isClear([low, high]: readonly [number, number]): boolean {
  return low > 0 || high < 0;
}

/** Percentage points with their sign. */
function points(share: number): string {
  return `${share < 0 ? '-' : '+'}${(100 * Math.abs(share)).toFixed(2)}`;
}

function headline(result: Comparison): string {
  const { seeds, folds, runs, variants, complete, dataset } = result;
  const total = variants.length * seeds.length * folds.length;
  const done = complete ? '' : ` (${runs.length} of them have ended)`;
  return (
    `${comparisonTitle(result)}, ${dataset.clips} clips: ${plannedText(result)} = ` +
    `${counted(total, 'training')}${done}`
  );
}

/** `2 variants x 3 seeds x 1 fold` */
export function plannedText(of: {
  variants: readonly unknown[];
  seeds: readonly number[];
  folds: readonly number[];
}): string {
  return [
    counted(of.variants.length, 'variant'),
    counted(of.seeds.length, 'seed'),
    counted(of.folds.length, 'fold'),
  ].join(' x ');
}

function legend({ variants }: Comparison): string[] {
  const pairs = Math.max(0, ...variants.map(({ difference }) => difference?.pairs ?? 0));
  return [
    'Accuracy: mean over the trainings ± standard deviation over the seeds.',
    `Difference: to ${variants[0]!.name}, in percentage points, with its 95% interval`,
    `(Student's t, ${counted(pairs, 'pair')} of the same seed and fold; *: the interval is without 0).`,
    'Firing: spikes per neuron and time step. Time: of one training and test.',
  ];
}

/** A run that has ended, in a line. */
export function runText(run: Comparison['runs'][number], done: number, total: number): string {
  const { variant, seed, fold, accuracy, clips, seconds } = run;
  const width = String(total).length;
  return (
    `${String(done).padStart(width)}/${total}  ${variant}  seed ${seed}  fold ${fold}  ` +
    `${percent(accuracy)} of ${clips} clips  ${seconds.toFixed(1)} s`
  );
}
