import { heardSeconds } from '../picture.js';
import type { HeardAndShown } from './answer.js';
import { type Recording, readRecording, withName } from './decode.js';
import { byId, element } from './elements.js';
import { clock, counted, isolated } from './names.js';
import { type FoundWord, RecordingView } from './recording.js';
import type { Requests } from './requests.js';
import type { View } from './view.js';

/** Files in the list; of more the oldest go. */
const KEPT = 100;
/** Words of a recording that are named in the list. */
const NAMED = 6;

/** A file in the list. */
interface Opened {
  file: File;
  item: HTMLElement;
  button: HTMLButtonElement;
  result: HTMLElement;
  /** Of a short clip: what is shown of it. */
  clip: HeardAndShown | null;
  /** Of a longer recording: its words. */
  words: FoundWord[] | null;
}

/** A recording in the timeline, with its samples. */
interface Open {
  opened: Opened;
  recording: Recording;
}

interface Handlers {
  view(): View | null;
  /** The sound of before is no longer of interest. */
  begin(): void;
  problem(message: string | null): void;
}

/** The files that were dropped or chosen: each is recognised, and its result can be opened. */
export class OpenedFiles {
  readonly #requests: Requests;
  readonly #handlers: Handlers;
  readonly #section = byId('files');
  readonly #list = byId('file-list');
  readonly #status = byId('files-status');
  readonly #recordingView = new RecordingView((index) => void this.#showWord(index));
  #all: Opened[] = [];
  /** Files are read one after the other. */
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** The file whose words are in the timeline, with its samples. */
  #open: Open | null = null;
  /** The word that is asked for; while one is on its way, only the last one that was chosen comes after it. */
  #wanted: { index: number } | null = null;
  #showing = false;
  /** Counts what was asked to be seen, so that what comes late does not push away what was chosen since. */
  #turn = 0;

  constructor(requests: Requests, handlers: Handlers) {
    this.#requests = requests;
    this.#handlers = handlers;
  }

  /** Recognises files, and opens the first of them. */
  add(files: readonly File[]): void {
    this.#section.hidden = false;
    const turn = this.#begin();
    if (files.length > KEPT) {
      this.#handlers.problem(`These are ${files.length} files. The first ${KEPT} of them are opened.`);
    }
    const added = files.slice(0, KEPT).map((file) => this.#listed(file));
    this.#waiting += added.length;
    for (const [k, opened] of added.entries()) {
      this.#work = this.#work.then(() => this.#recognise(opened, k === 0 ? turn : -1, files.length === 1));
    }
    this.#tell();
  }

  /** Something else is shown. */
  leave(): void {
    this.#turn++;
    this.#open = null;
    this.#wanted = null;
    this.#recordingView.close();
    this.#mark(null);
  }

  #begin(): number {
    this.leave();
    this.#handlers.begin();
    this.#handlers.problem(null);
    return this.#turn;
  }

  #listed(file: File): Opened {
    const button = element('button', { type: 'button' }, element('bdi', {}, file.name));
    const result = element('span', { class: 'result' }, 'waiting …');
    const item = element('li', {}, button, result);
    const opened: Opened = { file, item, button, result, clip: null, words: null };
    button.disabled = true;
    button.addEventListener('click', () => void this.#reopen(opened));
    this.#list.append(item);
    this.#all.push(opened);
    if (this.#all.length > KEPT) this.#all.shift()!.item.remove();
    return opened;
  }

  /**
   * @param turn at which it is to be opened when it is there; -1: not at all
   * @param alone whether what goes wrong is told above the list too
   */
  async #recognise(opened: Opened, turn: number, alone: boolean): Promise<void> {
    const { file, result } = opened;
    const wanted = () => turn === this.#turn;
    try {
      result.textContent = 'reading …';
      const view = this.#handlers.view()!;
      const recording = await readRecording(file, this.#requests, view.settings.sampleRate);
      const seconds = recording.samples.length / recording.sampleRate;
      if (seconds <= heardSeconds(view.settings)) {
        await this.#recogniseClip(opened, recording, view);
        if (wanted()) this.#showClip(opened);
      } else await this.#recogniseWords(opened, recording, wanted);
      opened.button.disabled = false;
      const { remarks } = recording;
      if (remarks.length > 0) result.append(element('span', { class: 'remarks' }, ` ${remarks.join(' ')}`));
    } catch (error) {
      const { message } = error as Error;
      result.textContent = message.includes(file.name) ? message : withName(file.name, error as Error);
      opened.item.classList.add('failed');
      if (alone) this.#handlers.problem(result.textContent);
    } finally {
      this.#waiting--;
      this.#tell();
    }
  }

  async #recogniseClip(opened: Opened, { samples, sampleRate }: Recording, view: View): Promise<void> {
    const { message, arrays } = await this.#requests.clip(samples, sampleRate);
    opened.clip = view.heardOf(message, arrays);
    opened.result.textContent = view.telling(opened.clip.guess);
  }

