import type { SamplesOffered } from '../protocol.js';
import { droppedFiles } from './dropped.js';
import { byId } from './elements.js';
import type { Listener, ListenerState } from './listener.js';
import { OpenedFiles } from './opened-files.js';
import type { Requests } from './requests.js';
import { Samples, sampleTitle } from './samples.js';
import type { View } from './view.js';

/** Milliseconds from which on a press is a hold: letting go ends the listening. */
const HOLD = 400;
/** dBFS at the left end of the meter. */
const QUIETEST = -60;
/** Seconds without a sound, and the dBFS below which there is none, until the user is asked about the microphone. */
const SILENT = { seconds: 4, level: -75 };

/** Where sound comes from: microphone, files and samples, with the keys and the meter that go with them. */
export class Sound {
  readonly #requests: Requests;
  readonly #listener: Listener;
  readonly #view: () => View | null;
  readonly #speak = byId<HTMLButtonElement>('speak');
  readonly #samples = new Samples((name) => void this.#showSample(name, true));
  readonly #files: OpenedFiles;
  readonly #file = byId<HTMLInputElement>('file');
  readonly #meter = byId<HTMLMeterElement>('meter');
  readonly #problem = byId('problem');
  #pressedAt = 0;
  #soundAt = 0;
  #connected = false;
  /** Whether the user was asked about the microphone. */
  #asked = false;
  /** Counts what was asked to be seen, so that what comes late does not push away what was asked for since. */
  #turn = 0;

