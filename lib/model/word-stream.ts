import { Writable } from 'node:stream';
import { types } from 'node:util';
import { MAX_SAMPLE_RATE } from '../audio/wav.js';
import type { NativeModel, NativeSound, NativeStream } from '../native/addon.js';
import { fromNative, guard } from '../native/errors.js';
import { native } from '../native/load.js';
import type { ModelSettings } from '../settings/settings.js';
import { SonospikeError } from '../support/errors.js';
import { abortSignal, checkSeed, flag, integer, number, optionsObject, refuse } from '../support/options.js';
import { type Namer, namedPrediction, type Prediction } from './prediction.js';

export interface StreamOptions {
  /** Hz of what is written, from 1000; default: the model's own rate. */
  sampleRate?: number;
  /** As in `predict`. */
  seed?: number;
  /** Seconds of silence that end a word, from 0.05 to 5. Default 0.25. */
  endSilence?: number;
  /** Whether words carry `samples`. Default false. */
  keepSamples?: boolean;
  /** Destroys the stream with ERR_ABORTED. */
  signal?: AbortSignal;
}

/**
 * A sound that was found in a stream, with what `predict` says of the same samples; but `rejected` is the verdict of the
 * stream, which hears a sound that the model is not sure of several times.
 */
export interface Word extends Prediction {
  /** Seconds in the stream, exactly on a sample. */
  start: number;
  end: number;
  /** What was heard, at the stream's rate; with `keepSamples`. */
  samples?: Float32Array;
}

/** What a stream needs of its model. */
interface Listening extends Namer {
  readonly native: NativeModel;
  readonly settings: Readonly<ModelSettings>;
}

/** Hz; at less there is no room for the bands in which a stream listens. */
export const MIN_SAMPLE_RATE = 1000;

type Listener = Parameters<Writable['on']>[1];
type WordListener = (word: Word) => void;
type Done = (error?: Error | null) => void;

const OPTIONS = ['sampleRate', 'seed', 'endSilence', 'keepSamples', 'signal'] as const;
/** Seconds: longer than pauses within words. From 0.15 to 0.35 s as many of FSDD's training clips are found. */
const END_SILENCE = 0.25;
/** Words that wait for an iterator or a listener; with more, nothing is taken in. */
const MOST_WAITING = 16;

/**
 * Finds the words in a stream of samples and recognises each, as it is spoken. Made by `model.stream()`.
 *
 * Takes mono samples as Float32Array (nominally in [-1, 1]), Int16Array, or Buffer (16-bit little-endian), of any
 * length; the words do not depend on how the stream is cut into writes. Events: `word`, and `rejected` for a sound
 * that is none of the model's words; both with a `Word`. As an async iterable it gives the words, until the stream ends
 * or fails. Words wait until somebody iterates or listens to `word`, and where 16 do, no more is taken in.
 *
 * Recognition runs on the calling thread; while the model is in use by a training or an evaluation, a write that
 * completes a word waits for its turn on another. Samples that are not finite destroy the stream with
 * ERR_AUDIO_NOT_FINITE.
 */
export class WordStream extends Writable implements AsyncIterable<Word> {
  readonly #model: Listening;
  readonly #native: NativeStream;
  readonly #sampleRate: number;
  /** The first byte of a sample whose second has not come yet. */
  #oddByte: number | null = null;
  readonly #waiting: Word[] = [];
  #iterators = 0;
  /** Goes on with the write that waits for room. */
  #goOn: (() => void) | null = null;
  /** Iterators that wait for a word. */
  #idle: (() => void)[] = [];
  /** Another thread works on a write. */
  #working = false;
  #resets = 0;

