import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Model } from '../model/model.js';
import { SonospikeError } from '../support/errors.js';
import { allowedHost, allowedOrigin } from './access.js';
import { Client } from './client.js';
import { type PageFile, pageFiles } from './files.js';
import { helloMessage } from './hello.js';
import { MAX_CLIENTS, MAX_CONNECTIONS, MAX_MESSAGE_BYTES, PING_SECONDS } from './limits.js';
import { includedSamples, type Samples } from './samples.js';

export interface PageOptions {
  model: Model;
  /** How the page calls the model. */
  modelName: string;
  /** Clips to try the model on (default: the included clips of its words). */
  samples?: Samples | null;
  /** Name or address to listen on. */
  host: string;
  /** 0: any that is free. */
  port: number;
}

/** A page that is being served. */
export interface Page {
  /** Where a browser finds it. */
  readonly url: string;
  readonly port: number;
  /** Clients that are connected. */
  readonly clients: number;
  /** Tells all clients good-bye and stops listening. */
  close(): Promise<void>;
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/** WebSocket close codes (RFC 6455, 7.4.1 and IANA's registry). */
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;

/**
 * Serves the page with one model for all who look at it.
 * @throws SonospikeError ERR_LISTEN (the port is taken, say); ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE
 */
export async function startPage(options: PageOptions): Promise<Page> {
  const files = await pageFiles();
  const { model, samples = await includedSamples(model.labels) } = options;
  const hello = await helloMessage(model, options.modelName, samples?.offered ?? null);
  const server = createServer((request, response) => answer(request, response, files, options.host));
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const clients = new Set<Client>();
  server.on('upgrade', (request, socket, head) => {
    const refusal = refusalOf(request, options.host);
    if (refusal !== null) refuse(socket, refusal);
    else
      sockets.handleUpgrade(request, socket, head, (client) => {
        if (clients.size >= MAX_CLIENTS) turnAway(client);
        else welcome(new Client(client, model, samples), clients, hello);
      });
  });
  const pinging = setInterval(() => {
    for (const client of clients) client.ping();
  }, PING_SECONDS * 1000);
  pinging.unref();
  try {
    await listen(server, options);
  } catch (error) {
    clearInterval(pinging);
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  return {
    url: urlOf(options.host, port),
    port,
    get clients() {
      return clients.size;
    },
    async close() {
      clearInterval(pinging);
      for (const client of clients) client.close(GOING_AWAY, 'The server is going away.');
      const closed = new Promise<void>((done) => server.close(() => done()));
      await Promise.all([...clients].map((client) => client.closed));
      // Those that were told to come back later, or came just now.
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, PageFile>,
  host: string,
): void {
  const file = files.get(request.url?.split('?')[0] ?? '');
  const [status, body, type] = !allowedHost(request, host)
    ? [403, 'This name is not served here. Use the address that sonospike printed.\n', 'text/plain']
    : request.method !== 'GET' && request.method !== 'HEAD'
      ? [405, 'Only GET and HEAD are answered.\n', 'text/plain']
      : file === undefined
        ? [404, 'There is no such file.\n', 'text/plain']
        : [200, file.body, file.type];
  response.writeHead(status, {
    ...HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refusalOf(request: IncomingMessage, host: string): string | null {
  if (!allowedHost(request, host) || !allowedOrigin(request)) return '403 Forbidden';
  return request.url === '/live' ? null : '404 Not Found';
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  // Not every client ends its side too.
  socket.on('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function turnAway(socket: WebSocket): void {
  socket.on('error', () => socket.terminate());
  socket.close(TRY_AGAIN_LATER, `${MAX_CLIENTS} pages are open already; close one and try again.`);
}

function welcome(client: Client, clients: Set<Client>, hello: Uint8Array): void {
  clients.add(client);
  void client.closed.then(() => clients.delete(client));
  client.send(hello);
}

function listen(server: Server, { host, port }: PageOptions): Promise<void> {
  return new Promise((done, fail) => {
    // Once it listens, an error is one of a single connection that could not be taken.
    server.on('error', (error: NodeJS.ErrnoException) => fail(listenError(error, host, port)));
    server.listen(port, host, done);
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): SonospikeError {
  const hint =
    error.code === 'EADDRINUSE'
      ? `Port ${port} of ${host} is in use by another program. Choose another with --port, or any free one with --port 0.`
      : error.code === 'EACCES'
        ? `Port ${port} of ${host} may not be used by this user. Choose one above 1023 with --port.`
        : `Cannot listen on port ${port} of ${host} (${error.code ?? error.message}). Is --host a name or address of this machine?`;
  return new SonospikeError('ERR_LISTEN', hint, { cause: error });
}

/** A browser can go to what means "all addresses" by localhost only. */
function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}
