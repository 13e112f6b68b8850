import { type ConfidenceSettings, judge } from '../../settings/confidence.js';
import type { ModelSettings } from '../../settings/settings.js';
import type { Encoded, Guess, Hello, Live, Picture, WordFound } from '../protocol.js';
import { Answer, type Belief, type Heard, type HeardAndShown } from './answer.js';
import type { Arrays, Connection } from './connection.js';
import { byId } from './elements.js';
import { Encodings } from './encodings.js';
import { Inspector } from './inspector.js';
import type { Listener } from './listener.js';
import { Panels } from './panels.js';
import { Replay } from './replay.js';
import { saveSvg } from './save.js';
import { type Shown, shownOf } from './shown.js';

/** Milliseconds between two live pictures for those who want little to move. */
const CALM = 500;
/** Words that can be measured. */
const KEPT_MARKS = 100;

/** Everything that is to be seen of one model. */
export class View {
  readonly settings: ModelSettings;
  readonly #confidence: ConfidenceSettings | null;
  /** As the server has said it. */
  readonly #model: string;
  readonly #panels: Panels;
  readonly #inspector: Inspector;
  readonly #encodings: Encodings;
  readonly #answer: Answer;
  readonly #replay: Replay;
  readonly #title = byId('picture-title');
  readonly #save = byId<HTMLButtonElement>('save');
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #shown: Shown | null = null;
  /** Words of the microphone whose picture is on its way, by their number. */
  #pending = new Map<number, Heard>();
  /** A picture stays until somebody speaks again, */
  #held = false;
  /** or, if it was chosen, until the next listening. */
  #chosen = false;
  #drawnAt = 0;
  /** Whether the microphone has been opened, and no word has come since. */
  #unanswered = false;

