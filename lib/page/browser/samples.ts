import type { SamplesOffered } from '../protocol.js';
import { byId, element } from './elements.js';
import { isolated } from './names.js';

/** Words that have a button of their own; of more there is only the list. */
const MOST_BUTTONS = 24;

/** The clips that the server offers: a button for each word, and a list of all of them by word. */
export class Samples {
  readonly #words = byId('sample-words');
  readonly #list = byId<HTMLSelectElement>('samples');
  readonly #note = byId('samples-note');
  readonly #show: (name: string) => void;

  /** @param show is called with the name of a clip that was chosen */
  constructor(show: (name: string) => void) {
    this.#show = show;
    this.#list.addEventListener('change', () => {
      if (this.#list.value !== '') this.#show(this.#list.value);
    });
  }

  enable(on: boolean): void {
    this.#list.disabled = !on;
    for (const button of this.#words.querySelectorAll('button')) button.disabled = !on;
  }

  offer(offered: SamplesOffered | null): void {
    const words = offered?.words ?? [];
    this.#list.hidden = offered === null;
    this.#note.textContent = noteOf(offered);
    this.#list.replaceChildren(
      this.#list.options[0]!,
      ...words.map(({ label, names }) =>
        element(
          'optgroup',
          { label: `“${isolated(label)}”` },
          ...names.map((name) => element('option', { value: name }, shortName(name))),
        ),
      ),
    );
    this.#words.replaceChildren(
      ...(words.length > MOST_BUTTONS ? [] : words).map(({ label, names }) => {
        const name = `Show a sample of ${isolated(label)}`;
        const button = element('button', { type: 'button', dir: 'auto', 'aria-label': name }, label);
        button.addEventListener('click', () => this.#showNext(names));
        return button;
      }),
    );
  }

  /** Marks a clip as the chosen one. */
  choose(name: string): void {
    this.#list.value = name;
  }

  /** The next clip of a word, so that every press shows another voice. */
  #showNext(names: readonly string[]): void {
    const next = names[(names.indexOf(this.#list.value) + 1) % names.length]!;
    this.#list.value = next;
    this.#show(next);
  }
}

/** What is said of a clip on its picture. */
export function sampleTitle(name: string): string {
  return `Sample ${isolated(shortName(name))}`;
}

function shortName(name: string): string {
  return name.replace(/\.\w+$/, '');
}

function noteOf(offered: SamplesOffered | null): string {
  if (offered === null) {
    return (
      'There are no clips of the words of this model here. Speak, or open sound files; or start the page with ' +
      '--data and the folder of your recordings, and they are offered here.'
    );
  }
  const folder = isolated(offered.folder);
  return {
    included: 'Voices made by computer.',
    training: `From ${folder}, which this model was trained on.`,
    named: `From ${folder}.`,
  }[offered.source];
}
