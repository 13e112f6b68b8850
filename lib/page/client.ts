import type { RawData, WebSocket } from 'ws';
import { MAX_SAMPLE_RATE } from '../audio/sound.js';
import type { Model } from '../model/model.js';
import { MIN_SAMPLE_RATE } from '../model/word-stream.js';
import { SonospikeError } from '../support/errors.js';
import { flag, integer } from '../support/options.js';
import { DROP_BYTES, MAX_STREAM_CHUNK, MAX_UNHEARD, MAX_WAITING, SKIP_BYTES } from './limits.js';
import { errorMessage, Listening, type Sender } from './listening.js';
import { MessageError, type Packed, parse, unpack } from './message.js';
import type { ServerMessage } from './protocol.js';
import { decoded, encoded, showClip, showSample } from './requests.js';
import type { Samples } from './samples.js';

const BAD_MESSAGE = 1008;
/** Milliseconds in which a client must answer the end of its connection. */
const PATIENCE = 1000;

/** One page that is connected. Whatever it sends, the others do not notice. */
export class Client implements Sender {
  /** Resolves when the connection is gone, with all that it held. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #model: Model;
  readonly #samples: Samples | null;
  /** The microphone, and a recording in which words are looked for. */
  readonly #listening: { microphone: Listening | null; recording: Listening | null } = {
    microphone: null,
    recording: null,
  };
  /** The layer that the page looks into. */
  #inspected: number | null = null;
  #alive = true;
  /** Requests are answered one after the other. */
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Messages of sound that the stream has not worked through. */
  #unheard = 0;

  constructor(socket: WebSocket, model: Model, samples: Samples | null = null) {
    this.#socket = socket;
    this.#model = model;
    this.#samples = samples;
    socket.on('message', (data, binary) => this.#receive(data, binary));
    socket.on('pong', () => {
      this.#alive = true;
    });
    // What is wrong with a connection closes it.
    socket.on('error', () => {});
    this.closed = new Promise((done) => socket.once('close', () => done()));
    void this.closed.then(() => {
      for (const each of Object.values(this.#listening)) each?.destroy();
    });
  }

  get keepsUp(): boolean {
    return this.#socket.bufferedAmount < SKIP_BYTES;
  }

  /** Sends a message; a client that never reads is dropped instead. */
  send(message: ServerMessage | Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > DROP_BYTES) this.#socket.terminate();
    else this.#socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** Asks whether the client is still there, and drops it if it has not answered the last time. */
  ping(): void {
    if (this.#alive) this.#socket.ping();
    else this.#socket.terminate();
    this.#alive = false;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), PATIENCE).unref();
  }

  #receive(data: RawData, binary: boolean): void {
    try {
      const bytes = data as Buffer;
      const message = binary ? unpack(bytes, ['f32', 'u8']) : { header: parse(bytes.toString()), arrays: {} };
      this.#handle(message);
    } catch (error) {
      if (error instanceof MessageError)
        this.close(BAD_MESSAGE, `A message was not understood: ${error.message}.`);
      else this.send(errorMessage(null, error));
    }
  }

  /** @throws MessageError, SonospikeError */
  #handle({ header, arrays }: Packed): void {
    switch (header.type) {
      case 'listen':
        this.#listen(header);
        break;
      case 'audio':
        this.#hear(idOf(header), floats(arrays.samples));
        break;
      case 'stop':
        this.#listeningOf(idOf(header))?.stop();
        break;
      case 'inspect':
        this.#inspect(header.layer);
        break;
      case 'decode':
        this.#decode(header, bytesOf(arrays.bytes));
        break;
      case 'clip':
        this.#showClip(header, floats(arrays.samples));
        break;
      case 'sample':
        this.#request(header, (id) => showSample(id, String(header.name), this.#samples, this.#model, this));
        break;
      case 'encode':
        this.#encode(header, floats(arrays.features));
        break;
      default:
        throw new MessageError('its type is not known');
    }
  }

  #listen(header: Packed['header']): void {
    const id = idOf(header);
    const rate = integer(header.sampleRate, 'sampleRate', MIN_SAMPLE_RATE, MAX_SAMPLE_RATE);
    const which = flag(header.pictures, 'pictures', true) ? 'microphone' : 'recording';
    this.#listening[which]?.destroy();
    const listening = new Listening(id, rate, this.#model, this, which === 'microphone');
    listening.inspected = this.#inspected;
    this.#listening[which] = listening;
  }

  #listeningOf(id: number): Listening | undefined {
    return Object.values(this.#listening).find((each) => each?.id === id) ?? undefined;
  }

  /** Where too much waits to be heard, nothing more is read from the client. */
  #hear(id: number, samples: Float32Array): void {
    if (samples.length > MAX_STREAM_CHUNK) throw new MessageError('it has too many samples');
    const listening = this.#listeningOf(id);
    if (listening === undefined || samples.length === 0) return;
    if (++this.#unheard >= MAX_UNHEARD) this.#socket.pause();
    listening.write(samples, () => {
      if (--this.#unheard < MAX_UNHEARD) this.#socket.resume();
    });
  }

  #inspect(layer: unknown): void {
    const last = this.#model.settings.network.layers.length - 1;
    this.#inspected = layer === null ? null : integer(layer, 'layer', 0, last);
    if (this.#listening.microphone !== null) this.#listening.microphone.inspected = this.#inspected;
  }

  #decode(header: Packed['header'], bytes: Uint8Array): void {
    this.#request(header, async (id) => this.send(await decoded(id, bytes)));
  }

  #showClip(header: Packed['header'], samples: Float32Array): void {
    const sampleRate = integer(header.sampleRate, 'sampleRate', 1, MAX_SAMPLE_RATE);
    this.#request(header, (id) => showClip(id, { samples, sampleRate }, this.#model, this));
  }

  #encode(header: Packed['header'], features: Float32Array): void {
    const { frames, encodings } = header;
    this.#request(header, async (id) => {
      this.send(encoded(id, frames, encodings, features, this.#model));
    });
  }

  #request(header: Packed['header'], answer: (id: number) => Promise<void>): void {
    const id = idOf(header);
    if (this.#waiting >= MAX_WAITING) {
      const error = new SonospikeError('ERR_BUSY', `${MAX_WAITING} requests are waiting already.`);
      this.send(errorMessage(id, error));
      return;
    }
    this.#waiting++;
    this.#work = this.#work
      .then(() => answer(id))
      .catch((error: unknown) => this.send(errorMessage(id, error)))
      .finally(() => this.#waiting--);
  }
}

function idOf({ id }: Packed['header']): number {
  if (Number.isSafeInteger(id)) return id as number;
  throw new MessageError('it has no id');
}

function floats(array: Float32Array | Uint8Array | undefined): Float32Array {
  if (array instanceof Float32Array) return array;
  throw new MessageError('its numbers are missing');
}

function bytesOf(array: Float32Array | Uint8Array | undefined): Uint8Array {
  if (array instanceof Uint8Array) return array;
  throw new MessageError('its bytes are missing');
}
