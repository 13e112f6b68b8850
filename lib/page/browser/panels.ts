import { viridis } from '../../plot/colours.js';
import { melTicks } from '../../plot/mel.js';
import { ENCODINGS } from '../../settings/choices.js';
import type { ModelSettings } from '../../settings/settings.js';
import { sendsSpikes } from '../../settings/shapes.js';
import {
  currentTheme,
  drawAxis,
  drawLine,
  drawMap,
  drawRaster,
  drawTimeAxis,
  drawWave,
  GUTTER,
  rangeOf,
  type Surface,
  surfaceOf,
  type Theme,
  type Tick,
  valueTicks,
} from './drawing.js';
import { element } from './elements.js';
import { bandFrequency, bandsOf, hertz, layerName, layerShape, percent } from './names.js';
import type { Shown } from './shown.js';

interface Panel {
  kind: 'wave' | 'map' | 'input' | 'layer' | 'readout' | 'axis';
  title: string;
  /** Under the title: what a row or a line is. */
  note: string;
  /** One sentence for people who do not know spiking networks. */
  help: string;
  draw(surface: Surface, shown: Shown, theme: Theme): void;
  /** A few words on what is shown, for those who do not see it. */
  say?(shown: Shown): string;
  layer?: number;
}

/** The picture: panels over each other on one axis of time, with a cursor through all of them. */
export class Panels {
  readonly #root: HTMLElement;
  readonly #drawn: { panel: Panel; canvas: HTMLCanvasElement; figures: HTMLElement }[] = [];
  #shown: Shown | null = null;

  /** @param inspect is called with the layer that is to be looked into */
  constructor(root: HTMLElement, settings: ModelSettings, inspect: (layer: number) => void) {
    this.#root = root;
    root.replaceChildren();
    for (const panel of panelsOf(settings)) this.#add(panel, inspect);
    new ResizeObserver(() => this.redraw()).observe(root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw());
  }

  show(shown: Shown): void {
    this.#shown = shown;
    this.redraw();
    for (const { panel, canvas, figures } of this.#drawn) {
      const figure = panel.say?.(shown) ?? '';
      figures.textContent = figure;
      if (!shown.live) canvas.setAttribute('aria-label', `${panel.title}, ${panel.note} ${figure}`.trim());
    }
  }

  redraw(): void {
    const theme = currentTheme();
    for (const { panel, canvas } of this.#drawn) {
      const surface = surfaceOf(canvas);
      if (surface !== null && this.#shown !== null) panel.draw(surface, this.#shown, theme);
    }
  }

  /** @param share of the picture that has been played; null for all of it, without a cursor */
  moveCursor(share: number | null): void {
    this.#root.classList.toggle('playing', share !== null);
    this.#root.style.setProperty('--at', String(share ?? 1));
  }

  #add(panel: Panel, inspect: (layer: number) => void): void {
    const canvas = element('canvas', { role: 'img', 'aria-label': `${panel.title}, ${panel.note}` });
    const figures = element('span', { class: 'figure' });
    const { layer } = panel;
    const title =
      layer === undefined
        ? element('h3', {}, panel.title)
        : element(
            'h3',
            {},
            button(`${panel.title}`, `Inspect ${panel.title}`, () => inspect(layer)),
          );
    const label = element('div', { class: 'caption' }, title, element('span', {}, panel.note), figures);
    if (panel.help !== '') label.append(element('p', { class: 'about' }, panel.help));
    const plot = element('div', { class: 'plot' }, canvas);
    if (layer !== undefined) canvas.addEventListener('click', () => inspect(layer));
    if (panel.kind !== 'axis') plot.append(element('div', { class: 'cursor' }));
    this.#root.append(element('div', { class: `panel ${panel.kind}` }, label, plot));
    this.#drawn.push({ panel, canvas, figures });
  }
}

function button(text: string, name: string, press: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', class: 'inspect', 'aria-label': name }, text);
  made.addEventListener('click', press);
  return made;
}

function panelsOf(settings: ModelSettings): Panel[] {
  const { network, encoding } = settings;
  const layers = network.layers.map(
    (layer, k): Panel => ({
      kind: 'layer',
      title: layerName(k),
      note: layerShape(layer),
      help: layerHelp(settings, k),
      layer: k,
      draw: (surface, shown, theme) => {
        const { spikes, neurons } = shown.layers[k]!;
        drawRaster(surface, spikes, shown.steps, neurons, theme);
        drawAxis(surface, layerTicks(settings, k), theme);
      },
      say: ({ guess }) => `${percent(guess.firingRates[k]!)} spiking`,
    }),
  );
  return [
    {
      kind: 'wave',
      title: 'Waveform',
      note: '',
      help: 'The sound itself: the further from the middle, the louder.',
      draw: drawWave,
    },
    {
      kind: 'map',
      ...featureTitle(settings),
      draw: (surface, shown, theme) => drawFeatures(surface, shown, settings, theme),
    },
    ...(ENCODINGS[encoding.type].spikes ? [inputPanel(settings)] : []),
    ...layers,
    {
      kind: 'readout',
      ...readoutTitle(settings),
      draw: (surface, shown, theme) => drawReadout(surface, shown, settings, theme),
    },
    {
      kind: 'axis',
      title: '',
      note: '',
      help: '',
      draw: (surface, shown, theme) => drawTimeAxis(surface, shown.steps * shown.step, theme),
    },
  ];
}

const READOUT_HELP: Readonly<Record<ModelSettings['network']['readout']['type'], string>> = {
  'spike-count': 'One line for each word: how often its neuron has fired. The highest at the end wins.',
  'leaky-integrator': 'One line for each word: the longer it is above the others, the surer the word.',
  'mean-potential': 'One line for each word: the one that is highest on average wins.',
};

