import { type Calibration, wilsonInterval } from '../evaluation/metrics.js';
import { percent } from '../support/text.js';
import { bar, named } from './figure.js';
import type { Panel } from './panels.js';
import { percentTicks, wholeTicks } from './scale.js';
import { FONT } from './style.js';
import { line, short, text, textWidth } from './svg.js';

/** Accuracy over confidence, bin by bin, and below it how many clips each bin has; on an axis from 0 to 1. */
export function reliabilityPanels({ error, bins }: Calibration): Panel[] {
  const most = Math.max(1, ...bins.map(({ clips }) => clips));
  return [
    {
      title: 'Reliability of the confidence',
      note: `expected calibration error ${(100 * error).toFixed(1)}%; dashed: as confident as right`,
      height: 200,
      // Dots at the ends have room.
      y: { domain: [-0.04, 1.04], ticks: percentTicks([0, 1], 5), label: 'clips right (%)' },
      ruled: true,
      draw({ x, y }) {
        const found = bins.flatMap(({ clips, confidence, accuracy }) => {
          if (confidence === null || accuracy === null) return [];
          const [low, high] = wilsonInterval(Math.round(accuracy * clips), clips);
          const radius = 3 + 5 * Math.sqrt(clips / most);
          const dot = `<circle class="blue" fill="currentColor" cx="${short(x(confidence))}" cy="${short(y(accuracy))}" r="${short(radius)}"/>`;
          const span = line(x(confidence), y(low), x(confidence), y(high), 'line blue');
          const name = `confidence ${percent(confidence)}, right ${percent(accuracy)}, ${clips} clips`;
          return [named(name, span + dot)];
        });
        return line(x(0), y(0), x(1), y(1), 'line dashed faint') + found.join('');
      },
    },
    {
      title: 'Clips by confidence',
      height: 60,
      y: { domain: [0, most * 1.25], ticks: wholeTicks([0, most], 2), label: 'clips' },
      draw: ({ x, y }) =>
        bins
          .filter(({ clips }) => clips > 0)
          .map(({ from, to, clips }) => {
            const area = { x: x(from) + 1, y: y(clips), width: x(to) - x(from) - 2, height: y(0) - y(clips) };
            const count = String(clips);
            const fits = textWidth(count, FONT.body) < area.width + 2;
            const label = fits ? text(area.x + area.width / 2, area.y - 3, count, { anchor: 'middle' }) : '';
            return named(`${count} clips`, bar(area, 'blue')) + label;
          })
          .join(''),
    },
  ];
}
