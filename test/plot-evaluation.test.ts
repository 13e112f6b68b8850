import { describe, expect, it } from 'vitest';
import { calibration, classMetrics, spread, wilsonInterval } from '../lib/evaluation/metrics.js';
import {
  type PlottedEpoch,
  type PlottedEvaluation,
  plotEvaluation,
  plotProtocol,
  plotTraining,
} from '../lib/plot/checked.js';
import { endLabels, moveApart } from '../lib/plot/panels.js';
import { linearScale, ticks } from '../lib/plot/scale.js';
import { group, parseFigure, pointsOf, textsOf } from './helpers/svg.js';
import { findAll, parseXml, textOf } from './helpers/xml.js';

function epochs(count: number, more: (epoch: number) => Partial<PlottedEpoch> = () => ({})): PlottedEpoch[] {
  return Array.from({ length: count }, (_, i) => ({
    epoch: i + 1,
    epochs: 20,
    train: { epoch: i + 1, loss: 2 / (i + 1), accuracy: 1 - 0.5 / (i + 1) },
    validation: { loss: 3 / (i + 1), accuracy: 0.9 },
    firingRates: [0.1, 0.2],
    best: i < 5,
    ...more(i + 1),
  }));
}

describe('plotTraining', () => {
  it('has a point for every epoch, where axis and value have it', () => {
    const root = parseFigure(plotTraining(epochs(8), { title: 'run' }));
    const panel = group(root, 'Loss');
    const [training, validation] = findAll(panel, 'path', 'blue').concat(findAll(panel, 'path', 'vermilion'));
    expect(pointsOf(training!)).toHaveLength(8);
    expect(findAll(panel, 'circle')).toHaveLength(16);
    const fives = textsOf(root).filter(
      ({ text, anchor, y }) => text === '4' && anchor === 'middle' && y > 500,
    );
    expect(pointsOf(validation!)[3]![0]).toBeCloseTo(fives[0]!.x, 0);
    // The validation loss of epoch n is 1.5 times that of the training.
    const [y1, y2] = [pointsOf(training!), pointsOf(validation!)].map((points) => points.map(([, y]) => y));
    const perLoss = (y1![7]! - y1![0]!) / (2 - 2 / 8);
    for (let i = 0; i < 8; i++) expect((y1![i]! - y2![i]!) / perLoss).toBeCloseTo(1 / (i + 1), 1);
  });

  it('marks the epoch that is kept, and says it', () => {
    const root = parseFigure(plotTraining(epochs(8)));
    expect(textsOf(root)[0]!.text).toBe(
      'Training: 8 of 20 epochs, that of epoch 5 kept (dashed), validation 90.0%',
    );
    const [mark] = findAll(group(root, 'Accuracy'), 'path', 'dashed');
    const [line] = findAll(group(root, 'Accuracy'), 'path', 'blue');
    expect(pointsOf(mark!)[0]![0]).toBeCloseTo(pointsOf(line!)[4]![0], 0);
  });

  it('has the test where it was measured, and no validation where there was none', () => {
    const measured = epochs(3, () => ({ validation: null, test: { loss: 1, accuracy: 0.5 } }));
    const text = textOf(group(parseFigure(plotTraining(measured)), 'Loss'));
    expect(text).toContain('test');
    expect(text).not.toContain('validation');
  });

  it.each([
    ['no epoch', []],
    ['one epoch', epochs(1)],
    ['one of one', epochs(1, () => ({ epochs: 1 }))],
    ['a thousand', epochs(1000, () => ({ epochs: 1000 }))],
    [
      'silent layers and no loss',
      epochs(4, () => ({ firingRates: [0, 0], train: { epoch: 1, loss: 0, accuracy: 0 } })),
    ],
  ])('%s', (_, given) => {
    for (const width of [320, 960]) parseFigure(plotTraining(given, { width }));
  });
});

function evaluation(
  labels: string[],
  confusion: number[][],
  more: Partial<PlottedEvaluation> = {},
): PlottedEvaluation {
  const clips = confusion.flat().reduce((sum, count) => sum + count, 0);
  const right = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  const answers = Array.from({ length: clips }, (_, i) => ({
    confidence: (i + 1) / clips,
    right: i % 3 > 0,
  }));
  return {
    labels,
    confusion,
    clips,
    accuracy: right / clips,
    interval: wilsonInterval(right, clips),
    perSpeaker: { ann: { clips: 40, accuracy: 0.9 }, bob: { clips: 10, accuracy: 0.8 } },
    calibration: calibration(answers),
    ...more,
  };
}

