import type { Guess } from '../protocol.js';
import type { Recording } from './decode.js';
import { currentTheme, surfaceOf } from './drawing.js';
import { byId, element } from './elements.js';
import { clock, counted, isolated } from './names.js';

/** A sound in a recording. */
export interface FoundWord {
  guess: Guess;
  /** Seconds in the recording. */
  start: number;
  end: number;
}

/** Pixels below the waveform for the names of the words. */
const NAMES = 18;
/** Pixels of a second, and of the widest timeline: no browser has canvases much wider. */
const SECOND = 24;
const WIDEST = 15_000;
/** Least pixels between two names. */
const NAME_GAP = 6;

/** A long recording: its waveform with a mark for every word, and a list of the words; each can be shown. */
export class RecordingView {
  readonly #section = byId('recording');
  readonly #title = byId('recording-title');
  readonly #scroll = byId('timeline-scroll');
  readonly #canvas = byId<HTMLCanvasElement>('timeline');
  readonly #list = byId<HTMLOListElement>('recording-words');
  readonly #choose: (index: number) => void;
  #seconds = 0;
  /** Greatest absolute sample of each of these columns, from 0 to 1. */
  #peaks: Float32Array = new Float32Array(0);
  #words: readonly FoundWord[] = [];
  #buttons: HTMLButtonElement[] = [];
  #current = -1;
  #frame = 0;