  async #recogniseWords(opened: Opened, recording: Recording, wanted: () => boolean): Promise<void> {
    const words: FoundWord[] = [];
    opened.words = words;
    const isOpen = () => this.#open?.opened === opened;
    if (wanted()) {
      this.#open = { opened, recording };
      this.#recordingView.open(opened.file.name, recording, words);
      this.#mark(opened);
    }
    await this.#requests.findWords(
      recording,
      (word) => {
        words.push(word);
        if (!isOpen()) return;
        this.#recordingView.update();
        if (words.length === 1) void this.#showWord(0);
      },
      (share) => {
        opened.result.textContent = `listening, ${Math.round(100 * share)}% …`;
      },
    );
    opened.result.textContent = summaryOf(words);
    if (words.length === 0 && wanted()) {
      this.#handlers.problem(`${isolated(opened.file.name)} has no word in it, only silence or noise.`);
    }
  }

  /** A file of the list is to be seen again; of a recording only the open one's samples are kept. */
  async #reopen(opened: Opened): Promise<void> {
    const turn = this.#begin();
    if (opened.clip !== null) {
      this.#showClip(opened);
      return;
    }
    try {
      const rate = this.#handlers.view()!.settings.sampleRate;
      const recording = await readRecording(opened.file, this.#requests, rate);
      if (turn !== this.#turn) return;
      this.#open = { opened, recording };
      this.#recordingView.open(opened.file.name, recording, opened.words!);
      this.#mark(opened);
      if (opened.words!.length > 0) await this.#showWord(0);
    } catch (error) {
      this.#handlers.problem((error as Error).message);
    }
  }

  #showClip(opened: Opened): void {
    this.#mark(opened);
    this.#handlers.view()!.showClip(opened.clip!, opened.file.name, false);
  }

  async #showWord(index: number): Promise<void> {
    this.#recordingView.mark(index);
    this.#wanted = { index };
    if (this.#showing) return;
    this.#showing = true;
    try {
      while (this.#wanted !== null && this.#open !== null) {
        const { index: now } = this.#wanted;
        this.#wanted = null;
        await this.#askForWord(now, this.#open);
      }
    } catch (error) {
      this.#handlers.problem((error as Error).message);
    } finally {
      this.#showing = false;
    }
  }

  async #askForWord(index: number, { opened, recording }: Open): Promise<void> {
    const { sampleRate, samples: all } = recording;
    const { guess, start, end } = opened.words![index]!;
    const samples = all.slice(Math.round(start * sampleRate), Math.round(end * sampleRate));
    const { message, arrays } = await this.#requests.clip(samples, sampleRate);
    if (this.#open?.opened !== opened || this.#wanted !== null) return;
    const view = this.#handlers.view()!;
    view.showClip(
      view.heardOf(message, arrays, guess),
      `${isolated(opened.file.name)} at ${clock(start)}`,
      false,
    );
  }

  #mark(opened: Opened | null): void {
    for (const each of this.#all) each.button.setAttribute('aria-current', String(each === opened));
  }

  #tell(): void {
    const left = this.#waiting;
    this.#status.textContent = left === 0 ? '' : `${left} to be read …`;
  }
}

function summaryOf(words: readonly FoundWord[]): string {
  const known = words.filter(({ guess }) => !guess.rejected).map(({ guess }) => guess.label);
  const others = words.length - known.length;
  if (words.length === 0) return 'no word, only silence or noise';
  if (known.length === 0) return `${counted(others, 'sound')}, no word I know`;
  const rest = others === 0 ? '' : `, and ${counted(others, 'other sound')}`;
  const named = known.slice(0, NAMED).map(isolated).join(' ');
  return `${counted(known.length, 'word')}: ${named}${known.length > NAMED ? ' …' : ''}${rest}`;
}
