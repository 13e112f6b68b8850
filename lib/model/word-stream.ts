import { Duplex } from 'node:stream';
import { types } from 'node:util';
import { MAX_SAMPLE_RATE } from '../audio/sound.js';
import type { NativeAddon, NativeModel, NativeSound, NativeStream } from '../native/addon.js';
import { fromNative, guard } from '../native/errors.js';
import type { ModelSettings } from '../settings/settings.js';
import { SonospikeError } from '../support/errors.js';
import { abortSignal, checkSeed, flag, integer, number, optionsObject, refuse } from '../support/options.js';
import { type Namer, namedPrediction, type Prediction } from './prediction.js';

/** What `Model.stream` takes. */
export interface StreamOptions {
  /** Sample rate of what is written in Hz, from 1000 to 768,000 (default: the model's own rate). */
  sampleRate?: number;
  /** Seed of the random draws of the `rate` encoding (default: 0). */
  seed?: number;
  /** Seconds of silence that end a word, from 0.05 to 5 (default: 0.25). */
  endSilence?: number;
  /** Whether words carry their `samples` (default: false). */
  keepSamples?: boolean;
  /** Destroys the stream with ERR_ABORTED when it is aborted. */
  signal?: AbortSignal;
}

/**
 * A sound that was found in a stream. Label, scores and rates are those that `predict` gives for the same samples. The
 * `confidence` is lower where the stream chose these samples among several cuts, or where the model was not sure of
 * other cuts of the same sound. It is rejected below the model's threshold, as by `predict`.
 */
export interface Word extends Prediction {
  /** Where the word begins: seconds in the stream, exactly on a sample. */
  start: number;
  /** Where the word ends: seconds in the stream, exactly on a sample. */
  end: number;
  /** Samples from `start` to `end`, at the stream's rate; only with `keepSamples`. */
  samples?: Float32Array;
}

/** What a stream needs of its model. */
interface Listening extends Namer {
  readonly native: NativeModel;
  /** The addon that `native` is of. */
  readonly addon: NativeAddon;
  readonly settings: Readonly<ModelSettings>;
}

/** Hz; at less there is no room for the bands in which a stream listens. */
export const MIN_SAMPLE_RATE = 1000;

type Listener = Parameters<Duplex['on']>[1];
type WordListener = (word: Word) => void;
type Done = (error?: Error | null) => void;

const OPTIONS = ['sampleRate', 'seed', 'endSilence', 'keepSamples', 'signal'] as const;
/** Seconds: longer than pauses within words. From 0.15 to 0.35 s as many of FSDD's training clips are found. */
const END_SILENCE = 0.25;
/** Words that wait for a reader; beyond these the oldest are dropped. */
const MOST_UNREAD = 256;

/**
 * Finds the words in a stream of samples and recognises each, as it is spoken. Made by `model.stream()`.
 *
 * **Writable side.** Takes mono samples as Float32Array (nominally in [-1, 1]), Int16Array, or Buffer (16-bit
 * little-endian), in chunks of any length: the words do not depend on how the samples are cut into chunks. Recognition
 * runs on the calling thread. While the model is in use by a training or an evaluation, a write that completes a word
 * waits for its turn on another thread; only then is there back-pressure.
 *
 * **Readable side.** Gives `Word` objects to whatever reads them: `for await`, `pipe`, `pipeline`, `on('data')`.
 * Each word is emitted as `word` too, and a sound that is none of the model's words as `rejected`. The stream never
 * stops for want of a reader: it keeps the last 256 words that nobody has read, and counts those that it dropped in
 * `dropped`. Words that go to a listener of `word` are not kept for a reader that comes later.
 *
 * **End.** After `end()` the stream closes when its words have been read, or at once where only listeners of `word` take
 * them. Leaving a `for await` loop destroys the stream. Samples that are not finite destroy it with
 * ERR_AUDIO_NOT_FINITE, anything that is no samples with ERR_INVALID_OPTION, its signal with ERR_ABORTED. A `for await`
 * loop gets the words that were found before, and then throws that error.
 */
export class WordStream extends Duplex {
  readonly #model: Listening;
  readonly #native: NativeStream;
  readonly #sampleRate: number;
  /** The first byte of a sample whose second has not come yet. */
  #oddByte: number | null = null;
  /** Words that nobody has read. */
  readonly #unread: Word[] = [];
  #dropped = 0;
  #iterators = 0;
  /** Iterators that wait for a word. */
  #idle: (() => void)[] = [];
  /** Whether Node has asked the readable side for a word that has not come yet, and whether it ever has. */
  #wanted = false;
  #pulled = false;
  /** All words have been found. */
  #over = false;
  #ended = false;
  /** Another thread works on a write. */
  #working = false;
  #resets = 0;
  /** Resolves when the stream has closed. */
  readonly #gone: Promise<void>;