  /** @param choose is called with the number of a word that is to be shown */
  constructor(choose: (index: number) => void) {
    this.#choose = choose;
    this.#canvas.addEventListener('click', ({ offsetX }) => {
      const nearest = this.#nearest((offsetX / this.#canvas.clientWidth) * this.#seconds);
      if (nearest >= 0) this.#choose(nearest);
    });
    this.#list.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#draw()).observe(this.#section);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Shows a recording with the words that have been found in it so far. */
  open(name: string, { samples, sampleRate }: Recording, words: readonly FoundWord[]): void {
    this.#section.hidden = false;
    this.#title.textContent = `Words in ${isolated(name)}`;
    this.#seconds = samples.length / sampleRate;
    const width = Math.min(WIDEST, Math.round(SECOND * this.#seconds));
    this.#canvas.style.setProperty('width', `${width}px`);
    this.#scroll.scrollLeft = 0;
    this.#peaks = peaksOf(samples, WIDEST);
    this.#words = words;
    this.#current = -1;
    this.#buttons = [];
    this.#list.replaceChildren();
    this.#update();
  }

  close(): void {
    this.#section.hidden = true;
    this.#words = [];
  }

  /** More words have been found: there may be hundreds a second. */
  update(): void {
    this.#frame ||= requestAnimationFrame(() => this.#update());
  }

  #update(): void {
    this.#frame = 0;
    for (let index = this.#buttons.length; index < this.#words.length; index++) this.#add(index);
    const known = this.#words.filter(({ guess }) => !guess.rejected).length;
    const others = this.#words.length - known;
    const text = `${clock(this.#seconds)} long: ${counted(known, 'word')}, ${counted(others, 'other sound')}.`;
    this.#canvas.setAttribute('aria-label', `Timeline, ${text}`);
    byId('recording-note').textContent = `${text} Click a mark to see the word.`;
    this.#draw();
  }

  /** Marks the word that is shown. */
  mark(index: number): void {
    this.#current = index;
    for (const [k, button] of this.#buttons.entries()) {
      button.setAttribute('aria-current', String(k === index));
      button.tabIndex = k === Math.max(0, index) ? 0 : -1;
    }
    this.#reveal(index);
    this.#draw();
  }

  /** Scrolls the timeline and the list, but never the page, until the word can be seen. */
  #reveal(index: number): void {
    const [word, button] = [this.#words[index], this.#buttons[index]];
    if (word === undefined || button === undefined) return;
    const x = (word.start / this.#seconds) * this.#canvas.clientWidth;
    const { scrollLeft, clientWidth } = this.#scroll;
    if (x < scrollLeft || x > scrollLeft + clientWidth - SECOND)
      this.#scroll.scrollLeft = x - clientWidth / 2;
    const top = button.offsetTop - this.#list.offsetTop;
    const { scrollTop, clientHeight } = this.#list;
    if (top < scrollTop || top + button.offsetHeight > scrollTop + clientHeight) {
      this.#list.scrollTop = top - clientHeight / 2;
    }
  }

  #add(index: number): void {
    const { guess, start } = this.#words[index]!;
    const what = guess.rejected ? '?' : guess.label;
    const button = element(
      'button',
      {
        type: 'button',
        tabindex: index === Math.max(0, this.#current) ? '0' : '-1',
        'aria-current': String(index === this.#current),
      },
      element('span', { class: 'at' }, clock(start)),
      ' ',
      element('bdi', {}, what),
    );
    if (guess.rejected) {
      button.classList.add('rejected');
      button.setAttribute('aria-label', `${clock(start)}, a sound, closest to ${isolated(guess.label)}`);
    }
    button.addEventListener('click', () => this.#choose(index));
    this.#buttons.push(button);
    this.#list.append(element('li', {}, button));
  }

  /** One stop of the Tab key for all words; the arrows go from word to word. */
  #key(event: KeyboardEvent): void {
    const at = this.#buttons.indexOf(event.target as HTMLButtonElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.#buttons.length - 1;
    const to = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.max(0, Math.min(last, to));
    for (const [k, button] of this.#buttons.entries()) button.tabIndex = k === next ? 0 : -1;
    this.#buttons[next]!.focus();
    if (next !== at) this.#choose(next);
  }

  /** The word at a time, or the one that is closest to it; -1 if there is none. */
  #nearest(time: number): number {
    const away = this.#words.map(({ start, end }) => Math.max(0, start - time, time - end));
    return away.indexOf(Math.min(...away));
  }

  #draw(): void {
    const surface = surfaceOf(this.#canvas, 0);
    if (surface === null || this.#seconds === 0) return;
    const { context, width, height } = surface;
    const theme = currentTheme();
    const middle = (height - NAMES) / 2;
    context.fillStyle = theme.muted;
    for (let x = 0; x < width; x++) {
      const from = Math.floor((x * this.#peaks.length) / width);
      const to = Math.max(from + 1, Math.floor(((x + 1) * this.#peaks.length) / width));
      const peak = Math.max(...this.#peaks.subarray(from, to)) * (middle - 1);
      context.fillRect(x, middle - peak, 1, Math.max(1, 2 * peak));
    }
    context.textBaseline = 'bottom';
    context.textAlign = 'left';
    let free = 0;
    for (const [k, { guess, start, end }] of this.#words.entries()) {
      const x = (start / this.#seconds) * width;
      const wide = Math.max(2, ((end - start) / this.#seconds) * width);
      const colour = guess.rejected ? theme.muted : theme.accent;
      context.fillStyle = colour;
      context.globalAlpha = k === this.#current ? 0.45 : 0.2;
      context.fillRect(x, 0, wide, height - NAMES);
      context.globalAlpha = 1;
      context.fillRect(x, height - NAMES, wide, k === this.#current ? 4 : 2);
      const name = guess.rejected ? '?' : guess.label;
      if (x < free || (guess.rejected && k !== this.#current)) continue;
      context.fillText(name, x, height);
      free = x + context.measureText(name).width + NAME_GAP;
    }
  }
}

function peaksOf(samples: Float32Array, columns: number): Float32Array {
  const peaks = new Float32Array(Math.min(columns, samples.length));
  for (let i = 0; i < samples.length; i++) {
    const column = Math.floor((i * peaks.length) / samples.length);
    const size = Math.abs(samples[i]!);
    if (size > peaks[column]!) peaks[column] = size;
  }
  const most = peaks.reduce((so, each) => Math.max(so, each), 1e-6);
  return peaks.map((peak) => peak / most);
}
