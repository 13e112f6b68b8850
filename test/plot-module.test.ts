// What holds for the plots as a whole: who can load them, what they refuse, and the page.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createModel, presetSettings } from '../lib/index.js';
import {
  type FigureOptions,
  type ObservationPlotOptions,
  plotEvaluation,
  plotObservation,
  plotPage,
  plotProtocol,
  plotTraining,
} from '../lib/plot/checked.js';
import { makeObservation, plotSettings } from './helpers/observation.js';

/** The scripts that one loads, with those that they load. */
function reached(script: string, found = new Set<string>()): Set<string> {
  if (found.has(script)) return found;
  found.add(script);
  const source = readFileSync(script, 'utf8');
  for (const [, target] of source.matchAll(/(?:from|import)\s*\(?'([^']+)'/g)) {
    if (!target!.startsWith('.')) throw new Error(`${script} imports ${target}`);
    reached(join(dirname(script), target!), found);
  }
  return found;
}

describe('a browser can load', () => {
  it('the figure of an observation, from folders without the addon', () => {
    const folders = [...reached(resolve('dist/plot/observation.js'))].map((script) => dirname(script));
    expect(folders.length).toBeGreaterThan(10);
    const wanted = ['plot', 'settings', 'support'].map((folder) => resolve('dist', folder));
    expect(new Set(folders)).toEqual(new Set(wanted));
  });

  it('all of them, with what reckons intervals', () => {
    const outside = [...reached(resolve('dist/plot/index.js'))].filter(
      (file) => dirname(file) !== resolve('dist/plot'),
    );
    const wanted = [
      'evaluation/metrics',
      'settings/choices',
      'settings/shapes',
      'support/mel',
      'support/text',
    ];
    expect(outside.sort()).toEqual(wanted.map((name) => resolve('dist', `${name}.js`)));
  });
});

describe('what cannot be drawn is refused', () => {
  const settings = plotSettings(['yes', 'no'], [{ neurons: 3 }]);
  const seen = makeObservation(settings, { frames: 4, potential: () => 0 });
  const refused = expect.objectContaining({ name: 'SonospikeError', code: 'ERR_INVALID_OPTION' });

  it.each<[string, Partial<ObservationPlotOptions> & Record<string, unknown>]>([
    ['an unknown option', { colour: 'red' }],
    ['a width that is too small', { width: 100 }],
    ['a width that is no number', { width: Number.NaN }],
    ['a title that is no text', { title: 7 as never }],
    ['samples without their rate', { samples: new Float32Array(5) }],
    ['a rate without samples', { sampleRate: 8000 }],
    ['samples of another kind', { samples: [1, 2] as never, sampleRate: 8000 }],
    ['a rate of 0', { samples: new Float32Array(5), sampleRate: 0 }],
    ['no settings', { settings: undefined as never }],
    ['settings of another model', { settings: plotSettings(['yes', 'no'], [{ neurons: 4 }]) }],
    ['settings with other labels', { settings: plotSettings(['a', 'b', 'c'], [{ neurons: 3 }]) }],
    ['settings with more layers', { settings: plotSettings(['yes', 'no'], [{ neurons: 3 }, {}]) }],
  ])('%s', (_, options) => {
    expect(() => plotObservation(seen, { settings, ...options })).toThrow(refused);
  });

  it.each([
    [undefined],
    [null],
    [{}],
    [7],
    [{ ...seen, layers: [{}] }],
    [{ ...seen, readout: null }],
    [{ ...seen, firingRates: undefined }],
  ])('an observation that is %j', (observation) => {
    expect(() => plotObservation(observation as never, { settings })).toThrow(refused);
  });

  it.each([[undefined], [null], ['x'], [{}], [[{}]], [{ labels: ['a'], confusion: [[1, 2]] }]])(
    'as a training, an evaluation or a protocol: %j',
    (given) => {
      expect(() => plotTraining(given as never)).toThrow(refused);
      expect(() => plotEvaluation(given as never)).toThrow(refused);
      expect(() => plotProtocol(given as never)).toThrow(refused);
      expect(() => plotTraining([], { wide: true } as FigureOptions)).toThrow(refused);
    },
  );

  it('settings that were given as they are in the model are not', async () => {
    const model = await createModel(presetSettings('default', ['yes', 'no']), { seed: 1 });
    const samples = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i / 5));
    const observation = await model.observe({ samples, sampleRate: 8000 });
    expect(plotObservation(observation, { settings: model.settings })).toContain('</svg>');
  });
});

describe('plotPage', () => {
  const svg = plotTraining([]);

  it('holds all figures, and loads and runs nothing', () => {
    const page = plotPage('two <clips>', [
      { name: 'a"><script>', svg },
      { name: 'b', svg },
    ]);
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(page).not.toContain('<script');
    expect(page).toContain('two &lt;clips&gt;');
    expect(page).toContain('href="#plot-2"');
    expect(page).toContain('id="plot-2"');
    // Nothing from elsewhere: the only addresses are the name of SVG and those within the page.
    const addresses = page.match(/(?:https?:|href=|src=|url\()[^\s>]*/g)!;
    expect(new Set(addresses)).toEqual(
      new Set(['http://www.w3.org/2000/svg"', 'href="#plot-1"', 'href="#plot-2"']),
    );
    expect(page).not.toContain('refresh');
  });

  it.each([
    ['', []],
    ['x', [{ name: 'a' }]],
    ['x', [{ name: 'a', svg: '<svg/>', more: 1 }]],
    ['x', 7],
  ])('refuses %j with %j', (title, entries) => {
    expect(() => plotPage(title, entries as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
    );
  });
});
