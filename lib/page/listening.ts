import { Tape } from '../audio/tape.js';
import type { Model } from '../model/model.js';
import type { Word, WordStream } from '../model/word-stream.js';
import { SonospikeError } from '../support/errors.js';
import { LIVE_SECONDS, MAX_WAITING } from './limits.js';
import { pack } from './message.js';
import { guessOf, heardSeconds, pictureMessage } from './picture.js';
import type { Live, Picture, ServerMessage } from './protocol.js';

/** Where the messages of a stream go. */
export interface Sender {
  send(message: ServerMessage | Uint8Array): void;
  /** Whether the client reads what it is sent, so that another picture is of use. */
  readonly keepsUp: boolean;
}

/**
 * A stream of one client. Of a microphone the client is told the words with a picture of each, and ten times a second
 * what the network makes of the last second; of a recording the words alone, whose pictures it asks for itself.
 */
export class Listening {
  /** The layer whose potentials live pictures have. */
  inspected: number | null = null;
  readonly id: number;
  readonly #model: Model;
  readonly #sampleRate: number;
  readonly #sender: Sender;
  readonly #withPictures: boolean;
  readonly #stream: WordStream;
  /** Samples that the network looks at. */
  readonly #seen: number;
  readonly #tape: Tape;
  #lookedAt = 0;
  #looking = false;
  #words = 0;
  /** Pictures of words that are being made, one after the other. */
  #pictures: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(id: number, sampleRate: number, model: Model, sender: Sender, withPictures: boolean) {
    this.id = id;
    this.#withPictures = withPictures;
    this.#model = model;
    this.#sampleRate = sampleRate;
    this.#sender = sender;
    this.#seen = Math.max(1, Math.round(heardSeconds(model.settings) * sampleRate));
    this.#tape = new Tape(this.#seen);
    this.#stream = model.stream({ sampleRate, keepSamples: withPictures });
    this.#stream.on('word', (word) => this.#found(word));
    this.#stream.on('rejected', (word) => this.#found(word));
    this.#stream.on('error', (error) => this.#failed(error));
    this.#stream.on('finish', () => void this.#finish());
  }

  /**
   * Hears more.
   * @param taken is called when that is done, or will never be
   */
  write(samples: Float32Array, taken: () => void): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) {
      taken();
      return;
    }
    this.#stream.write(samples, taken);
    if (!this.#withPictures) return;
    this.#tape.add(samples);
    void this.#look();
  }

  /** Ends the stream; its last word and `stopped` come when they are there. */
  stop(): void {
    if (!this.#stream.destroyed) this.#stream.end();
  }

  /** Ends it without another word. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** Shows the last second, unless the picture before is still on its way. */
  async #look(): Promise<void> {
    const heard = this.#tape.length;
    const due = heard - this.#lookedAt >= LIVE_SECONDS * this.#sampleRate;
    if (!due || this.#looking || !this.#sender.keepsUp) return;
    this.#looking = true;
    this.#lookedAt = heard;
    const samples = this.#tape.cut(heard - this.#seen, heard);
    try {
      this.#sender.send(await this.#livePicture(samples, heard));
    } finally {
      this.#looking = false;
    }
  }

  async #livePicture(samples: Float32Array, heard: number): Promise<Uint8Array> {
    try {
      const seen = await this.#model.observe({ samples, sampleRate: this.#sampleRate });
      const layers = this.inspected === null ? [] : [this.inspected];
      return pictureMessage<Live>(this.#now(samples.length, heard), seen, this.#model.settings, layers);
    } catch {
      // Silence, NaN (of which the stream itself complains), or too much to show.
      return pack({ ...this.#now(samples.length, heard), activity: null }, {});
    }
  }

  /** As it is when the picture is sent: a word may have been told since its samples were taken. */
  #now(shown: number, heard: number): Omit<Live, 'activity'> {
    const { level, speaking } = this.#stream;
    return {
      type: 'live',
      id: this.id,
      heard,
      shown,
      level: Number.isFinite(level) ? level : null,
      speaking,
    };
  }

  #found(word: Word): void {
    const number = this.#words++;
    const { start, end, samples } = word;
    this.#sender.send({ type: 'word', id: this.id, word: number, guess: guessOf(word), start, end });
    if (samples === undefined || this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    this.#pictures = this.#pictures.then(() => this.#show(number, word, samples));
  }

  async #show(number: number, { confidence, rejected }: Word, samples: Float32Array): Promise<void> {
    const about: Omit<Picture, 'activity'> = {
      type: 'picture',
      id: this.id,
      of: 'word',
      word: number,
      sampleRate: this.#sampleRate,
    };
    try {
      const observed = await this.#model.observe({ samples, sampleRate: this.#sampleRate });
      // The stream's confidence allows for the choice of these samples.
      const seen = { ...observed, confidence, rejected };
      const layers = [...seen.layers.keys()];
      this.#sender.send(pictureMessage<Picture>(about, seen, this.#model.settings, layers, samples));
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#waiting--;
    }
  }

  async #finish(): Promise<void> {
    await this.#pictures;
    this.#sender.send({ type: 'stopped', id: this.id });
  }

  #failed(error: unknown): void {
    this.#sender.send(errorMessage(this.id, error));
  }
}

/** What a client is told of an error; of one that should not be, no more than that. */
export function errorMessage(id: number | null, error: unknown): ServerMessage {
  if (error instanceof SonospikeError) return { type: 'error', id, code: error.code, message: error.message };
  return { type: 'error', id, code: 'ERR_INTERNAL', message: 'Something went wrong in the server.' };
}
