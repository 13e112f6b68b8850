import type { ComparedRun, Comparison } from '../protocol/comparison.js';
import { percent } from '../support/text.js';
import { dotMark, type Row, rowChart } from './bars.js';
import { type Block, type FigureOptions, figure, figureWidth } from './figure.js';
import { extent, padded, percentTicks } from './scale.js';

/** What a plot needs of a comparison. */
export type PlottedComparison = Pick<Comparison, 'variants' | 'runs' | 'seeds' | 'folds' | 'complete'>;

type Variants = PlottedComparison['variants'];

/**
 * Draws a comparison as an SVG document: the accuracy of every variant with its runs, and its difference to the first
 * variant with the 95% interval.
 */
export function plotComparison(result: PlottedComparison, options: FigureOptions = {}): string {
  const { variants, seeds, folds, complete } = result;
  const { title = 'Comparison' } = options;
  const width = figureWidth(options.width);
  const tested = variants.filter(({ summary }) => summary !== null);
  const runs = `${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}${folds.length > 1 ? ` on ${folds.length} folds` : ''}`;
  const state = tested.length === 0 ? ': no training has ended' : complete ? '' : ', not finished';
  const heading = `${title} (${runs})${state}`;
  const differing = variants.filter(({ difference }) => difference !== null);
  const blocks = [
    ...(tested.length > 0 ? [accuracyChart(tested, result, width)] : []),
    ...(differing.length > 0 ? [differenceChart(differing, result, width)] : []),
  ];
  const description = tested
    .map(({ name, summary }) => `${name} ${percent(summary!.accuracy.mean)}`)
    .join(', ');
  return figure(blocks, { width, title: heading, description: `${heading}. Accuracy: ${description}.` });
}

function accuracyChart(tested: Variants, { runs }: PlottedComparison, width: number): Block {
  const rows = tested.map(({ name, key, summary }): Row => {
    const { mean, deviation, min, max } = summary!.accuracy;
    const spread = deviation === null ? '' : ` ± ${(100 * deviation).toFixed(1)}`;
    const parts = runsOf(runs, key).map(({ accuracy }) => accuracy);
    return {
      label: name,
      value: `${percent(mean)}${spread}`,
      draw: dotMark(mean, [min, max], 'blue', parts),
    };
  });
  const [low, high] = padded(
    extent(tested.flatMap(({ summary }) => [summary!.accuracy.min, summary!.accuracy.max])),
  );
  const domain = [Math.max(0, low), Math.min(1, high)] as const;
  return rowChart(rows, {
    title: 'Accuracy',
    note: 'large dots: means, small ones: trainings; ±: standard deviation over the seeds',
    x: { domain, ticks: percentTicks(domain, width < 600 ? 4 : 8), label: 'test clips right (%)' },
    width,
  });
}

function differenceChart(differing: Variants, { variants, runs }: PlottedComparison, width: number): Block {
  const baseline = variants[0]!;
  const accuracyAt = new Map(runsOf(runs, baseline.key).map((run) => [placeOf(run), run.accuracy]));
  const pairs = differing.map(({ key }) =>
    runsOf(runs, key).flatMap((run) => {
      const other = accuracyAt.get(placeOf(run));
      return other === undefined ? [] : [run.accuracy - other];
    }),
  );
  const rows = differing.map(({ name, difference }, i): Row => {
    const { mean, interval } = difference!;
    const value =
      interval === null ? signed(mean) : `${signed(mean)} (${signed(interval[0])} to ${signed(interval[1])})`;
    return {
      label: name,
      value,
      // An interval without 0 is what a reader looks for.
      strong: interval !== null && interval[0] * interval[1] > 0,
      draw: dotMark(mean, interval ?? [mean, mean], 'vermilion', pairs[i]!),
    };
  });
  const domain = padded(
    extent([0, ...pairs.flat(), ...differing.flatMap(({ difference }) => difference!.interval ?? [])]),
  );
  return rowChart(rows, {
    title: `Difference to ${baseline.name}`,
    note: 'line: 95% interval of the mean, paired by seed and fold; small dots: pairs; bold: the interval is without 0',
    x: {
      domain,
      ticks: percentTicks(domain, width < 600 ? 5 : 9),
      label: 'difference in accuracy (percentage points)',
    },
    rule: 0,
    width,
  });
}

function runsOf(runs: readonly ComparedRun[], key: string): ComparedRun[] {
  return runs.filter((run) => run.key === key);
}

function placeOf({ seed, fold }: ComparedRun): string {
  return `${seed} ${fold}`;
}

/** Percentage points with their sign. */
function signed(share: number): string {
  const points = (100 * Math.abs(share)).toFixed(1);
  return points === '0.0' ? points : `${share < 0 ? '\u2212' : '+'}${points}`;
}
