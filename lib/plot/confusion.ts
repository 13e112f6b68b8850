import { type Block, EDGE, margins, named } from './figure.js';
import { heading, headingHeight } from './panels.js';
import { FONT } from './style.js';
import { element, fitText, text, textWidth } from './svg.js';

export interface ConfusionData {
  labels: readonly string[];
  /** Clips by true label (row) and predicted label (column). */
  confusion: readonly (readonly number[])[];
}

const MOST_CELL = 40;
/** Cells in which every label has room beside its row, and counts may have. */
const LABELLED = 12;
const RECALL = 56;
const MOST_NAME = 130;
/** Confusions that are named. */
const NAMED = 4;

/**
 * A confusion matrix: right answers blue, wrong ones orange, the fuller the larger their share of the row. Of very many
 * labels not all are named.
 */
export function confusionBlock({ labels, confusion }: ConfusionData, width: number): Block {
  const names = Math.min(MOST_NAME, width * 0.22, 10 + widest(labels));
  const left = Math.max(margins(width).left, EDGE + 18 + names);
  const cell = Math.min(MOST_CELL, (width - left - RECALL - EDGE) / Math.max(1, labels.length));
  const upright = labels.some((label) => textWidth(label, FONT.body) > cell - 3);
  const above = upright ? Math.min(MOST_NAME, 8 + widest(labels)) : 18;
  const every = Math.ceil(LABELLED / cell);
  const notes = [worst({ labels, confusion }), ...(every > 1 ? [`only one label in ${every} is named`] : [])];
  const titled = { title: 'Confusion', note: notes.join(' · ') };
  const head = headingHeight(titled, width) + 20 + above;
  const size = cell * labels.length;
  return {
    height: head + size + 6,
    draw(top) {
      const [x0, y0] = [left, top + head];
      const rows = confusion.map((row, i) => drawRow(row, i, labels, { x0, y: y0 + i * cell, cell }));
      const shown = labels
        .map((label, i) => ({ label, at: (i + 0.5) * cell }))
        .filter((_, i) => i % every === 0);
      const columnName = ({ label, at }: { label: string; at: number }) =>
        upright
          ? text(x0 + at + 3.8, y0 - 6, fitText(label, FONT.body, above - 4), { rotate: -90 })
          : text(x0 + at, y0 - 6, label, { anchor: 'middle' });
      const rowName = ({ label, at }: { label: string; at: number }) =>
        text(x0 - 7, y0 + at + 3.8, fitText(label, FONT.body, names - 4), { anchor: 'end' });
      const frame = { x: x0, y: y0, width: size, height: size, class: 'axis' };
      return (
        heading(titled, top, width) +
        text(x0, y0 - above - 8, 'predicted label', { class: 'muted' }) +
        text(EDGE + 6, y0 + size / 2, 'true label', { anchor: 'middle', rotate: -90, class: 'muted' }) +
        (cell >= LABELLED ? text(x0 + size + 8, y0 - 6, 'recall', { class: 'muted' }) : '') +
        shown.map((each) => columnName(each) + rowName(each)).join('') +
        rows.join('') +
        element('rect', frame)
      );
    },
  };
}

function widest(labels: readonly string[]): number {
  return Math.max(0, ...labels.map((label) => textWidth(label, FONT.body)));
}

function drawRow(
  row: readonly number[],
  i: number,
  labels: readonly string[],
  { x0, y, cell }: { x0: number; y: number; cell: number },
): string {
  const sum = row.reduce((a, b) => a + b, 0);
  const cells = row.map((count, j) => {
    if (count === 0) return '';
    const share = count / sum;
    // The rarest confusion must be seen too.
    const least = i === j ? 0.1 : 0.3;
    const opacity = Math.round(100 * (least + (1 - least) * share)) / 100;
    const rect = element('rect', {
      x: x0 + j * cell,
      y,
      width: cell,
      height: cell,
      class: i === j ? 'blue' : 'vermilion',
      fill: 'currentColor',
      'fill-opacity': opacity,
    });
    const size = cell >= 22 ? FONT.body : 9;
    const fits = textWidth(String(count), size) <= cell - 2 && cell >= LABELLED;
    const classes = [opacity > 0.75 ? 'onfill' : '', size === FONT.body ? '' : 'small'].filter(
      (name) => name !== '',
    );
    const number = fits
      ? text(x0 + (j + 0.5) * cell, y + cell / 2 + size * 0.35, String(count), {
          anchor: 'middle',
          class: classes.join(' '),
        })
      : '';
    return named(`${labels[i]}, predicted ${labels[j]}: ${count} of ${sum}`, rect + number);
  });
  const recall = sum === 0 ? '–' : `${((100 * row[i]!) / sum).toFixed(1)}%`;
  const end = x0 + row.length * cell + 8;
  return cells.join('') + (cell >= LABELLED ? text(end, y + cell / 2 + 3.8, recall, { class: 'muted' }) : '');
}

/** The confusions that are most frequent, in words. */
function worst({ labels, confusion }: ConfusionData): string {
  const wrong = confusion
    .flatMap((row, i) => row.map((count, j) => ({ count, i, j })))
    .filter(({ count, i, j }) => count > 0 && i !== j)
    .sort((a, b) => b.count - a.count);
  if (wrong.length === 0) return 'no clip was taken for another word';
  const told = wrong.slice(0, NAMED).map(({ count, i, j }) => `${labels[i]} → ${labels[j]} (${count})`);
  return `most often taken for another: ${told.join(', ')}`;
}
