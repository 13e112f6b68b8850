import { viridis } from '../../plot/colours.js';
import { ENCODINGS, type EncodingName, namesOf } from '../../settings/choices.js';
import type { EncodingSettings } from '../../settings/settings.js';
import type { Encoded } from '../protocol.js';
import type { Arrays, Connection } from './connection.js';
import { currentTheme, drawAxis, drawMap, drawRaster, drawTimeAxis, surfaceOf } from './drawing.js';
import { byId, element } from './elements.js';
import { percent } from './names.js';
import type { Shown } from './shown.js';

interface View {
  title: HTMLElement;
  note: HTMLElement;
  canvas: HTMLCanvasElement;
  axis: HTMLCanvasElement;
}

interface Result {
  encoding: EncodingSettings;
  steps: number;
  channels: number;
  values: ArrayLike<number>;
}

/** The same clip in two encodings beside each other, with their spikes counted. */
export class Encodings {
  readonly #connection: Connection;
  readonly #selects: HTMLSelectElement[];
  readonly #steps = numberInput(1, 40, 1, 8);
  readonly #threshold = numberInput(0.01, 1, 0.01, 0.1);
  readonly #views: View[];
  #shown: Shown | null = null;
  #results: Result[] = [];
  #id = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#selects = (['rate', 'latency'] as const).map((chosen, i) => {
      const options = namesOf(ENCODINGS).map((type) => element('option', { value: type }, type));
      const select = element(
        'select',
        { 'aria-label': `${i === 0 ? 'First' : 'Second'} encoding` },
        ...options,
      );
      select.value = chosen;
      return select;
    });
    const choice = byId('encoding-choice');
    choice.replaceChildren(
      this.#selects[0]!,
      element('span', {}, 'and'),
      this.#selects[1]!,
      element('label', {}, 'Steps of a frame ', this.#steps),
      element('label', {}, 'Threshold of delta ', this.#threshold),
    );
    choice.addEventListener('change', () => this.#ask());
    this.#views = this.#selects.map(() => viewOf());
    byId('encoded').replaceChildren(
      ...this.#views.map(({ title, note, canvas, axis }) => element('figure', {}, title, canvas, axis, note)),
    );
    new ResizeObserver(() => this.#draw()).observe(byId('encoded'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  show(shown: Shown): void {
    this.#shown = shown;
    byId('encodings').hidden = false;
    this.#ask();
  }

  /** What the server has encoded. */
  take({ id, encodings }: Encoded, arrays: Arrays): void {
    if (id !== this.#id) return;
    this.#results = encodings.map((each, i) => {
      const values = arrays[`input.${i}`]!;
      const { encoding, channels } = each;
      return { ...each, values: inPairs(encoding) ? apart(values, channels) : values };
    });
    for (const [i, result] of this.#results.entries()) {
      const { title, note, canvas } = this.#views[i]!;
      title.textContent = result.encoding.type;
      note.textContent = `${countText(result)} ${sentence(result.encoding.type)}`;
      canvas.setAttribute('aria-label', `${result.encoding.type} encoding: ${countText(result)}`);
    }
    this.#draw();
  }

  #ask(): void {
    if (this.#shown === null || !this.#steps.validity.valid || !this.#threshold.validity.valid) return;
    const encodings = this.#selects.map(({ value }): EncodingSettings => {
      const type = value as EncodingName;
      const { spikes, threshold } = ENCODINGS[type];
      // A current is the same in all steps of a frame.
      const stepsPerFrame = spikes ? Number(this.#steps.value) : 1;
      if (threshold === null) return { type, stepsPerFrame } as EncodingSettings;
      // Where the usual threshold is 0, every value above it spikes, and there is nothing to choose.
      const chosen = threshold > 0 ? Number(this.#threshold.value) : 0;
      return { type, stepsPerFrame, threshold: chosen } as EncodingSettings;
    });
    const { frames, features } = this.#shown;
    this.#id = this.#connection.nextId();
    this.#connection.send({ type: 'encode', id: this.#id, frames, encodings }, { features });
  }

  #draw(): void {
    const theme = currentTheme();
    const seconds = this.#shown === null ? 0 : this.#shown.steps * this.#shown.step;
    for (const [i, { encoding, steps, channels, values }] of this.#results.entries()) {
      const { canvas, axis } = this.#views[i]!;
      const surface = surfaceOf(canvas);
      const below = surfaceOf(axis);
      if (surface === null || below === null) continue;
      if (ENCODINGS[encoding.type].spikes) drawRaster(surface, values, steps, channels, theme);
      else drawMap(surface, values, steps, channels, (value) => [...viridis(value), 255]);
      drawAxis(
        surface,
        inPairs(encoding)
          ? [
              { at: 0.75, text: 'down' },
              { at: 0.5, text: '' },
              { at: 0.25, text: 'up' },
            ]
          : [
              { at: 1, text: `${channels}` },
              { at: 0, text: '1' },
            ],
        theme,
      );
      drawTimeAxis(below, seconds, theme);
    }
  }
}

/** Whether each feature has an up and a down channel. */
function inPairs({ type }: EncodingSettings): boolean {
  return ENCODINGS[type].channels === 2;
}

/** Up and down channels lie by turns; for the eye all up ones come first, then all down. */
function apart(values: ArrayLike<number>, channels: number): Float32Array {
  const half = channels / 2;
  return Float32Array.from({ length: values.length }, (_, i) => {
    const channel = i % channels;
    return values[i - channel + (channel < half ? 2 * channel : 2 * (channel - half) + 1)]!;
  });
}

function viewOf(): View {
  return {
    title: element('h3'),
    note: element('figcaption'),
    canvas: element('canvas', { role: 'img' }),
    axis: element('canvas', { class: 'times', 'aria-hidden': 'true' }),
  };
}

function numberInput(min: number, max: number, step: number, value: number): HTMLInputElement {
  const attributes = { type: 'number', min: `${min}`, max: `${max}`, step: `${step}`, value: `${value}` };
  return element('input', attributes);
}

function countText({ encoding, values, steps }: Result): string {
  const count = Array.from(values).filter((value) => value !== 0).length;
  if (!ENCODINGS[encoding.type].spikes) return 'No spikes: a current in every step.';
  const share = percent(count / values.length);
  return `${count} ${count === 1 ? 'spike' : 'spikes'} in ${steps} steps, ${share} of all that could be.`;
}

function sentence(type: EncodingName): string {
  return `${type[0]!.toUpperCase()}${type.slice(1)}: ${ENCODINGS[type].help}.`;
}
