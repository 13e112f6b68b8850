import { type NumberArray, pack, parse, unpack } from '../message.js';
import type { ClientMessage, ServerMessage } from '../protocol.js';

export type ConnectionState = 'connecting' | 'connected' | 'lost' | 'full';
export type Arrays = Readonly<Record<string, NumberArray>>;

interface Handlers {
  state(state: ConnectionState): void;
  message(message: ServerMessage, arrays: Arrays): void;
}

/** Seconds until another try; the last holds from then on. */
const PAUSES = [0.5, 1, 2, 5];
/** The server has as many pages as it takes. */
const TRY_AGAIN_LATER = 1013;

/** The WebSocket to the server, which comes back by itself. */
export class Connection {
  readonly #handlers: Handlers;
  #socket: WebSocket;
  #tries = 0;
  #lastId = 0;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
    this.#socket = this.#open();
  }

  /** Bytes that the server has not taken yet. */
  get waiting(): number {
    return this.#socket.bufferedAmount;
  }

  /** A number for a request or a listening, which no other has. */
  nextId(): number {
    return ++this.#lastId;
  }

  /**
   * Sends a message, or nothing while there is no connection.
   * @returns whether it was sent
   */
  send(message: ClientMessage, arrays?: Arrays): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(arrays === undefined ? JSON.stringify(message) : pack(message, arrays));
    return true;
  }

  #open(): WebSocket {
    const socket = new WebSocket(new URL('/live', location.href.replace(/^http/, 'ws')));
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      this.#tries = 0;
      this.#handlers.state('connected');
    });
    socket.addEventListener('message', ({ data }) => {
      const { header, arrays } =
        typeof data === 'string' ? { header: parse(data), arrays: {} } : unpack(new Uint8Array(data));
      this.#handlers.message(header as unknown as ServerMessage, arrays);
    });
    socket.addEventListener('close', ({ code }) => {
      this.#handlers.state(code === TRY_AGAIN_LATER ? 'full' : 'lost');
      const pause = PAUSES[Math.min(this.#tries++, PAUSES.length - 1)]!;
      setTimeout(() => {
        this.#handlers.state('connecting');
        this.#socket = this.#open();
      }, pause * 1000);
    });
    return socket;
  }
}
