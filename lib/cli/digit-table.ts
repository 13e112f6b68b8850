import type { Model } from '../model/model.js';
import { sharesOf } from '../page/shares.js';
import { sendsSpikes } from '../settings/shapes.js';
import { percent, shortPath, table } from './format.js';
import { cutEnd, cutStart, printable, textWidth } from './text-width.js';

/** A recognised clip, as the table of `run-digit` shows it. */
export interface DigitRow {
  file: string;
  /** null where it is not known. */
  label: string | null;
  predicted: string;
  confidence: number;
  rejected: boolean;
  /** In the order of the labels. */
  scores: readonly number[];
  softmax: readonly number[];
}

type DigitModel = Pick<Model, 'labels' | 'settings'>;

/**
 * File, true and predicted label, confidence and second-best label of each clip, in so many columns. The second-best
 * label has its share beside that confidence, as on the page.
 */
export function digitTable(rows: readonly DigitRow[], model: DigitModel, columns: number): string {
  const cells = rows.map((row) => {
    const second = ranked({ ...row, softmax: sharesOfRow(row, model) }, model)[1];
    return {
      file: shortPath(row.file),
      labels: [row.label ?? '-', row.predicted, second?.label ?? '-'] as const,
      confidence: `${percent(row.confidence).padStart(6)}${row.rejected ? ' rejected' : ''}`,
      second: second?.value ?? '',
    };
  });
  const widest = (...texts: readonly string[]) => Math.max(...texts.map(textWidth));
  const second = widest(...cells.map((row) => row.second)) + 1;
  const widths = shareOut(columns - widest('confidence', ...cells.map((row) => row.confidence)) - 4 * GAP, {
    file: widest('file', ...cells.map((row) => row.file)),
    true: widest('true', ...cells.map((row) => row.labels[0])),
    predicted: widest('predicted', ...cells.map((row) => row.labels[1])),
    second: Math.max(textWidth('runner-up'), second + widest(...cells.map((row) => row.labels[2]))),
  });
  return table(
    [
      ['file', 'true', cutEnd('predicted', widths.predicted), 'confidence', 'runner-up'],
      ...cells.map((row) => [
        cutStart(row.file, widths.file),
        cutEnd(row.labels[0], widths.true),
        cutEnd(row.labels[1], widths.predicted),
        row.confidence,
        `${cutEnd(row.labels[2], widths.second - second)} ${row.second}`.trim(),
      ]),
    ],
    5,
  );
}

/** Columns below which none of them is shortened. */
const LEAST = { file: 16, true: 6, predicted: 6, second: 14 };
const GAP = 2;

type Widths = Record<keyof typeof LEAST, number>;

/** Widths that fit into `room`: the file is shortened first, then the longest of the others. */
function shareOut(room: number, natural: Widths): Widths {
  const widths = { ...natural };
  const sum = () => Object.values(widths).reduce((total, width) => total + width, 0);
  widths.file = Math.max(
    Math.min(natural.file, LEAST.file),
    Math.min(natural.file, room - (sum() - natural.file)),
  );
  const others = ['true', 'predicted', 'second'] as const;
  while (sum() > room) {
    const longest = others
      .filter((name) => widths[name] > LEAST[name])
      .sort((a, b) => widths[b] - widths[a])[0];
    if (longest === undefined) break;
    widths[longest]--;
  }
  return widths;
}

/** The softmax with the confidence in place of the best label's, and the others beside it. */
function sharesOfRow(
  { softmax, predicted, confidence }: DigitRow,
  { labels }: DigitModel,
): readonly number[] {
  const best = labels.indexOf(predicted);
  return best < 0 ? softmax : sharesOf(softmax, best, confidence).words;
}

interface RankedScore {
  label: string;
  value: string;
}

/** The labels with their scores, the best first; nothing of digital silence, which has none. */
function ranked({ scores, softmax, predicted }: DigitRow, { labels, settings }: DigitModel): RankedScore[] {
  if (!labels.includes(predicted)) return [];
  const counts = settings.network.readout.type === 'spike-count';
  // Spikes of soft neurons are shares of one, so that their counts are not whole numbers.
  const digits = settings.network.layers.every(sendsSpikes) ? 0 : 1;
  const shown = counts ? (value: number) => value.toFixed(digits) : percent;
  return (counts ? scores : softmax)
    .map((score, i) => ({ label: labels[i]!, score }))
    .sort((a, b) => b.score - a.score)
    .map(({ label, score }) => ({ label, value: shown(score) }));
}

/** Every score of each clip, the best first, below the name of its file. */
export function scoreLists(rows: readonly DigitRow[], model: DigitModel, columns: number): string {
  return rows
    .map((row) => {
      const items = ranked(row, model).map(({ label, value }) => `${printable(label)} ${value}`);
      return [printable(shortPath(row.file)), ...linesOf(items, columns)].join('\n');
    })
    .join('\n');
}

function linesOf(items: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const longer = `${lines.at(-1)}  ${item}`;
    if (lines.length > 0 && textWidth(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(`  ${item}`);
  }
  return lines;
}
