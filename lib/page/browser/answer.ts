import type { Guess } from '../protocol.js';
import { byId, element } from './elements.js';
import { percent } from './names.js';
import type { Shown } from './shown.js';

/** Words whose score always has a bar; of more, as many as score best. */
const BARS = 20;
const KEPT = 12;

/** A word that was heard, with the picture of it as soon as that is there. */
export interface Heard {
  guess: Guess;
  shown: Shown | null;
}

/** The word, its scores, and the words before it. */
export class Answer {
  readonly #word = byId('word');
  readonly #scores = byId('scores');
  readonly #heard = byId('heard');
  readonly #labels: readonly string[];
  readonly #choose: (heard: Heard) => void;
  #bars: { item: HTMLElement; bar: HTMLElement; text: HTMLElement }[] = [];
  #items: { heard: Heard; item: HTMLElement; button: HTMLButtonElement }[] = [];

  /** @param choose is called with a word of before that is to be seen again */
  constructor(labels: readonly string[], choose: (heard: Heard) => void) {
    this.#labels = labels;
    this.#choose = choose;
    this.#scores.replaceChildren();
    this.#heard.replaceChildren();
    this.#bars = Array.from({ length: Math.min(labels.length, BARS) }, () => {
      const bar = element('span', { class: 'share' });
      const text = element('span', { class: 'value' });
      const item = element('li', {}, element('span', { class: 'name' }), bar, text);
      this.#scores.append(item);
      return { item, bar, text };
    });
    this.score(new Float32Array(labels.length));
  }

  /** Says the word. */
  tell(guess: Guess): void {
    const { label, confidence, rejected } = guess;
    if (rejected) this.say('unsure', 'not a word I know', `Closest: ${label}, ${sure(confidence)}`);
    else this.say('sure', label, sure(confidence));
  }

  /** What is said is about to be out of date: somebody speaks again. */
  fade(): void {
    if (this.#word.dataset.state !== 'listening') this.#word.dataset.state = 'past';
  }

  /** @param state of the style: `sure`, `unsure`, `past`, `listening`, `none` */
  say(state: string, text: string, remark: string): void {
    this.#word.dataset.state = state;
    const [label, below] = [...this.#word.children];
    if (label!.textContent !== text) label!.textContent = text;
    if (below!.textContent !== remark) below!.textContent = remark;
  }

  /** @param softmax of the labels, up to a time step or of the whole clip */
  score(softmax: ArrayLike<number>): void {
    const all = this.#labels.map((label, k) => ({ label, share: softmax[k]! }));
    const best = Math.max(...all.map(({ share }) => share));
    const listed = all.length > BARS ? all.sort((a, b) => b.share - a.share).slice(0, BARS) : all;
    for (const [i, { item, bar, text }] of this.#bars.entries()) {
      const { label, share } = listed[i]!;
      item.firstElementChild!.textContent = label;
      item.classList.toggle('best', share === best && best > 0);
      bar.style.setProperty('--share', share.toFixed(4));
      text.textContent = percent(share);
    }
  }

  /** Adds a word to those that can be seen again; the oldest go. */
  add(heard: Heard): void {
    const { label, confidence, rejected } = heard.guess;
    const text = rejected ? '?' : label;
    const name = rejected ? `A sound, closest to ${label}` : `${label}, ${sure(confidence)}`;
    const button = element('button', { type: 'button', 'aria-label': name, title: name }, text);
    if (rejected) button.classList.add('rejected');
    button.addEventListener('click', () => this.#choose(heard));
    const item = element('li', {}, button);
    this.#heard.prepend(item);
    this.#items.push({ heard, item, button });
    if (this.#items.length > KEPT) this.#items.shift()!.item.remove();
  }

  /** Marks the word whose picture is on the screen. */
  mark(shown: Heard | null): void {
    for (const { heard, button } of this.#items) button.setAttribute('aria-current', String(heard === shown));
  }
}

/** Nothing is certain, whatever it is rounded to. */
function sure(confidence: number): string {
  return confidence > 0.999 ? 'over 99.9% sure' : `${percent(confidence)} sure`;
}