describe('plotEvaluation', () => {
  it('shows every count, the fuller the greater its share of the row', () => {
    const confusion = [
      [18, 2, 0],
      [0, 7, 1],
      [0, 0, 0],
    ];
    const root = parseFigure(plotEvaluation(evaluation(['yes', 'no', 'stop'], confusion), { title: 'm' }));
    const cell = (i: number, j: number) => {
      const label = ['yes', 'no', 'stop'];
      return group(root, `${label[i]}, predicted ${label[j]}:`);
    };
    for (const [i, row] of confusion.entries()) {
      for (const [j, count] of row.entries()) {
        if (count === 0) {
          expect(() => cell(i, j)).toThrow();
          continue;
        }
        expect(textOf(findAll(cell(i, j), 'text')[0]!)).toBe(String(count));
        const { x, y, width, height, ...rest } = findAll(cell(i, j), 'rect')[0]!.attributes;
        expect([width, height]).toEqual(['40', '40']);
        expect(rest.class).toBe(i === j ? 'blue' : 'vermilion');
        const first = findAll(cell(0, 0), 'rect')[0]!.attributes;
        expect([Number(x) - Number(first.x), Number(y) - Number(first.y)]).toEqual([40 * j, 40 * i]);
      }
    }
    const opacity = (i: number, j: number) =>
      Number(findAll(cell(i, j), 'rect')[0]!.attributes['fill-opacity']);
    expect(opacity(0, 0)).toBeGreaterThan(opacity(1, 1));
    expect(opacity(1, 2)).toBeGreaterThan(opacity(0, 1));
    const all = textOf(root);
    expect(all).toContain('yes → no (2), no → stop (1)');
    for (const recall of ['90.0%', '87.5%', '–']) expect(all).toContain(recall);
  });

  it('shows speakers with their intervals, the worst first', () => {
    const root = parseFigure(
      plotEvaluation(
        evaluation(
          ['a', 'b'],
          [
            [9, 1],
            [2, 8],
          ],
        ),
      ),
    );
    const [bob, ann] = ['bob: 80.0% of 10', 'ann: 90.0% of 40'].map((name) => group(root, name));
    const y = (of: typeof bob) => Number(findAll(of!, 'circle')[0]!.attributes.cy);
    expect(y(bob)).toBeLessThan(y(ann));
    const x = (of: typeof bob) => Number(findAll(of!, 'circle')[0]!.attributes.cx);
    const perShare = (x(ann) - x(bob)) / 0.1;
    const [, low, high] = /M([\d.]+) [\d.]+H([\d.]+)/
      .exec(findAll(bob!, 'path')[0]!.attributes.d!)!
      .map(Number);
    const [least, most] = wilsonInterval(8, 10);
    expect((low! - x(bob)) / perShare).toBeCloseTo(least - 0.8, 2);
    expect((high! - x(bob)) / perShare).toBeCloseTo(most - 0.8, 2);
  });

  it('shows the bins of the confidence', () => {
    const answers = [
      ...Array.from({ length: 10 }, (_, i) => ({ confidence: 0.95, right: i < 9 })),
      { confidence: 0.5, right: false },
    ];
    const found = evaluation(
      ['a', 'b'],
      [
        [5, 1],
        [0, 5],
      ],
      { calibration: calibration(answers) },
    );
    const root = parseFigure(plotEvaluation(found));
    group(root, 'confidence 95.0%, right 90.0%, 10 clips');
    group(root, 'confidence 50.0%, right 0.0%, 1 clips');
    expect(textOf(root)).toContain('expected calibration error 9.1%');
  });

  it.each([1, 2, 10, 30, 35, 60, 100, 250])('%d labels, all of them text of the figure', (count) => {
    const labels = Array.from({ length: count }, (_, i) => `word <${i}> ${'x'.repeat(i % 9)}`);
    const confusion = labels.map((_, i) =>
      labels.map((__, j) => (i === j ? 300 : (i * j) % 97 === 1 ? 4 : 0)),
    );
    const perSpeaker = Object.fromEntries(labels.map((label) => [label, { clips: 30, accuracy: 1 }]));
    for (const width of [360, 960]) {
      const root = parseFigure(plotEvaluation(evaluation(labels, confusion, { perSpeaker }), { width }));
      const cells = findAll(root, 'rect', 'blue').filter(
        ({ attributes }) => attributes['fill-opacity'] !== undefined,
      );
      expect(cells.length).toBeGreaterThanOrEqual(count - 1);
      for (const { attributes } of findAll(root, 'rect')) {
        expect(Number(attributes.x ?? 0) + Number(attributes.width)).toBeLessThanOrEqual(width + 0.1);
      }
      for (const { x } of textsOf(root)) expect(x).toBeLessThan(width);
    }
  });
});

