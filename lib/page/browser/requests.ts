import type { Decoded, Picture, ServerMessage, WordFound } from '../protocol.js';
import type { Arrays, Connection } from './connection.js';

/** A message of the server with its arrays. */
export interface Answer<T extends ServerMessage = ServerMessage> {
  message: T;
  arrays: Arrays;
}

interface Waiting {
  done(answer: Answer): void;
  fail(error: Error): void;
  /** Of a recording: takes its words. */
  found?(word: WordFound): void;
}

/** Why the server has not answered as it was asked to. */
export class RequestError extends Error {
  /** ERR_LOST: the connection was lost. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Seconds of a message of a recording. */
const CHUNK = 0.5;
/** Bytes of a recording that may wait for the server, and milliseconds until it is looked again. */
const MOST_WAITING = 2 ** 21;
const PAUSE = 15;

/** Questions to the server, with a promise for the answer of each. */
export class Requests {
  readonly #connection: Connection;
  readonly #waiting = new Map<number, Waiting>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * A clip that the server offers, with its picture.
   * @throws RequestError with the server's reason; ERR_LOST where the connection is lost before the answer has come
   */
  sample(name: string): Promise<Answer<Picture>> {
    return this.#ask((id) => this.#connection.send({ type: 'sample', id, name }));
  }

  /**
   * The picture of a clip.
   * @param sampleRate Hz
   * @throws RequestError as `sample`
   */
  clip(samples: Float32Array, sampleRate: number): Promise<Answer<Picture>> {
    return this.#ask((id) => this.#connection.send({ type: 'clip', id, sampleRate }, { samples }));
  }

  /**
   * The samples of a sound file.
   * @throws RequestError as `sample`
   */
  decode(bytes: Uint8Array): Promise<Answer<Decoded>> {
    return this.#ask((id) => this.#connection.send({ type: 'decode', id }, { bytes }));
  }

  /**
   * Has the server find the words in a recording; resolves when all have come.
   * @param found is called with each word
   * @param progress is called with the share of the recording that has been heard
   * @throws RequestError as `ask`
   */
  async findWords(
    { samples, sampleRate }: { samples: Float32Array; sampleRate: number },
    found: (word: WordFound) => void,
    progress: (share: number) => void,
  ): Promise<void> {
    const id = this.#connection.nextId();
    const ended = this.#wait(id, found);
    // It is waited for below.
    ended.catch(() => {});
    if (!this.#connection.send({ type: 'listen', id, sampleRate, pictures: false })) this.lost();
    const chunk = Math.ceil(CHUNK * sampleRate);
    for (let at = 0; at < samples.length && this.#waiting.has(id); at += chunk) {
      while (this.#waiting.has(id) && this.#connection.waiting > MOST_WAITING)
        await new Promise((done) => setTimeout(done, PAUSE));
      this.#connection.send({ type: 'audio', id }, { samples: samples.slice(at, at + chunk) });
      progress(Math.max(0, at - this.#connection.waiting / samples.BYTES_PER_ELEMENT) / samples.length);
    }
    this.#connection.send({ type: 'stop', id });
    await ended;
  }

  /** Takes a message of the server, if it answers a question. */
  take(message: ServerMessage, arrays: Arrays): boolean {
    if (!('id' in message) || message.id === null) return false;
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return false;
    if (message.type === 'word') {
      waiting.found?.(message);
      return true;
    }
    this.#waiting.delete(message.id);
    if (message.type === 'error') waiting.fail(new RequestError(message.code, message.message));
    else waiting.done({ message, arrays });
    return true;
  }

  /** The connection is lost: what was asked will not be answered. */
  lost(): void {
    const error = new RequestError('ERR_LOST', 'The connection to the server was lost. Try again.');
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }

  #ask<T extends ServerMessage>(send: (id: number) => boolean): Promise<Answer<T>> {
    const id = this.#connection.nextId();
    const answer = this.#wait(id);
    if (!send(id)) this.lost();
    return answer as Promise<Answer<T>>;
  }

  #wait(id: number, found?: (word: WordFound) => void): Promise<Answer> {
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail, ...(found === undefined ? {} : { found }) });
    });
  }
}