function layerHelp({ network }: ModelSettings, index: number): string {
  const layer = network.layers[index]!;
  const what = sendsSpikes(layer) ? 'Each dash: one neuron fires.' : 'The darker, the more a neuron sends.';
  const more =
    index > 0
      ? `It listens to ${layerName(index - 1)}.`
      : layer.neuron === 'relu'
        ? ''
        : 'Input charges a neuron until it fires and starts anew.';
  return `${what} ${more}`.trim();
}

function featureTitle({ frontend, encoding }: ModelSettings) {
  const note =
    frontend.type === 'mfcc' ? `${frontend.coefficients} coefficients` : `${frontend.melBands} mel bands`;
  const help =
    frontend.type === 'mfcc'
      ? 'What is measured of the sound: a few numbers for each moment that tell its timbre.'
      : 'What is measured of the sound: which pitches are loud when. High ones are at the top, and bright is loud.';
  return {
    title: 'Features',
    note: ENCODINGS[encoding.type].spikes ? note : `${note}, sent as current`,
    help,
  };
}

function readoutTitle({ network, labels }: ModelSettings) {
  const counted = network.readout.type === 'spike-count';
  const note = `${counted ? 'spikes so far' : 'potentials'} of ${labels.length} words`;
  return { title: 'Readout', note, help: READOUT_HELP[network.readout.type] };
}

function inputPanel(settings: ModelSettings): Panel {
  const { type } = settings.encoding;
  return {
    kind: 'input',
    title: 'Input',
    note: `${type} encoding`,
    help: 'What the network is given of the features: each dash is one spike.',
    draw: (surface, shown, theme) => {
      drawRaster(surface, shown.input, shown.steps, shown.channels, theme);
      drawAxis(
        surface,
        [
          { at: 1, text: `${shown.channels}` },
          { at: 0, text: '1' },
        ],
        theme,
      );
    },
  };
}

function drawFeatures(surface: Surface, shown: Shown, settings: ModelSettings, theme: Theme): void {
  const { features, frames } = shown;
  const rows = features.length / frames;
  const [low, high] = settings.scaling.type === 'peak' ? [0, 1] : rangeOf(features);
  drawMap(surface, features, frames, rows, (value) => [...viridis((value - low) / (high - low)), 255]);
  drawAxis(surface, featureTicks(settings, rows), theme);
}

/** Round frequencies at the bands that they fall in. */
function featureTicks({ frontend }: ModelSettings, rows: number): Tick[] {
  if (frontend.type === 'mfcc')
    return [
      { at: 1, text: `${rows - 1}` },
      { at: 0, text: '0' },
    ];
  const found = melTicks(frontend).map(({ value, label }) => ({
    at: value / rows,
    text: hertz(Number(label)),
  }));
  // One for each twelfth of the height at most: that is a line of text.
  return found.filter(({ at }, k) => k === 0 || Math.floor(at * 6) > Math.floor(found[k - 1]!.at * 6));
}

/** Frequencies where the layer has bands, else numbers of neurons. */
function layerTicks(settings: ModelSettings, layer: number): Tick[] {
  const own = settings.network.layers[layer]!;
  const bands = bandsOf(own);
  if (bands < 3)
    return [
      { at: 1, text: `${own.neurons}` },
      { at: 0, text: '1' },
    ];
  return [0.2, 0.5, 0.85].map((share) => {
    const band = Math.floor(share * bands);
    const frequency = bandFrequency(settings, layer, band);
    return { at: (band + 0.5) / bands, text: frequency === null ? `band ${band + 1}` : hertz(frequency) };
  });
}

/** A line for every word; the one that wins and the one after it are named. */
function drawReadout(surface: Surface, shown: Shown, { labels }: ModelSettings, theme: Theme): void {
  const { context, plotWidth, height } = surface;
  const { readout, steps, guess } = shown;
  const [low, high] = rangeOf(readout);
  // Room for the name of the word above its line.
  const range = [low, high + 0.2 * (high - low)] as const;
  const order = labels.map((_, k) => k).sort((a, b) => guess.softmax[a]! - guess.softmax[b]!);
  const best = order[order.length - 1]!;
  for (const k of order) {
    context.strokeStyle = k === best ? theme.accent : theme.muted;
    context.globalAlpha = k === best ? 1 : 0.55;
    context.lineWidth = k === best ? 2.5 : 1;
    drawLine(surface, readout, { first: k, stride: labels.length, count: steps }, range);
  }
  context.globalAlpha = 1;
  context.textAlign = 'right';
  context.textBaseline = 'bottom';
  let below = Number.POSITIVE_INFINITY;
  for (const k of order.slice(-2).reverse()) {
    const values = Array.from({ length: steps }, (_, step) => readout[step * labels.length + k]!);
    const top = values.indexOf(Math.max(...values));
    const y = Math.max(14, (1 - (values[top]! - range[0]) / (range[1] - range[0])) * height - 3);
    if (Math.abs(y - below) < 14) continue;
    below = y;
    context.fillStyle = k === best ? theme.accent : theme.muted;
    context.font = k === best ? 'bold 13px system-ui, sans-serif' : '11px system-ui, sans-serif';
    context.fillText(labels[k]!, GUTTER + Math.max(30, ((top + 0.5) / steps) * plotWidth - 4), y);
  }
  context.font = '11px system-ui, sans-serif';
  drawAxis(surface, valueTicks(range), theme);
}
