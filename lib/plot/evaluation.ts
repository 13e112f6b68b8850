import type { Scored } from '../evaluation/clip-results.js';
import { wilsonInterval } from '../evaluation/metrics.js';
import { percent } from '../support/text.js';
import { dotMark, type Row, rowChart } from './bars.js';
import { confusionBlock } from './confusion.js';
import { type Block, type FigureOptions, figure, figureWidth } from './figure.js';
import { panelStack } from './panels.js';
import { reliabilityPanels } from './reliability.js';
import { percentTicks } from './scale.js';

/** What a plot needs of an evaluation. */
export type PlottedEvaluation = Pick<
  Scored,
  'accuracy' | 'interval' | 'clips' | 'labels' | 'confusion' | 'perSpeaker' | 'calibration'
>;

/**
 * Draws what an evaluation found as an SVG document: confusion matrix, accuracy of every speaker with its 95% interval,
 * and how far the confidences can be believed.
 */
export function plotEvaluation(found: PlottedEvaluation, options: FigureOptions = {}): string {
  const { title = 'Evaluation' } = options;
  const width = figureWidth(options.width);
  const { accuracy, interval, clips } = found;
  const [low, high] = interval;
  const heading = `${title}: ${percent(accuracy)} right (95% interval ${percent(low)} to ${percent(high)}, ${clips} clips)`;
  const blocks = [confusionBlock(found, width), ...speakers(found, width), reliabilityBlock(found, width)];
  return figure(blocks, { width, title: heading, description: `${heading}. ${describe(found)}` });
}

function describe({ perSpeaker, calibration }: PlottedEvaluation): string {
  const each = Object.entries(perSpeaker).map(([name, { accuracy }]) => `${name} ${percent(accuracy)}`);
  const bySpeaker = each.length === 0 ? '' : `By speaker: ${each.join(', ')}. `;
  return `${bySpeaker}Expected calibration error ${percent(calibration.error)}.`;
}

/** The worst first. */
function speakers({ perSpeaker, accuracy: overall }: PlottedEvaluation, width: number): Block[] {
  const found = Object.entries(perSpeaker).map(([name, { clips, accuracy }]) => {
    const interval = wilsonInterval(Math.round(accuracy * clips), clips);
    return { name, clips, accuracy, interval };
  });
  if (found.length === 0) return [];
  found.sort((a, b) => a.accuracy - b.accuracy);
  const rows = found.map(
    ({ name, clips, accuracy, interval }): Row => ({
      label: name,
      value: `${percent(accuracy)} of ${clips}`,
      draw: dotMark(accuracy, interval, 'blue'),
    }),
  );
  const least = Math.min(...found.map(({ interval }) => interval[0]));
  return [
    rowChart(rows, {
      title: 'Accuracy by speaker',
      note: 'with 95% intervals; dashed: all clips',
      x: percentAxis(least, 'clips right (%)'),
      rule: overall,
      width,
    }),
  ];
}

/** @internal From a round share at or below the least to 100%. */
export function percentAxis(least: number, label: string) {
  const domain = [Math.max(0, Math.min(0.9, Math.floor(least * 10) / 10)), 1] as const;
  return { domain, ticks: percentTicks(domain, 5), label };
}

/** @internal */
export function reliabilityBlock({ calibration }: Pick<Scored, 'calibration'>, width: number): Block {
  const x = { domain: [0, 1] as const, ticks: percentTicks([0, 1], 5), label: 'confidence (%)' };
  return panelStack(reliabilityPanels(calibration), x, Math.min(width, 640));
}