  /** @internal */
  constructor(model: Listening, options: StreamOptions) {
    const given = optionsObject(options, 'the options of stream()', OPTIONS);
    const { sampleRate = model.settings.sampleRate, endSilence = END_SILENCE } = given;
    const checked = {
      sampleRate: integer(sampleRate, 'sampleRate', MIN_SAMPLE_RATE, MAX_SAMPLE_RATE),
      endSilence: number(endSilence, 'endSilence', 0.05, 5),
      seed: checkSeed(given.seed as number | undefined),
      keepSamples: flag(given.keepSamples, 'keepSamples'),
      confidence: model.confidence,
    };
    const signal = abortSignal(given.signal, 'signal');
    super({ objectMode: true, decodeStrings: false });
    this.#model = model;
    this.#sampleRate = checked.sampleRate;
    this.#native = guard(() => new (native().Stream)(model.native, checked));
    this.on('newListener', (event) => {
      if (event === 'word') process.nextTick(() => this.#flow());
    });
    this.on('finish', () => this.#wake());
    if (signal) this.#obey(signal);
  }

  /** Seconds heard. */
  get time(): number {
    return this.#native.time();
  }

  /** Level of the last 50 ms, in dB below full scale (the root mean square; 0 is a square wave from -1 to 1), from -120. */
  get level(): number {
    return this.#native.level();
  }

  /** Whether a sound is being heard that may be a word. */
  get speaking(): boolean {
    return this.#native.speaking();
  }

  /** Forgets what was heard, the noise included; time begins anew. A write in progress gives no words. */
  reset(): void {
    this.#resets++;
    this.#oddByte = null;
    if (!this.#working) this.#native.reset();
  }

  override on(event: 'word' | 'rejected', listener: WordListener): this;
  override on(event: string | symbol, listener: Listener): this;
  override on(event: string | symbol, listener: Listener): this {
    return super.on(event, listener);
  }

  override once(event: 'word' | 'rejected', listener: WordListener): this;
  override once(event: string | symbol, listener: Listener): this;
  override once(event: string | symbol, listener: Listener): this {
    return super.once(event, listener);
  }

  /** The words, those included that came before; leaving the loop destroys the stream. */
  [Symbol.asyncIterator](): AsyncGenerator<Word, void, undefined> {
    this.#iterators++;
    // Its error is the iterator's to throw.
    const ignore = () => {};
    this.on('error', ignore);
    return this.#iterate(() => this.off('error', ignore));
  }

  async *#iterate(done: () => void): AsyncGenerator<Word, void, undefined> {
    try {
      for (;;) {
        const word = this.#waiting.shift();
        if (word) {
          this.#makeRoom();
          yield word;
        } else if (this.errored) {
          throw this.errored;
        } else if (this.destroyed || this.writableFinished) {
          return;
        } else {
          await new Promise<void>((wake) => this.#idle.push(wake));
        }
      }
    } finally {
      this.#iterators--;
      this.destroy();
      // An error of this very turn is still to be emitted.
      setImmediate(done);
    }
  }

  override _write(chunk: unknown, _encoding: string, done: Done): void {
    this.#work(() => this.#native.write(this.#samplesOf(chunk)), done);
  }

  override _final(done: Done): void {
    this.#work(() => this.#native.flush(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    const goOn = this.#goOn;
    this.#goOn = null;
    if (!this.#working) this.#native.close();
    done(error);
    // Whoever waits for the write is not left waiting.
    goOn?.();
    this.#wake();
  }

  /** What the addon takes: floats, integers, or whole samples as bytes. */
  #samplesOf(chunk: unknown): Float32Array | Int16Array | Uint8Array {
    if (types.isFloat32Array(chunk) || types.isInt16Array(chunk)) {
      // Other threads can write to shared memory, even between a check and its use.
      return types.isSharedArrayBuffer(chunk.buffer) ? chunk.slice() : chunk;
    }
    if (!types.isUint8Array(chunk)) {
      throw refuse(chunk, 'what is written to a stream', 'a Float32Array, an Int16Array or a Buffer');
    }
    const bytes = this.#oddByte === null ? chunk : Buffer.concat([Uint8Array.of(this.#oddByte), chunk]);
    const whole = bytes.length - (bytes.length % 2);
    this.#oddByte = bytes[whole] ?? null;
    return bytes.subarray(0, whole);
  }

  /** Calls the addon and passes on what it finds, now or when it has had its turn. */
  #work(call: () => ReturnType<NativeStream['write']>, done: Done): void {
    const resets = this.#resets;
    let found: ReturnType<typeof call>;
    try {
      found = call();
    } catch (error) {
      done(fromNative(error) as Error);
      return;
    }
    if (!(found instanceof Promise)) {
      this.#deliver(found, resets, done);
      return;
    }
    this.#working = true;
    // What a listener throws is not to become a rejection.
    const later = (act: () => void) =>
      process.nextTick(() => {
        this.#working = false;
        if (this.destroyed) this.#native.close();
        else if (this.#resets !== resets) this.#native.reset();
        act();
      });
    found.then(
      (sounds) => later(() => this.#deliver(sounds, resets, done)),
      (error) => later(() => done(fromNative(error) as Error)),
    );
  }

  #deliver(sounds: NativeSound[] | undefined, resets: number, done: Done): void {
    try {
      for (const sound of sounds ?? []) {
        if (this.destroyed || this.#resets !== resets) break;
        this.#tell(this.#wordOf(sound));
      }
    } finally {
      // At the end there is no more to hold back.
      const full = this.#waiting.length >= MOST_WAITING && !this.writableEnded;
      if (full && !this.destroyed) this.#goOn = done;
      else done();
      this.#wake();
    }
  }

  #wordOf(sound: NativeSound): Word {
    return {
      ...namedPrediction(this.#model, sound),
      rejected: !sound.accepted,
      start: sound.start / this.#sampleRate,
      end: sound.end / this.#sampleRate,
      ...(sound.samples && { samples: sound.samples }),
    };
  }

  #tell(word: Word): void {
    if (word.rejected) {
      this.emit('rejected', word);
      return;
    }
    this.#flow();
    if (this.#iterators > 0 || this.listenerCount('word') === 0) this.#waiting.push(word);
    this.emit('word', word);
  }

  /** Gives the words that wait to those who listen, where nobody iterates. */
  #flow(): void {
    while (this.#waiting.length > 0 && this.#iterators === 0 && this.listenerCount('word') > 0) {
      this.emit('word', this.#waiting.shift());
    }
    this.#makeRoom();
  }

  #makeRoom(): void {
    if (this.#waiting.length >= MOST_WAITING) return;
    const goOn = this.#goOn;
    this.#goOn = null;
    goOn?.();
  }

  #wake(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }

  #obey(signal: AbortSignal): void {
    const stop = () =>
      this.destroy(new SonospikeError('ERR_ABORTED', 'The stream was stopped.', { cause: signal.reason }));
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    this.once('close', () => signal.removeEventListener('abort', stop));
  }
}