describe('plotProtocol', () => {
  const labels = ['a', 'b'];
  const confusion = [
    [8, 2],
    [1, 9],
  ];
  const run = (fold: number, seed: number, accuracy: number) =>
    ({ fold, seed, accuracy, perSpeaker: { [`s${fold}`]: { clips: 10, accuracy } } }) as never;
  const summary = {
    accuracy: spread([0.8, 0.9]),
    perFold: [1, 2].map((fold) => ({
      fold,
      accuracy: spread([0.7, 0.9]),
      clips: 10,
      speakers: [`s${fold}`],
    })),
    perSpeaker: { s1: { clips: 10, accuracy: spread([0.7, 0.9]) } },
    confusion,
    perClass: classMetrics(labels, confusion),
    calibration: calibration([{ confidence: 0.9, right: true }]),
  } as never;
  const result = { protocol: 'leave-one-speaker-out', labels, seeds: [0, 1], folds: [1, 2] } as const;

  it('shows every training of a fold, and their mean', () => {
    const runs = [run(1, 0, 0.7), run(1, 1, 0.9), run(2, 0, 0.7), run(2, 1, 0.9)];
    const root = parseFigure(plotProtocol({ ...result, seeds: [0, 1], folds: [1, 2], runs, summary }));
    const fold = group(root, 'fold 1: s1: 80.0% of 10');
    const [low, high, mean] = findAll(fold, 'circle').map(({ attributes }) => Number(attributes.cx));
    expect(mean).toBeCloseTo((low! + high!) / 2, 0);
    // Every fold is a speaker.
    expect(textOf(root)).not.toContain('Accuracy by speaker');
    expect(textsOf(root)[0]!.text).toContain('85.0% right ± 7.1, standard deviation over 2 seeds');
  });

  it('calls the protocol of a file of version 0.1.0 what it is called today', () => {
    const old = { ...result, protocol: 'loso' as never, seeds: [0], folds: [1], runs: [], summary: null };
    expect(textOf(parseFigure(plotProtocol(old)))).toContain('Protocol leave-one-speaker-out');
  });

  it('says so before the first training has ended', () => {
    const empty = { ...result, seeds: [0], folds: [1], runs: [], summary: null };
    expect(textOf(parseFigure(plotProtocol(empty)))).toContain('no training has ended');
  });
});

describe('scales and labels', () => {
  it.each([
    [[0, 1], 5, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [[-0.00625, 0.6], 10, ['0', '0.05', '0.10', '0.15']],
    [[0, 94.5], 4, ['0', '20', '40', '60', '80']],
    [[-12, 3], 3, ['\u221210', '\u22125', '0']],
    [[5, 5], 3, ['5']],
  ] as const)('ticks of %j, about %d', (domain, about, expected) => {
    expect(
      ticks(domain, about)
        .map(({ label }) => label)
        .slice(0, expected.length),
    ).toEqual(expected);
  });

  it('ticks are within their domain, whatever it is', () => {
    for (const domain of [
      [1e-9, 2e-9],
      [-1e12, 1e12],
      [0, 1e-300],
      [3, 3.0000001],
      [0.1, 0.30000000000000004],
    ] as const) {
      const found = ticks(domain, 5);
      expect(found.length).toBeLessThan(20);
      const slack = (domain[1] - domain[0]) * 1e-6;
      for (const { value } of found) {
        expect(value).toBeGreaterThanOrEqual(domain[0] - slack);
        expect(value).toBeLessThanOrEqual(domain[1] + slack);
      }
    }
  });

  it('labels that would meet are moved apart, as little as can be', () => {
    expect(moveApart([10, 50, 90], 13, [0, 100])).toEqual([10, 50, 90]);
    expect(moveApart([50, 50, 50], 10, [0, 100])).toEqual([40, 50, 60]);
    expect(moveApart([98, 99], 10, [0, 100])).toEqual([90, 100]);
    expect(moveApart([1, 2], 10, [0, 100])).toEqual([0, 10]);
    const area = { x: 0, y: 0, width: 100, height: 140 };
    const y = linearScale([0, 1], [140, 0]);
    const ends = Array.from({ length: 10 }, (_, i) => ({ label: `l${i}`, y: y(0.5), class: 'muted' }));
    const root = parseXml(`<g>${endLabels(ends, area, { x: 100, width: 50 })}</g>`);
    const places = findAll(root, 'text').map(({ attributes }) => Number(attributes.y));
    for (let i = 1; i < places.length; i++) expect(places[i]! - places[i - 1]!).toBeGreaterThan(12);
    expect(Math.min(...places)).toBeGreaterThan(0);
    expect(Math.max(...places)).toBeLessThan(140);
  });
});