  /** @internal */
  constructor(model: Listening, options: StreamOptions) {
    const given = optionsObject(options, 'the options of stream()', OPTIONS);
    const { sampleRate = model.settings.sampleRate, endSilence = END_SILENCE } = given;
    const checked = {
      sampleRate: integer(sampleRate, 'sampleRate', MIN_SAMPLE_RATE, MAX_SAMPLE_RATE),
      endSilence: number(endSilence, 'endSilence', 0.05, 5),
      seed: checkSeed(given.seed as number | undefined),
      keepSamples: flag(given.keepSamples, 'keepSamples'),
    };
    const signal = abortSignal(given.signal, 'signal');
    // Words stay in #unread until somebody reads them, so that it is the oldest that are dropped.
    super({ objectMode: true, decodeStrings: false, readableHighWaterMark: 0 });
    this.#model = model;
    this.#sampleRate = checked.sampleRate;
    this.#native = guard(() => new model.addon.Stream(model.native, checked));
    this.on('newListener', (event) => {
      if (event === 'word') process.nextTick(() => this.#flow());
    });
    this.#gone = new Promise((gone) => this.once('close', gone));
    if (signal) this.#obey(signal);
  }

  /** Destroys the stream: gives up what it holds at once, and finds no more words. */
  close(): void {
    this.destroy();
  }

  /** `close`, for `using stream = model.stream()`. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** `close`, and waits until the stream has closed, for `await using`. */
  override async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await this.#gone;
  }

  /** Number of words that were dropped because 256 newer ones waited for a reader. */
  get dropped(): number {
    return this.#dropped;
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

  /**
   * Forgets what was heard, the level of the noise included; time begins anew. A write in progress gives no words; words
   * that were found before stay.
   */
  reset(): void {
    this.#resets++;
    this.#oddByte = null;
    if (!this.#working) this.#native.reset();
  }

  /** Listens to words, and with `rejected` to sounds that are none of the model's words. */
  override on(event: 'word' | 'rejected' | 'data', listener: WordListener): this;
  /** Listens to an event of Node's streams. */
  override on(event: string | symbol, listener: Listener): this;
  override on(event: string | symbol, listener: Listener): this {
    return super.on(event, listener);
  }

  /** As `on`, for one event. */
  override once(event: 'word' | 'rejected' | 'data', listener: WordListener): this;
  /** As `on`, for one event. */
  override once(event: string | symbol, listener: Listener): this;
  override once(event: string | symbol, listener: Listener): this {
    return super.once(event, listener);
  }

  /** The words, those included that were found before; leaving the loop destroys the stream. */
  override [Symbol.asyncIterator](): AsyncGenerator<Word, undefined, undefined> {
    this.#iterators++;
    // Its error is the iterator's to throw.
    const ignore = () => {};
    this.on('error', ignore);
    return this.#iterate(() => this.off('error', ignore));
  }

  async *#iterate(done: () => void): AsyncGenerator<Word, undefined, undefined> {
    try {
      for (;;) {
        // One that Node has asked for is older than the others.
        const waiting = this.readableLength > 0 && !this.destroyed;
        const word: Word | undefined = waiting ? this.read() : this.#unread.shift();
        if (word) {
          yield word;
        } else if (this.errored) {
          throw this.errored;
        } else if (this.destroyed) {
          return;
        } else if (this.#over) {
          this.#end();
          await this.#gone;
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

  /** @internal */
  override _read(): void {
    this.#wanted = true;
    this.#pulled = true;
    this.#give();
  }

  /** @internal */
  override _write(chunk: unknown, _encoding: string, done: Done): void {
    this.#work(() => this.#native.write(this.#samplesOf(chunk)), done);
  }

  /** @internal */
  override _final(done: Done): void {
    this.#work(
      () => this.#native.flush(),
      (error) => {
        this.#over = !error;
        done(error);
        this.#end();
        this.#wake();
      },
    );
  }

  /** @internal */
  override _destroy(error: Error | null, done: Done): void {
    if (!this.#working) this.#native.close();
    done(error);
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
      done();
      this.#wake();
    }
  }

  #wordOf(sound: NativeSound): Word {
    return {
      ...namedPrediction(this.#model, sound, (sound.end - sound.start) / this.#sampleRate),
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
    if (this.#isRead || this.listenerCount('word') === 0) this.#keep(word);
    this.emit('word', word);
  }

  /** Whether somebody uses, or has used, the readable side. */
  get #isRead(): boolean {
    return this.#iterators > 0 || this.#pulled || this.readableFlowing !== null;
  }

  #keep(word: Word): void {
    this.#unread.push(word);
    this.#give();
    if (this.#unread.length + this.readableLength <= MOST_UNREAD) return;
    this.#unread.shift();
    this.#dropped++;
  }

  /** Hands the oldest unread word to Node's readable side, if that has asked for one. */
  #give(): void {
    if (!this.#wanted) return;
    const word = this.#unread.shift();
    if (word) {
      this.#wanted = false;
      this.push(word);
    } else {
      this.#end();
    }
  }

  /** Gives the words that wait to listeners of `word`, where nobody reads. */
  #flow(): void {
    while (this.#unread.length > 0 && !this.#isRead && this.listenerCount('word') > 0) {
      this.emit('word', this.#unread.shift());
    }
    this.#end();
  }

  /** Ends the readable side once all words have been found and taken; without a reader that closes the stream. */
  #end(): void {
    if (!this.#over || this.#unread.length > 0 || this.destroyed) return;
    if (!this.#ended) {
      this.#ended = true;
      this.push(null);
    }
    // Node emits `end` only where somebody has read.
    const readable = this.readableLength > 0;
    if (!readable && (this.#iterators > 0 || !this.#isRead)) this.read();
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
