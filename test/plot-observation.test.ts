import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createModel, loadModel, presetSettings, readAudio } from '../lib/index.js';
import { plotObservation } from '../lib/plot/checked.js';
import { plotObservation as draw } from '../lib/plot/observation.js';
import { makeObservation, plotSettings } from './helpers/observation.js';
import { bitmapOf, dashesOf, group, parseFigure, placeOf, pointsOf, textsOf } from './helpers/svg.js';
import { DIGITS, SAMPLES } from './helpers/training.js';
import { findAll, textOf, type XmlElement } from './helpers/xml.js';

const seven = join(SAMPLES, '7_kal_0.wav');
const WORDS = ['yes', 'no', 'stop'];
/** Pixels of the figure's plot areas. */
const [LEFT, RIGHT] = [66, 960 - 104];

function raster(root: XmlElement, title: string): XmlElement {
  return findAll(group(root, title), 'path', 'raster')[0]!;
}

function image(root: XmlElement, title: string): XmlElement {
  return findAll(group(root, title), 'image')[0]!;
}

/** Draws numbers that look random and are the same every time. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('spikes', () => {
  const random = noise(7);
  const spikes = Array.from({ length: 2 }, () => Array.from({ length: 30 * 9 }, () => random() < 0.2));
  const settings = plotSettings(WORDS, [{ neurons: 9 }, { neurons: 9 }]);
  const spike = (k: number, t: number, i: number) => Number(spikes[k]![t * 9 + i]!);
  const root = parseFigure(
    plotObservation(makeObservation(settings, { frames: 30, spike, potential: () => 0 }), { settings }),
  );

  it.each([0, 1])('of layer %d are all drawn, each in its step and row', (k) => {
    const drawn = dashesOf(raster(root, `Layer ${k + 1}`)).flatMap(({ row, start, length }) =>
      Array.from({ length }, (_, i) => (start + i) * 9 + row),
    );
    const expected = [...spikes[k]!.keys()].filter((i) => spikes[k]![i]);
    expect(drawn.sort((a, b) => a - b)).toEqual(expected);
  });

  it('lie where the axis of time has their step, the first neuron at the bottom', () => {
    const place = placeOf(raster(root, 'Layer 1'));
    const hop = settings.frontend.hopLength / settings.sampleRate;
    const ticks = textsOf(root).filter(({ text, y }) => /^0\.\d+$/.test(text) && y > place(0, 0)[1]);
    expect(ticks.length).toBeGreaterThan(2);
    for (const { text, x } of ticks.filter(({ x }) => x < RIGHT && x > LEFT).slice(0, 3)) {
      // Step t, whose frame is around sample t x hop, begins half a hop before it.
      const step = Number(text) / hop + 0.5;
      expect(place(step, 0)[0]).toBeCloseTo(x, 0);
    }
    expect(place(0, 0)[0]).toBe(LEFT);
    expect(place(30, 0)[0]).toBeCloseTo(RIGHT, 1);
    expect(place(0, 0)[1]).toBeGreaterThan(place(0, 8)[1]);
  });

  it('of a delta encoding have a colour for up and one for down', () => {
    const delta = plotSettings(WORDS, [{}], {
      encoding: { type: 'delta', stepsPerFrame: 2, threshold: 0.1 },
    });
    const input = (t: number, channel: number) => Number((t + channel) % 3 === 0);
    const seen = makeObservation(delta, { frames: 5, input, potential: () => 0 });
    const found = findAll(
      group(parseFigure(plotObservation(seen, { settings: delta })), 'Input: delta encoding'),
      'path',
      'raster',
    );
    const count = (path: XmlElement) => dashesOf(path).reduce((sum, { length }) => sum + length, 0);
    const expected = [0, 0];
    for (const [i, value] of seen.input.data.entries()) expected[i % 2]! += value;
    expect(found.map(count)).toEqual(expected);
    expect(found.map(({ attributes }) => attributes.class)).toEqual(['raster blue', 'raster vermilion']);
  });

  it('of a silent layer are none, and it says so', () => {
    const seen = makeObservation(settings, { frames: 3, potential: () => 0 });
    const silent = parseFigure(plotObservation(seen, { settings }));
    expect(findAll(silent, 'path', 'raster')).toEqual([]);
    expect(textOf(group(silent, 'Layer 2'))).toContain('silent');
  });

  it('that are soft become colours, by value', () => {
    const soft = plotSettings(WORDS, [{ neurons: 5, spike: { type: 'soft', slope: 1 } }]);
    const seen = makeObservation(soft, { frames: 7, spike: (_, t, i) => (t + i) / 16, potential: () => 0 });
    const bitmap = bitmapOf(image(parseFigure(plotObservation(seen, { settings: soft })), 'Layer 1'));
    expect([bitmap.width, bitmap.height]).toEqual([7, 5]);
    for (let t = 0; t < 7; t++) {
      for (let i = 0; i < 5; i++) expect(bitmap.at(t, 4 - i)).toBe(Math.round((255 * (t + i)) / 16));
    }
  });

  it('that are too many become means of blocks, and it says of how many', () => {
    const wide = plotSettings(WORDS, [{ neurons: 3200 }]);
    const seen = makeObservation(wide, {
      frames: 1640,
      spike: (_, t, i) => Number((i < 1600 ? t % 4 === 0 : t % 2 === 0) && t < 820),
      potential: () => 0,
    });
    const svg = plotObservation(seen, { settings: wide });
    const layer = group(parseFigure(svg), 'Layer 1');
    expect(textOf(layer)).toContain('thinned: a dot is the mean of 20 rows × 2 steps');
    const bitmap = bitmapOf(findAll(layer, 'image')[0]!);
    expect([bitmap.width, bitmap.height]).toEqual([820, 160]);
    // Of the upper half half of the columns are full, of the lower one a quarter are.
    expect([bitmap.at(0, 0), bitmap.at(1, 0), bitmap.at(0, 159), bitmap.at(1, 159)]).toEqual([
      255, 255, 255, 0,
    ]);
    expect(bitmap.at(500, 0)).toBe(0);
    expect(svg.length).toBeLessThan(1_000_000);
  });
});

describe('the readout', () => {
  it('has a line through the potentials of each class, the best one emphasised', () => {
    const settings = plotSettings(WORDS, [{}]);
    const potential = (t: number, c: number) => t * (c - 1);
    const seen = makeObservation(settings, { frames: 11, potential, softmax: [0.1, 0.2, 0.7] });
    const panel = group(parseFigure(plotObservation(seen, { settings })), 'Readout');
    const lines = findAll(panel, 'path', 'line');
    expect(lines).toHaveLength(3);
    const widths = lines.map(({ attributes }) => Number(attributes['stroke-width']));
    expect(widths.at(-1)).toBe(Math.max(...widths));
    // Ticks of the axis tell what a height is worth.
    const ticks = textsOf(panel).filter(({ text, anchor }) => anchor === 'end' && /^[\u2212\d]/.test(text));
    const worth = (text: string) => Number(text.replace('\u2212', '-'));
    const [low, high] = [ticks[0]!, ticks.at(-1)!];
    const perPixel = (worth(high.text) - worth(low.text)) / (high.y - low.y);
    // From the least to the best.
    for (const [c, path] of lines.entries()) {
      const points = pointsOf(path);
      expect(points).toHaveLength(11);
      for (const [t, [, y]] of points.entries()) {
        const value = worth(low.text) + (y + 3.8 - low.y) * perPixel;
        expect(Math.abs(value - potential(t, c))).toBeLessThan(0.05);
      }
    }
  });

  it('counts spikes where there is no potential', () => {
    const settings = plotSettings(['a', 'b'], [{ neurons: 2 }]);
    settings.network.readout = { type: 'spike-count' };
    const seen = makeObservation(settings, {
      frames: 10,
      spike: (_, t, i) => Number(i === 1 && t % 2 === 0),
      softmax: [0.2, 0.8],
    });
    const panel = group(parseFigure(plotObservation(seen, { settings })), 'Readout: spikes so far');
    const [none, five] = findAll(panel, 'path', 'line').map((path) => pointsOf(path).map(([, y]) => y));
    expect(new Set(none).size).toBe(1);
    expect(new Set(five).size).toBe(5);
    expect(textOf(panel)).toContain('b');
  });
});

describe('the features', () => {
  it('have a row for each, the lowest at the bottom', () => {
    const settings = plotSettings(WORDS, [{}]);
    const feature = (frame: number, f: number) => frame + 100 * f;
    const seen = makeObservation(settings, { frames: 6, feature, potential: () => 0 });
    const bitmap = bitmapOf(image(parseFigure(plotObservation(seen, { settings })), 'Features'));
    const most = feature(5, 19);
    for (let frame = 0; frame < 6; frame++) {
      for (let f = 0; f < 20; f++) {
        expect(bitmap.at(frame, 19 - f)).toBe(Math.round((255 * feature(frame, f)) / most));
      }
    }
  });

  it('of mel bands have an axis in Hz', () => {
    const settings = presetSettings('default', WORDS);
    const seen = makeObservation(settings, { frames: 6, potential: () => 0 });
    const panel = group(parseFigure(plotObservation(seen, { settings })), 'Features: mel bands');
    const at = image(panel, 'Features');
    const [top, height] = [Number(at.attributes.y), Number(at.attributes.height)];
    const tick = textsOf(panel).find(({ text }) => text === '1000')!;
    // HTK: band b of 40 has its centre at (b + 1)/41 of the way from 60 to 4000 Hz in mel.
    const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
    const band = ((mel(1000) - mel(60)) / (mel(4000) - mel(60))) * 41 - 1;
    expect(tick.y - 3.8).toBeCloseTo(top + height - ((band + 0.5) * height) / 40, 1);
    expect(textOf(panel)).toContain('\u221250 dB');
  });
});

describe('the waveform', () => {
  const settings = plotSettings(WORDS, [{}]);

  it('lies where its samples are in time, and says how loud it is', () => {
    const samples = new Float32Array(16_000);
    samples[4000] = 0.5;
    const seen = makeObservation(settings, { frames: 80, potential: () => 0 });
    const panel = group(
      parseFigure(plotObservation(seen, { settings, samples, sampleRate: 16_000 })),
      'Waveform',
    );
    expect(textOf(panel)).toContain('1.00 s at 16 kHz');
    expect(textOf(panel)).toContain('peak \u22126.0 dBFS');
    const dashes = [
      ...findAll(panel, 'path', 'line')[0]!.attributes.d!.matchAll(/M([\d.]+) ([\d.]+)V([\d.]+)/g),
    ];
    const tall = dashes.filter(([, , upper, lower]) => Number(lower) - Number(upper) > 5);
    // 80 frames of 12.5 ms from half a frame before the clip.
    const x = LEFT + ((0.25 + 0.00625) / 1) * (RIGHT - LEFT);
    for (const [, at] of tall) expect(Math.abs(Number(at) - x)).toBeLessThan(2);
    expect(tall.length).toBeGreaterThan(0);
  });

  it('is that of the part that was heard', () => {
    const samples = Int16Array.from({ length: 48_000 }, (_, i) => (i >= 30_000 && i < 32_000 ? 16_384 : 0));
    const seen = makeObservation(settings, { frames: 20, first: 140, potential: () => 0 });
    const panel = group(
      parseFigure(plotObservation(seen, { settings, samples, sampleRate: 16_000 })),
      'Waveform',
    );
    expect(textOf(panel)).toContain('heard from 1.74 to 1.99 s');
    expect(textOf(panel)).toContain('peak \u22126.0 dBFS');
  });

  it('of silence is a line', () => {
    const seen = makeObservation(settings, { frames: 4, potential: () => 0 });
    const options = { settings, samples: new Float32Array(800), sampleRate: 16_000 };
    expect(textOf(group(parseFigure(plotObservation(seen, options)), 'Waveform'))).toContain('silent');
  });
});

describe('the softmax', () => {
  it('have a bar for every label, as long as its share', () => {
    const settings = plotSettings(WORDS, [{}]);
    const seen = makeObservation(settings, {
      frames: 3,
      potential: () => 0,
      softmax: [0.25, 0.5, 0.25],
    });
    const root = parseFigure(plotObservation(seen, { settings, truth: 'stop' }));
    const widths = WORDS.map((word) =>
      Number(findAll(group(root, `${word}: `), 'rect')[0]!.attributes.width),
    );
    expect(widths[1]).toBeCloseTo((RIGHT - LEFT) / 2, 1);
    expect(widths[0]).toBeCloseTo(widths[1]! / 2, 1);
    expect(textsOf(root)[0]!.text).toBe('Clip: no (confidence 50.0%), it is stop');
  });

  it('of very many labels are those of the best, and the sum of the others', () => {
    const labels = Array.from({ length: 100 }, (_, i) => `word ${i}`);
    const settings = plotSettings(labels, [{}]);
    const softmax = labels.map((_, i) => (i === 42 ? 0.505 : 0.005));
    const seen = makeObservation(settings, { frames: 3, potential: () => 0, softmax });
    const root = parseFigure(plotObservation(seen, { settings }));
    expect(textOf(group(root, '88 others'))).toContain('44.0%');
    expect(textOf(group(root, 'word 42: '))).toContain('50.5%');
  });
});

// Such labels no model has, but a page may draw what it was sent.
describe('extremes', () => {
  it('one step, one neuron, one class', () => {
    const settings = plotSettings(['only'], [{ neurons: 1 }]);
    for (const potential of [() => 0, () => -3.5]) {
      const seen = makeObservation(settings, { frames: 1, spike: () => 1, potential, softmax: [1] });
      const svg = draw(seen, { settings, samples: Float32Array.of(0.1), sampleRate: 8000 });
      expect(dashesOf(raster(parseFigure(svg), 'Layer 1'))).toEqual([{ row: 0, start: 0, length: 1 }]);
    }
  });

  it.each([320, 360, 960, 2000])('labels and titles that are hostile stay text, %d pixels wide', (width) => {
    const hostile = ['<script>alert(1)</script>', '"&\'', ']]>', 'a\u0000b\ud800', '\u{1f600} да', '--><!--'];
    const settings = plotSettings(hostile, [{}]);
    const seen = makeObservation(settings, { frames: 4, potential: (t, c) => t * c });
    const title = 'x"><script>y.wav';
    const root = parseFigure(draw(seen, { settings, title, truth: hostile[1]!, width }));
    expect(findAll(root, 'script')).toEqual([]);
    expect(textOf(root.children[0] as XmlElement)).toContain(title);
    expect(textOf(group(root, '"&\': '))).toContain('16.7%');
    expect(Number(root.attributes.width)).toBe(width);
  });
});

describe('real networks', () => {
  it.each([
    ['the shipped model', () => loadModel(), 120_000],
    [
      'the original preset',
      async () => createModel(presetSettings('original', DIGITS), { seed: 1 }),
      400_000,
    ],
    [
      'delta, recurrent, rectified',
      async () => {
        const settings = presetSettings('default', WORDS);
        const dense = {
          ...settings.network.layers[3]!,
          connection: { type: 'dense', taps: 1, dilation: 1 } as const,
        };
        settings.encoding = { type: 'delta', stepsPerFrame: 5, threshold: 0.05 };
        settings.network.layers = [
          { ...dense, neurons: 64, recurrent: true },
          {
            neurons: 32,
            neuron: 'relu',
            recurrent: false,
            connection: { type: 'dense', taps: 1, dilation: 1 },
          },
        ];
        return createModel(settings, { seed: 3 });
      },
      400_000,
    ],
  ])('%s: a figure of moderate size whose texts are all within it', async (_, make, most) => {
    const model = await make();
    const audio = await readAudio(seven);
    const seen = await model.observe(audio);
    for (const width of [360, 960]) {
      const svg = plotObservation(seen, { settings: model.settings, ...audio, title: '7_kal_0.wav', width });
      expect(svg.length).toBeLessThan(most);
      const root = parseFigure(svg);
      for (const { text, x, y } of textsOf(root)) {
        expect(text).not.toBe('');
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThan(width);
        expect(y).toBeLessThan(Number(root.attributes.height));
      }
      for (const [k] of seen.layers.entries())
        expect(textOf(group(root, `Layer ${k + 1}`))).toMatch(/%|mean/);
    }
  });
});
