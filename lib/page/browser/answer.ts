import type { Guess } from '../protocol.js';
import { sharesOf } from '../shares.js';
import { byId, element } from './elements.js';
import { isolated, sureness } from './names.js';
import type { Shown } from './shown.js';

/** Words that always have a bar; of more, as many as are most probable. */
const BARS = 20;
const KEPT = 12;

/** A word that was heard, with the picture of it as soon as that is there. */
export interface Heard {
  guess: Guess;
  shown: Shown | null;
}

/** One whose picture is there. */
export type HeardAndShown = Heard & { shown: Shown };

/** What the model believes at some moment: of a whole clip, or as if it ended there. */
export type Belief = Pick<Guess, 'softmax' | 'confidence' | 'rejected'> & { best: number };

/** The word, how sure the model is of each, and the words before it. */
export class Answer {
  readonly #word = byId('word');
  readonly #scores = byId('scores');
  readonly #heard = byId('heard');
  readonly #labels: readonly string[];
  readonly #calibrated: boolean;
  readonly #choose: (heard: Heard) => void;
  #bars: Bar[] = [];
  readonly #other: Bar = barOf();
  #items: { heard: Heard; item: HTMLElement; button: HTMLButtonElement }[] = [];

  /**
   * @param calibrated whether the model's confidence is
   * @param choose is called with a word of before that is to be seen again
   */
  constructor(labels: readonly string[], calibrated: boolean, choose: (heard: Heard) => void) {
    this.#labels = labels;
    this.#calibrated = calibrated;
    this.#choose = choose;
    this.#scores.replaceChildren();
    this.#heard.replaceChildren();
    this.#bars = Array.from({ length: Math.min(labels.length, BARS) }, barOf);
    this.#other.item.classList.add('other');
    this.#scores.append(...[...this.#bars, this.#other].map(({ item }) => item));
    for (const [i, bar] of this.#bars.entries()) fill(bar, labels[i]!, 0, '');
    fill(this.#other, OTHER, 0, '');
  }

  /** Says the word. */
  tell(guess: Guess): void {
    if (guess.rejected) this.say('unsure', UNKNOWN, closest(guess));
    else this.say('sure', guess.label, this.#sure(guess));
  }

  /** What is said of a sound, on one line. */
  telling(guess: Guess): string {
    if (guess.rejected) return `${UNKNOWN}. ${closest(guess)}`;
    return `${isolated(guess.label)}, ${this.#sure(guess)}`;
  }

  #sure({ confidence }: Guess): string {
    return `${sureness(confidence)}${this.#calibrated ? ' sure' : ', not calibrated'}`;
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

  /** Shows how sure the model is of each word; the best one has the number that is told with it. */
  score({ softmax, best, confidence, rejected }: Belief): void {
    const { words, other } = sharesOf(softmax, best, confidence);
    const all = this.#labels.map((label, k) => ({
      label,
      share: words[k]!,
      winner: k === best && !rejected,
    }));
    const listed = all.length > BARS ? all.sort((a, b) => b.share - a.share).slice(0, BARS) : all;
    for (const [i, bar] of this.#bars.entries()) {
      const { label, share, winner } = listed[i]!;
      fill(bar, label, share, sureness(share));
      bar.item.classList.toggle('best', winner);
    }
    fill(this.#other, OTHER, other, sureness(other));
  }

  /** Adds a word to those that can be seen again; the oldest go. */
  add(heard: Heard): void {
    const { label, rejected } = heard.guess;
    const text = rejected ? '?' : label;
    const name = rejected ? `A sound, closest to ${isolated(label)}` : this.telling(heard.guess);
    const button = element('button', { type: 'button', dir: 'auto', 'aria-label': name, title: name }, text);
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

const UNKNOWN = 'not a word I know';

/** Only a model with a calibration rejects. */
function closest({ label, confidence }: Guess): string {
  return `Closest: ${isolated(label)}, ${sureness(confidence)} sure`;
}

interface Bar {
  item: HTMLElement;
  name: HTMLElement;
  bar: HTMLElement;
  text: HTMLElement;
}

/** What is left when the words have their shares. */
const OTHER = 'something else';

function barOf(): Bar {
  const name = element('span', { class: 'name', dir: 'auto' });
  const bar = element('span', { class: 'share' });
  const text = element('span', { class: 'value' });
  return { item: element('li', {}, name, bar, text), name, bar, text };
}

function fill({ name, bar, text }: Bar, label: string, share: number, value: string): void {
  name.textContent = label;
  bar.style.setProperty('--share', share.toFixed(4));
  text.textContent = value;
}
