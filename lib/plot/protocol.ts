import type { Spread } from '../evaluation/metrics.js';
import type { ProtocolResult } from '../protocol/evaluate-protocol.js';
import type { ProtocolSummary } from '../protocol/summary.js';
import { percent } from '../support/text.js';
import { dotMark, type Row, rowChart } from './bars.js';
import { confusionBlock } from './confusion.js';
import { percentAxis, reliabilityBlock } from './evaluation.js';
import { type Block, type FigureOptions, figure, figureWidth } from './figure.js';

/** What a plot needs of a protocol's result. */
export type PlottedProtocol = Pick<
  ProtocolResult,
  'protocol' | 'labels' | 'seeds' | 'folds' | 'runs' | 'summary'
>;

/** Speakers that are named beside the number of their fold. */
const NAMED = 2;

/**
 * Draws what a protocol found as an SVG document: accuracy of every fold and speaker with the spread over the seeds,
 * confusion matrix, and how far the confidences can be believed.
 */
export function plotProtocol(result: PlottedProtocol, options: FigureOptions = {}): string {
  const { protocol, labels, seeds, summary } = result;
  const { title = `Protocol ${protocol}` } = options;
  const width = figureWidth(options.width);
  if (summary === null) {
    const heading = `${title}: no training has ended`;
    return figure([], { width, title: heading, description: heading });
  }
  const { accuracy } = summary;
  const deviation =
    accuracy.deviation === null
      ? ''
      : ` ± ${(100 * accuracy.deviation).toFixed(1)}, standard deviation over ${seeds.length} seeds`;
  const heading = `${title}: ${percent(accuracy.mean)} right${deviation}`;
  const blocks = [
    foldChart(result, summary, width),
    ...speakerChart(result, summary, width),
    confusionBlock({ labels, confusion: summary.confusion }, width),
    reliabilityBlock(summary, width),
  ];
  return figure(blocks, { width, title: heading, description: `${heading}. ${describe(summary)}` });
}

function describe({ perFold }: ProtocolSummary): string {
  return `By fold: ${perFold.map(({ fold, accuracy }) => `${fold} ${percent(accuracy.mean)}`).join(', ')}.`;
}

function foldChart({ runs }: PlottedProtocol, { perFold, accuracy }: ProtocolSummary, width: number): Block {
  const rows = perFold.map((of) => {
    const { fold, speakers, clips } = of;
    const who = speakers.length === 0 || speakers.length > NAMED ? '' : `: ${speakers.join(', ')}`;
    const parts = runs.filter((run) => run.fold === fold).map((run) => run.accuracy);
    return row(`fold ${fold}${who}`, of.accuracy, clips, parts);
  });
  return spreadChart('Accuracy by fold', rows, perFold, accuracy.mean, width);
}

/** Left out where every fold is a speaker. */
function speakerChart({ runs }: PlottedProtocol, summary: ProtocolSummary, width: number): Block[] {
  const { perSpeaker, perFold, accuracy } = summary;
  const found = Object.entries(perSpeaker).sort(([, a], [, b]) => a.accuracy.mean - b.accuracy.mean);
  if (found.length === 0 || (perFold.length > 1 && perFold.every(({ speakers }) => speakers.length === 1)))
    return [];
  const rows = found.map(([name, of]) => {
    const parts = runs.flatMap((run) => run.perSpeaker[name]?.accuracy ?? []);
    return row(name, of.accuracy, of.clips, parts);
  });
  const all = found.map(([, of]) => of);
  return [spreadChart('Accuracy by speaker', rows, all, accuracy.mean, width)];
}

function row(label: string, { mean, min, max }: Spread, clips: number, parts: readonly number[]): Row {
  const value = `${percent(mean)} of ${clips}`;
  return { label, value, draw: dotMark(mean, [min, max], 'blue', parts) };
}

function spreadChart(
  title: string,
  rows: Row[],
  of: readonly { accuracy: Spread }[],
  mean: number,
  width: number,
) {
  const least = Math.min(...of.map(({ accuracy }) => accuracy.min));
  return rowChart(rows, {
    title,
    note: 'large dots: means over the seeds, small ones: trainings; dashed: mean of all',
    x: percentAxis(least, 'clips right (%)'),
    rule: mean,
    width,
  });
}