  constructor(hello: Hello, arrays: Arrays, connection: Connection) {
    const { settings } = hello;
    this.settings = settings;
    this.#confidence = hello.confidence;
    this.#model = modelText(hello, arrays);
    const thresholds = settings.network.layers.map((_, k) => arrays[`threshold.${k}`] as Float32Array);
    this.#inspector = new Inspector(settings, thresholds, (layer) =>
      connection.send({ type: 'inspect', layer }),
    );
    this.#panels = new Panels(byId('panels'), settings, (layer) => {
      if (this.#shown !== null) this.#inspector.inspect(layer, this.#shown);
    });
    this.#answer = new Answer(settings.labels, hello.confidence !== null, (heard) => this.#choose(heard));
    this.#encodings = new Encodings(connection);
    this.#replay = new Replay((step) => this.#moved(step));
    this.#save.onclick = () => {
      if (this.#shown !== null) saveSvg(this.#shown, settings, this.#title.textContent ?? '');
    };
    this.#listenToKeys();
  }

  isOf(hello: Hello, arrays: Arrays): boolean {
    return modelText(hello, arrays) === this.#model;
  }

  /** The server is there again. */
  connected(): void {
    this.#inspector.connected();
  }

  /** The microphone is open. */
  listening(): void {
    this.#held = this.#chosen = false;
    this.#pending.clear();
    this.#unanswered = true;
    this.#answer.say('listening', '…', 'Listening');
    this.#answer.mark(null);
  }

  /** The microphone is closed; words may still come. */
  ended(): void {
    if (this.#shown?.live === true) this.#replay.load(null);
  }

  /** All words have come. */
  stopped(): void {
    if (this.#unanswered) this.#answer.say('none', '–', 'No word was heard');
    this.#unanswered = false;
  }

  live(message: Live, arrays: Arrays, listener: Listener): void {
    if (message.speaking && this.#held) {
      this.#held = false;
      this.#answer.fade();
    }
    const now = performance.now();
    const busy = this.#held || this.#chosen || listener.state !== 'on';
    if (message.activity === null || busy || (this.#calm.matches && now - this.#drawnAt < CALM)) return;
    this.#drawnAt = now;
    const samples = listener.recent(message.heard, message.shown);
    const sound = { samples, sampleRate: listener.sampleRate };
    this.#show(shownOf(message.activity, arrays, sound, this.settings, true), 'The last second');
  }

  word(message: WordFound, listener: Listener): void {
    const heard: Heard = { guess: message.guess, shown: null };
    this.#pending.set(message.word, heard);
    this.#unanswered = false;
    this.#held = true;
    this.#answer.tell(heard.guess);
    this.#answer.add(heard);
    // Of a page that is open for days only the last ones are kept.
    if (message.word % KEPT_MARKS === 0) performance.clearMarks('word');
    // To be measured: how long after its end a word is on the screen, in seconds of the stream.
    requestAnimationFrame(() => {
      const detail = { ...message, shownAt: listener.heard / listener.sampleRate };
      performance.mark('word', { detail });
    });
  }

  /** Of a word of the microphone, which has been told already. */
  picture(message: Picture, arrays: Arrays): void {
    const { word } = message;
    const heard = this.#pending.get(word);
    if (heard === undefined) return;
    this.#pending.delete(word);
    heard.shown = this.heardOf(message, arrays, heard.guess).shown;
    if (!this.#chosen) this.#showHeard(heard, 'The last word');
  }

  encoded(message: Encoded, arrays: Arrays): void {
    this.#encodings.take(message, arrays);
  }

  /** What is said of a sound, on one line. */
  telling(guess: Guess): string {
    return this.#answer.telling(guess);
  }

  /**
   * A sound with its picture.
   * @param guess of a word in a stream, whose verdict holds
   */
  heardOf({ activity, sampleRate }: Picture, arrays: Arrays, guess = activity.guess): HeardAndShown {
    const sound = { samples: arrays.samples as Float32Array, sampleRate };
    return { guess, shown: shownOf({ ...activity, guess }, arrays, sound, this.settings, false) };
  }

  /**
   * Shows a clip.
   * @param kept whether it is to be among those that can be seen again
   */
  showClip(heard: HeardAndShown, title: string, kept: boolean): void {
    this.stopped();
    this.#chosen = false;
    if (kept) this.#answer.add(heard);
    this.#showHeard(heard, title);
  }

  #choose(heard: Heard): void {
    if (heard.shown === null) return;
    this.#chosen = true;
    this.#showHeard(heard, 'A word of before');
  }

  #showHeard(heard: Heard, title: string): void {
    this.#answer.tell(heard.guess);
    this.#answer.mark(heard);
    this.#show(heard.shown!, title);
    this.#encodings.show(heard.shown!);
  }

  #show(shown: Shown, title: string): void {
    this.#shown = shown;
    this.#title.textContent = title;
    this.#save.disabled = shown.live;
    this.#panels.show(shown);
    this.#panels.moveCursor(null);
    this.#inspector.show(shown);
    this.#replay.load(shown.live ? null : shown);
    this.#answer.score(beliefOf(shown.guess, this.settings));
  }

  #moved(step: number | null): void {
    const { steps, running, guess } = this.#shown!;
    const classes = this.settings.labels.length;
    this.#panels.moveCursor(step === null ? null : (step + 1) / steps);
    const whole = step === null || step === steps - 1;
    this.#answer.score(
      whole
        ? beliefOf(guess, this.settings)
        : beliefIn(running.subarray(step * classes, (step + 1) * classes), this.#confidence),
    );
  }

  /** Within the picture, space plays and arrows step; arrows do so everywhere else where they mean nothing. */
  #listenToKeys(): void {
    addEventListener('keydown', (event) => {
      if (this.#inspector.open || event.altKey || event.ctrlKey || event.metaKey) return;
      const target = event.target as Element;
      if (target.closest('select, input:not(#time), [type=radio]') !== null) return;
      const within = target.closest('#picture') !== null;
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step !== undefined && this.#shown?.live === false) this.#replay.stepBy(step);
      else if (event.key === ' ' && within && target.closest('button') === null) this.#replay.toggle();
      else return;
      event.preventDefault();
    });
  }
}

function beliefOf(guess: Guess, { labels }: ModelSettings): Belief {
  return { ...guess, best: labels.indexOf(guess.label) };
}

/** As the server would judge a clip whose softmax this is. */
function beliefIn(softmax: Float32Array, settings: ConfidenceSettings | null): Belief {
  const best = softmax.indexOf(Math.max(...softmax));
  return { softmax: [...softmax], best, ...judge(settings, softmax, best) };
}

/** What is different for every other model, and version of the page. */
function modelText({ version, model, settings }: Hello, thresholds: Arrays): string {
  const values = Object.values(thresholds).map((array) => [...array]);
  return JSON.stringify({ version, model, settings, values });
}
