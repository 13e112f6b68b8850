import { byId } from './elements.js';
import type { Shown } from './shown.js';

/** Slower than this, a voice is no more than a rumble: it is not played. */
const SLOWEST_SOUND = 0.25;
/** Hz, what every browser plays. */
const PLAYED_RATES = [8000, 96_000] as const;

/** Plays a clip step by step, at the speed of speech or slower, with its sound. */
export class Replay {
  readonly #play = byId<HTMLButtonElement>('play');
  readonly #time = byId<HTMLInputElement>('time');
  readonly #position = byId<HTMLOutputElement>('position');
  readonly #moved: (step: number | null) => void;
  #shown: Shown | null = null;
  /** Steps that have been played, with fractions while it plays; null for all, without a cursor. */
  #at: number | null = null;
  #frame = 0;
  #sound: { context: AudioContext; source: AudioBufferSourceNode | null } | null = null;

  /** @param moved is called with the step at which the cursor is; null: it is gone, and all is seen */
  constructor(moved: (step: number | null) => void) {
    this.#moved = moved;
    this.#play.addEventListener('click', () => this.toggle());
    this.#time.addEventListener('input', () => this.#goTo(Number(this.#time.value)));
    byId('speeds').addEventListener('change', () => {
      if (this.playing) this.#start();
    });
  }

  get playing(): boolean {
    return this.#frame !== 0;
  }

  /** Takes another clip; null while there is none to be played. */
  load(shown: Shown | null): void {
    this.pause();
    this.#shown = shown;
    this.#at = null;
    const steps = shown?.steps ?? 0;
    this.#time.max = String(Math.max(0, steps - 1));
    this.#time.value = this.#time.max;
    this.#play.disabled = this.#time.disabled = shown === null;
    this.#tell();
  }

  toggle(): void {
    if (this.playing) this.pause();
    else if (this.#shown !== null) this.#start();
  }

  stepBy(steps: number): void {
    if (this.#shown === null) return;
    const last = this.#shown.steps - 1;
    const from = this.#at === null ? (steps > 0 ? -1 : last + 1) : Math.floor(this.#at);
    this.#goTo(Math.min(last, Math.max(0, from + steps)));
  }

  pause(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#sound?.source?.stop();
    if (this.#sound !== null) this.#sound.source = null;
    this.#play.textContent = 'Play';
  }

  #goTo(step: number): void {
    this.pause();
    this.#at = step;
    this.#tell();
    this.#moved(step);
  }

  #start(): void {
    const shown = this.#shown!;
    this.pause();
    const speed = Number(document.querySelector<HTMLInputElement>('#speeds input:checked')!.value);
    const from = this.#at === null || this.#at >= shown.steps - 1 ? 0 : this.#at;
    const began = performance.now();
    this.#playSound(shown, from * shown.step, speed);
    this.#play.textContent = 'Pause';
    const advance = (now: number) => {
      const at = from + (Math.max(0, now - began) / 1000 / shown.step) * speed;
      if (at >= shown.steps) {
        this.pause();
        this.#at = null;
      } else {
        this.#at = at;
        this.#frame = requestAnimationFrame(advance);
      }
      this.#tell();
      this.#moved(this.#at === null ? null : Math.floor(at));
    };
    this.#frame = requestAnimationFrame(advance);
  }

  /** @param from seconds in the picture, which need not begin where the sound does */
  #playSound({ samples, sampleRate, offset }: Shown, from: number, speed: number): void {
    const [lowest, highest] = PLAYED_RATES;
    const silent = speed < SLOWEST_SOUND || sampleRate < lowest || sampleRate > highest;
    const at = from - offset;
    if (silent || at * sampleRate >= samples.length) return;
    this.#sound ??= { context: new AudioContext(), source: null };
    const { context } = this.#sound;
    void context.resume();
    const buffer = context.createBuffer(1, samples.length, sampleRate);
    buffer.getChannelData(0).set(samples);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.playbackRate.value = speed;
    source.connect(context.destination);
    source.start(context.currentTime + Math.max(0, -at) / speed, Math.max(0, at));
    this.#sound.source = source;
  }

  #tell(): void {
    if (this.#shown === null) {
      this.#position.textContent = '';
      return;
    }
    const { steps, step } = this.#shown;
    const at = this.#at === null ? steps - 1 : Math.floor(this.#at);
    this.#time.value = String(at);
    const text = `${((at + 1) * step).toFixed(2)} s · step ${at + 1} of ${steps}`;
    this.#position.textContent = text;
    this.#time.setAttribute('aria-valuetext', text);
  }
}