  constructor(requests: Requests, listener: Listener, view: () => View | null) {
    this.#requests = requests;
    this.#listener = listener;
    this.#view = view;
    this.#files = new OpenedFiles(requests, {
      view,
      begin: () => this.#begin(),
      problem: (message) => this.problem(message),
    });
    this.#listenToButton();
    this.#listenToKeys();
    this.#listenToFiles();
  }

  enable(on: boolean): void {
    this.#connected = on;
    this.#enableSpeak();
    this.#samples.enable(on);
    this.#file.disabled = !on;
  }

  /** A microphone that is open can be closed also without a server. */
  #enableSpeak(): void {
    this.#speak.disabled = !this.#connected && this.#listener.state === 'off';
  }

  /** @param first whether one of the samples is to be shown at once */
  offer(samples: SamplesOffered | null, first: boolean): void {
    this.#samples.offer(samples);
    if (first && samples !== null) {
      this.#samples.choose(samples.first);
      void this.#showSample(samples.first, false);
    }
  }

  problem(message: string | null): void {
    this.#asked = false;
    this.#problem.hidden = message === null;
    if (message !== null && this.#problem.textContent !== message) this.#problem.textContent = message;
    if (message === null) this.#problem.textContent = '';
  }

  listening(state: ListenerState): void {
    this.#speak.dataset.state = state;
    this.#speak.setAttribute('aria-pressed', String(state === 'on'));
    byId('speak-text').textContent = { off: 'Speak', asking: 'Asking …', on: 'Listening' }[state];
    if (state === 'on') {
      this.#soundAt = performance.now();
      this.#turn++;
      this.#files.leave();
    }
    if (state !== 'on') this.level(Number.NEGATIVE_INFINITY);
    if (state === 'on') this.#view()?.listening();
    if (state === 'off') this.#view()?.ended();
    if (state === 'off' && !this.#connected) this.#view()?.stopped();
    this.#enableSpeak();
  }

  /** @param level dBFS of the last moment */
  level(level: number): void {
    const shown = Math.max(QUIETEST, Math.min(0, level));
    this.#meter.value = shown;
    this.#meter.style.setProperty('--level', (1 - shown / QUIETEST).toFixed(3));
    if (level > SILENT.level) {
      this.#soundAt = performance.now();
      if (this.#asked) this.problem(null);
    } else if (this.#listener.state === 'on' && performance.now() - this.#soundAt > 1000 * SILENT.seconds) {
      this.problem('Nothing is to be heard. Is the right microphone chosen, and is it switched on?');
      this.#asked = true;
    }
  }

  #press(): void {
    this.#pressedAt = performance.now();
    this.problem(null);
    if (this.#listener.state === 'on') this.#listener.stopSoon();
    else void this.#listener.start();
  }

  /** A short press begins, and another one ends; a long one lasts as long as it is held. */
  #release(): void {
    if (performance.now() - this.#pressedAt > HOLD && this.#listener.state === 'on')
      this.#listener.stopSoon();
  }

  #listenToButton(): void {
    let byPointer = false;
    let held = false;
    this.#speak.addEventListener('pointerdown', ({ button }) => {
      if (button !== 0) return;
      byPointer = held = true;
      this.#press();
    });
    for (const end of ['pointerup', 'pointercancel']) {
      addEventListener(end, () => {
        if (held) this.#release();
        held = false;
      });
    }
    // Keys and assistive technology click without a pointer; a pointer that is let go elsewhere does not click.
    this.#speak.addEventListener('click', ({ detail }) => {
      if (!byPointer || detail === 0) this.#press();
      byPointer = false;
    });
  }

  #listenToKeys(): void {
    let held = false;
    addEventListener('keydown', (event) => {
      // A dialog has its own keys.
      if (document.querySelector('dialog[open]') !== null) return;
      if (event.key === 'Escape' && this.#listener.state === 'on') this.#listener.stop();
      if (event.key !== ' ' || event.repeat || !isFree(event.target) || this.#speak.disabled) return;
      event.preventDefault();
      held = true;
      this.#press();
    });
    addEventListener('keydown', (event) => {
      if (event.key === ' ' && event.repeat && held) event.preventDefault();
    });
    addEventListener('keyup', (event) => {
      if (event.key !== ' ' || !held) return;
      event.preventDefault();
      held = false;
      this.#release();
    });
  }

  #listenToFiles(): void {
    this.#file.addEventListener('change', () => {
      this.#openFiles(this.#file.files ?? []);
      // The same file can be chosen again.
      this.#file.value = '';
    });
    let inside = 0;
    const mark = (by: number) => {
      inside = Math.max(0, inside + by);
      document.body.classList.toggle('dropping', inside > 0);
    };
    addEventListener('dragenter', () => mark(1));
    addEventListener('dragleave', () => mark(-1));
    addEventListener('dragover', (event) => event.preventDefault());
    addEventListener('drop', (event) => {
      event.preventDefault();
      mark(-inside);
      if (event.dataTransfer === null) return;
      droppedFiles(event.dataTransfer).then(
        (files) => this.#openFiles(files),
        ({ message }: Error) => this.problem(`The folder cannot be read: ${message}`),
      );
    });
  }

  #openFiles(files: Iterable<File>): void {
    const all = [...files];
    if (all.length === 0) this.problem('There is no sound file in it.');
    else if (this.#connected) this.#files.add(all);
    else this.problem('There is no connection to the server.');
  }

  /** @param kept whether it is to be among those that can be seen again: one that nobody has asked for is not */
  async #showSample(name: string, kept: boolean): Promise<void> {
    this.problem(null);
    this.#files.leave();
    const turn = this.#begin();
    try {
      const { message, arrays } = await this.#requests.sample(name);
      const view = this.#view();
      if (view !== null && turn === this.#turn) {
        view.showClip(view.heardOf(message, arrays), sampleTitle(name), kept);
      }
    } catch (error) {
      this.problem((error as Error).message);
    }
  }

  /** Something else is to be shown, which ends the listening. */
  #begin(): number {
    this.#listener.stop();
    return ++this.#turn;
  }
}

/** Whether the space bar means nothing else to what it was pressed on. */
function isFree(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('button:not(#speak), input, select, summary, canvas, #picture') === null
  );
}
