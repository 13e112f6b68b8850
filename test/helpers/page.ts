import { WebSocket } from 'ws';
import { loadModel, type Model } from '../../lib/model/model.js';
import { type NumberArray, pack, parse, unpack } from '../../lib/page/message.js';
import type { ClientMessage, ServerMessage } from '../../lib/page/protocol.js';
import type { Samples } from '../../lib/page/samples.js';
import { type Page, startPage } from '../../lib/page/server.js';
import { pcm16, wav } from './wav.js';

export interface Received {
  message: ServerMessage;
  arrays: Record<string, NumberArray>;
}

/** A page on a free port, and the model that it has. */
export async function servePage(
  host = '127.0.0.1',
  own?: Model,
  samples?: Samples | null,
): Promise<{ page: Page; model: Model }> {
  const model = own ?? (await loadModel());
  const named = samples === undefined ? {} : { samples };
  return { page: await startPage({ model, modelName: 'digits', host, port: 0, ...named }), model };
}

/** A page as a program: it keeps what it is sent. */
export class TestClient {
  readonly socket: WebSocket;
  readonly received: Received[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #waiting: (() => void)[] = [];
  /** Number of the last listening. */
  #listening = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((done) => {
      socket.on('close', (code, reason) => {
        done({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    socket.on('error', () => {});
    socket.on('message', (data, binary) => {
      const { header, arrays } = binary
        ? unpack(data as Buffer)
        : { header: parse(data.toString()), arrays: {} };
      this.received.push({ message: header as unknown as ServerMessage, arrays });
      this.#wake();
    });
  }

  /** Connects as the page does; rejects where the server does not let it in. */
  static async connect(page: Page, headers: Record<string, string> = {}): Promise<TestClient> {
    const url = new URL('/live', page.url.replace('http', 'ws'));
    const socket = new WebSocket(url, { headers: { origin: page.url.replace(/\/$/, ''), ...headers } });
    const client = new TestClient(socket);
    await new Promise<void>((done, fail) => {
      socket.on('open', done).on('error', fail);
    });
    return client;
  }

  send(message: ClientMessage, arrays?: Record<string, NumberArray>): void {
    if (message.type === 'listen') this.#listening = message.id;
    this.socket.send(arrays === undefined ? JSON.stringify(message) : pack(message, arrays));
  }

  /** Of what was received, the first that fits; waits for it. */
  async first<T extends ServerMessage['type']>(
    type: T,
    fits: (message: Extract<ServerMessage, { type: T }>) => boolean = () => true,
  ): Promise<{ message: Extract<ServerMessage, { type: T }>; arrays: Record<string, NumberArray> }> {
    for (;;) {
      const found = this.received.find(
        ({ message }) => message.type === type && fits(message as Extract<ServerMessage, { type: T }>),
      );
      if (found) return found as { message: Extract<ServerMessage, { type: T }>; arrays: Received['arrays'] };
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed before ${type} came`);
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  all<T extends ServerMessage['type']>(type: T): Extract<ServerMessage, { type: T }>[] {
    const messages = this.received.map(({ message }) => message);
    return messages.filter(
      (message): message is Extract<ServerMessage, { type: T }> => message.type === type,
    );
  }

  /** Sends samples as a microphone would, in chunks of 20 ms, as fast as they are taken. */
  async speak(samples: Float32Array, sampleRate: number): Promise<void> {
    const size = Math.round(sampleRate / 50);
    for (let at = 0; at < samples.length; at += size) {
      const chunk = samples.slice(at, at + size);
      await new Promise<void>((done, fail) => {
        const message = pack({ type: 'audio', id: this.#listening }, { samples: chunk });
        this.socket.send(message, (error) => (error ? fail(error) : done()));
      });
    }
  }

  close(): Promise<unknown> {
    this.socket.close();
    return this.closed;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A 16-bit WAV of samples in [-1, 1]. */
export function wav16(samples: Float32Array, sampleRate: number): Uint8Array {
  return wav(pcm16(samples.map((value) => Math.round(Math.max(-1, Math.min(1, value)) * 32767))), {
    sampleRate,
  });
}
