import type { ModelSettings } from '../../settings/settings.js';
import {
  currentTheme,
  drawAxis,
  drawLine,
  drawRaster,
  drawTimeAxis,
  GUTTER,
  rangeOf,
  surfaceOf,
  type Theme,
  valueTicks,
} from './drawing.js';
import { byId, element } from './elements.js';
import { bandFrequency, bandsOf, hertz, layerName, layerShape, neuronName } from './names.js';
import type { LayerActivity, Shown } from './shown.js';

/** One layer in full: its raster, and of the neuron under the pointer the potential, threshold and spikes. */
export class Inspector {
  readonly #dialog = byId<HTMLDialogElement>('inspector');
  readonly #title = element('h2', { id: 'inspector-title' });
  readonly #raster = element('canvas', {
    class: 'raster',
    tabindex: '0',
    role: 'slider',
    'aria-label': 'Neuron',
    'aria-valuemin': '1',
    'aria-orientation': 'vertical',
  });
  readonly #trace = element('canvas', {
    class: 'trace',
    role: 'img',
    'aria-label': 'Membrane potential over time',
  });
  readonly #axis = element('canvas', { class: 'times', 'aria-hidden': 'true' });
  readonly #name = element('p', { class: 'neuron', 'aria-live': 'polite' });
  readonly #settings: ModelSettings;
  readonly #thresholds: readonly Float32Array[];
  readonly #watch: (layer: number | null) => void;
  #shown: Shown | null = null;
  #layer = 0;
  #neuron = 0;
  #step: number | null = null;

  /**
   * @param thresholds of every layer, of its neurons or channels
   * @param watch is called with the layer that is looked into, or null when no more
   */
  constructor(
    settings: ModelSettings,
    thresholds: readonly Float32Array[],
    watch: (layer: number | null) => void,
  ) {
    this.#settings = settings;
    this.#thresholds = thresholds;
    this.#watch = watch;
    this.#build();
  }

  get open(): boolean {
    return this.#dialog.open;
  }

  /** The server has forgotten what is looked into. */
  connected(): void {
    if (this.#dialog.open) this.#watch(this.#layer);
  }

  inspect(layer: number, shown: Shown): void {
    this.#layer = layer;
    this.#shown = shown;
    this.#neuron = busiest(shown.layers[layer]!, shown.steps);
    this.#watch(layer);
    this.#title.textContent = `${layerName(layer)}: ${layerShape(this.#settings.network.layers[layer]!)}`;
    this.#raster.setAttribute('aria-valuemax', String(this.#count));
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#raster.focus();
    this.#draw();
  }

  /** Another picture, of the microphone most likely. */
  show(shown: Shown): void {
    this.#shown = shown;
    if (this.#dialog.open) this.#draw();
  }

  get #count(): number {
    return this.#settings.network.layers[this.#layer]!.neurons;
  }

  #build(): void {
    const close = element('button', { type: 'button' }, 'Close');
    close.addEventListener('click', () => this.#dialog.close());
    const [before, after] = [-1, 1].map((by) => {
      const text = by < 0 ? 'Previous layer' : 'Next layer';
      const made = element('button', { type: 'button' }, text);
      made.addEventListener('click', () => {
        const layer = this.#layer + by;
        if (this.#shown !== null && layer in this.#thresholds) this.inspect(layer, this.#shown);
      });
      return made;
    });
    this.#dialog.replaceChildren(
      element('div', { class: 'bar' }, this.#title, before!, after!, close),
      element(
        'p',
        { class: 'help' },
        'Point at a neuron, or use ↑ ↓ (Page keys: the next band). ← → go through time.',
      ),
      this.#raster,
      this.#name,
      this.#trace,
      this.#axis,
    );
    this.#dialog.addEventListener('close', () => this.#watch(null));
    this.#raster.addEventListener('pointermove', (event) => this.#point(event));
    this.#raster.addEventListener('pointerdown', (event) => this.#point(event));
    this.#raster.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#draw()).observe(this.#dialog);
  }

  #point({ offsetX, offsetY }: PointerEvent): void {
    if (this.#shown === null) return;
    const across = (offsetX - GUTTER) / (this.#raster.clientWidth - GUTTER);
    const up = 1 - offsetY / this.#raster.clientHeight;
    this.#step = Math.min(this.#shown.steps - 1, Math.max(0, Math.floor(across * this.#shown.steps)));
    this.#neuron = Math.min(this.#count - 1, Math.max(0, Math.floor(up * this.#count)));
    this.#draw();
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { connection } = this.#settings.network.layers[this.#layer]!;
    const page = connection?.type === 'convolution' ? connection.channels : 10;
    const up: Record<string, number> = { ArrowUp: 1, ArrowDown: -1, PageUp: page, PageDown: -page };
    const along: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };
    const last = (this.#shown?.steps ?? 1) - 1;
    if (event.key in up) this.#neuron += up[event.key]!;
    else if (event.key in along) this.#step = (this.#step ?? -1) + along[event.key]!;
    else if (event.key === 'Home') this.#neuron = 0;
    else if (event.key === 'End') this.#neuron = this.#count - 1;
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.#neuron = Math.min(this.#count - 1, Math.max(0, this.#neuron));
    if (this.#step !== null) this.#step = Math.min(last, Math.max(0, this.#step));
    this.#draw();
  }

  #draw(): void {
    const shown = this.#shown;
    if (shown === null || !this.#dialog.open) return;
    const theme = currentTheme();
    const layer = shown.layers[this.#layer]!;
    const name = neuronName(this.#settings, this.#layer, this.#neuron);
    const text = `${name}. ${this.#figures(shown, layer)}`;
    this.#name.textContent = text;
    this.#raster.setAttribute('aria-valuenow', String(this.#neuron + 1));
    this.#raster.setAttribute('aria-valuetext', text);
    this.#trace.setAttribute('aria-label', `Membrane potential over time. ${text}`);
    this.#drawRaster(shown, layer, theme);
    this.#drawTrace(shown, layer, theme);
    const axis = surfaceOf(this.#axis);
    if (axis !== null) drawTimeAxis(axis, shown.steps * shown.step, theme);
  }

  #figures({ steps, step }: Shown, { neurons, spikes, potential }: LayerActivity): string {
    const of = (values: ArrayLike<number>, at: number) => values[at * neurons + this.#neuron]!;
    let count = 0;
    for (let at = 0; at < steps; at++) count += of(spikes, at);
    const rounded = Number.isInteger(count) ? String(count) : count.toFixed(1);
    const rate = `${rounded} spikes, ${(count / (steps * step)).toFixed(0)} a second`;
    if (this.#step === null || potential === null || this.#step >= steps) return rate;
    const now = of(potential, this.#step).toFixed(2).replace('-', '−');
    const fired = of(spikes, this.#step) >= 0.5 ? ', a spike' : '';
    return `${rate}. At ${((this.#step + 0.5) * step).toFixed(2)} s: potential ${now}${fired}`;
  }

  #drawRaster({ steps }: Shown, { neurons, spikes }: LayerActivity, theme: Theme): void {
    const surface = surfaceOf(this.#raster);
    if (surface === null) return;
    const { context, width, height } = surface;
    drawRaster(surface, spikes, steps, neurons, theme);
    const settings = this.#settings.network.layers[this.#layer]!;
    const bands = bandsOf(settings);
    context.strokeStyle = theme.line;
    context.lineWidth = 0.5;
    for (let band = 1; band < bands; band++) {
      const y = (1 - band / bands) * height;
      context.beginPath();
      context.moveTo(GUTTER, y);
      context.lineTo(width, y);
      context.stroke();
    }
    const every = Math.ceil((bands * 14) / height);
    const ticks = Array.from({ length: Math.floor((bands - 1) / every) + 1 }, (_, k) => k * every);
    const bandText = (band: number) => {
      const frequency = bandFrequency(this.#settings, this.#layer, band);
      return frequency === null ? `${band + 1}` : hertz(frequency);
    };
    drawAxis(
      surface,
      bands > 1
        ? ticks.map((band) => ({ at: (band + 0.5) / bands, text: bandText(band) }))
        : [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: String(1 + Math.round(at * (neurons - 1))) })),
      theme,
    );
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    const y = (1 - (this.#neuron + 0.5) / neurons) * height;
    context.strokeRect(
      GUTTER,
      y - Math.max(2, height / neurons / 2),
      width - GUTTER - 1,
      Math.max(4, height / neurons),
    );
  }

  #drawTrace(shown: Shown, { neurons, spikes, potential }: LayerActivity, theme: Theme): void {
    const surface = surfaceOf(this.#trace);
    if (surface === null) return;
    const { context, width, height, plotWidth } = surface;
    if (potential === null) {
      context.fillStyle = theme.muted;
      context.fillText('The potentials of this layer are on their way.', GUTTER + 8, height / 2);
      return;
    }
    const own = this.#settings.network.layers[this.#layer]!;
    const thresholds = this.#thresholds[this.#layer]!;
    // A convolution shares them by channel, and neurons lie band by band.
    const threshold = own.neuron === 'relu' ? null : thresholds[this.#neuron % thresholds.length]!;
    const trace = Array.from({ length: shown.steps }, (_, at) => potential[at * neurons + this.#neuron]!);
    const range = rangeOf(threshold === null ? trace : [...trace, threshold]);
    const y = (value: number) => (1 - (value - range[0]) / (range[1] - range[0])) * height;
    const x = (at: number) => GUTTER + ((at + 0.5) / shown.steps) * plotWidth;
    if (threshold !== null) {
      context.strokeStyle = theme.muted;
      context.setLineDash([5, 4]);
      context.beginPath();
      context.moveTo(GUTTER, y(threshold));
      context.lineTo(width, y(threshold));
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = theme.muted;
      context.textAlign = 'right';
      context.textBaseline = 'bottom';
      context.fillText('threshold', width - 4, y(threshold) - 2);
    }
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.5;
    drawLine(surface, trace, { first: 0, stride: 1, count: shown.steps }, range);
    context.fillStyle = theme.accent;
    for (let at = 0; at < shown.steps; at++) {
      const size = spikes[at * neurons + this.#neuron]!;
      if (size <= 0) continue;
      context.globalAlpha = Math.min(1, size);
      context.beginPath();
      context.arc(x(at), y(trace[at]!), 3.5, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    if (this.#step !== null && this.#step < shown.steps) {
      context.fillRect(x(this.#step) - 0.5, 0, 1, height);
    }
    drawAxis(surface, valueTicks(range, 4), theme);
  }
}

/** The neuron that spikes most. */
function busiest({ neurons, spikes }: LayerActivity, steps: number): number {
  const sums = new Float32Array(neurons);
  for (let i = 0; i < steps * neurons; i++) sums[i % neurons]! += spikes[i]!;
  return sums.indexOf(Math.max(...sums));
}
