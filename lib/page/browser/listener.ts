import type { Connection } from './connection.js';
import { type Microphone, openMicrophone } from './microphone.js';

export type ListenerState = 'off' | 'asking' | 'on';

interface Handlers {
  state(state: ListenerState): void;
  /** dBFS of what has just come in. */
  level(level: number): void;
  problem(message: string): void;
}

/** Seconds that are heard on after the button is let go: the end of the word is still on its way. */
const TRAIL = 0.3;
/** Seconds of sound that are kept, to be drawn beside what the server says of them. */
const KEPT = 4;
/** Seconds of sound that may wait for the server. */
const MOST_WAITING = 5;

/** Sends what the microphone hears to the server. */
export class Listener {
  readonly #connection: Connection;
  readonly #handlers: Handlers;
  #microphone: Microphone | null = null;
  #state: ListenerState = 'off';
  #recent = new Float32Array(0);
  #heard = 0;
  #id = 0;
  #ending = 0;

  constructor(connection: Connection, handlers: Handlers) {
    this.#connection = connection;
    this.#handlers = handlers;
  }

  get state(): ListenerState {
    return this.#state;
  }

  /** Number of the listening in hand, or of the last one. */
  get id(): number {
    return this.#id;
  }

  /** Hz. */
  get sampleRate(): number {
    return this.#recent.length / KEPT;
  }

  /** Samples that have been sent since it listens. */
  get heard(): number {
    return this.#heard;
  }

  async start(): Promise<void> {
    clearTimeout(this.#ending);
    if (this.#state !== 'off') return;
    this.#become('asking');
    try {
      const microphone = await openMicrophone({
        samples: (samples) => this.#take(samples),
        lost: () => {
          this.#handlers.problem('The microphone is gone. Plug it in and press Speak again.');
          this.stop();
        },
      });
      this.#microphone = microphone;
      this.#recent = new Float32Array(KEPT * microphone.sampleRate);
      this.#become('on');
      this.begin();
    } catch (error) {
      this.#become('off');
      this.#handlers.problem((error as Error).message);
    }
  }

  /** Tells the server to listen; again after the connection was lost. */
  begin(): void {
    if (this.#microphone === null) return;
    this.#heard = 0;
    this.#id = this.#connection.nextId();
    const { sampleRate } = this.#microphone;
    this.#connection.send({ type: 'listen', id: this.#id, sampleRate, pictures: true });
  }

  /** Stops a moment later, so that the end of the word is heard. */
  stopSoon(): void {
    clearTimeout(this.#ending);
    this.#ending = window.setTimeout(() => this.stop(), TRAIL * 1000);
  }

  stop(): void {
    clearTimeout(this.#ending);
    if (this.#microphone === null) return;
    this.#microphone.close();
    this.#microphone = null;
    this.#connection.send({ type: 'stop', id: this.#id });
    this.#become('off');
  }

  /** The `count` samples before sample `end` of the stream, as far as they are kept. */
  recent(end: number, count: number): Float32Array {
    const size = this.#recent.length;
    const samples = new Float32Array(count);
    const oldest = Math.max(0, this.#heard - size);
    for (let i = 0; i < count; i++) {
      const at = end - count + i;
      if (at >= oldest && at < this.#heard) samples[i] = this.#recent[at % size]!;
    }
    return samples;
  }

  #take(samples: Float32Array): void {
    if (this.#microphone === null) return;
    const { sampleRate } = this.#microphone;
    if (this.#connection.waiting > 4 * MOST_WAITING * sampleRate) {
      this.#handlers.problem('The connection to the server is too slow for sound.');
      this.stop();
      return;
    }
    this.#connection.send({ type: 'audio', id: this.#id }, { samples });
    let power = 0;
    for (const [i, value] of samples.entries()) {
      this.#recent[(this.#heard + i) % this.#recent.length] = value;
      power += value * value;
    }
    this.#heard += samples.length;
    this.#handlers.level(10 * Math.log10(power / samples.length));
  }

  #become(state: ListenerState): void {
    this.#state = state;
    this.#handlers.state(state);
  }
}
