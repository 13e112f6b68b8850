import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { renameOver } from '../files/rename.js';
import { fileError, SonospikeError } from '../support/errors.js';

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Called with the bytes that are there and those that there will be, null if the server does not say. */
  onBytes?: ((received: number, total: number | null) => void) | undefined;
  /** Milliseconds without a byte after which the connection counts as broken. */
  idleTimeout?: number | undefined;
  /** Milliseconds before the first retry; each further one waits twice as long. */
  retryDelay?: number | undefined;
}

/** Failures in a row, with nothing gained, before giving up. */
const MAX_FAILURES = 5;

const OFFLINE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'TIMEOUT',
]);

/** A failure that another attempt may get over. */
class Broken extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/**
 * Downloads `url` to `file`. What has come is kept in `file.part`, and both another attempt and another call go on
 * from there if the server can, else they start over. The content is not checked.
 *
 * @throws SonospikeError ERR_OFFLINE, ERR_DOWNLOAD, ERR_FILE_WRITE, ERR_ABORTED
 */
export async function download(url: string, file: string, options: DownloadOptions = {}): Promise<void> {
  const part = `${file}.part`;
  let most = await sizeOf(part);
  for (let failures = 0; ; ) {
    try {
      await attempt(url, part, options);
      break;
    } catch (error) {
      if (options.signal?.aborted) throw abortedError(options.signal);
      if (!(error instanceof Broken)) throw error;
      if (OFFLINE.has(error.code ?? '') && error.code !== 'TIMEOUT')
        throw offlineError(url, part, await sizeOf(part), error);
      const size = await sizeOf(part);
      failures = size > most ? 1 : failures + 1;
      most = Math.max(most, size);
      if (failures >= MAX_FAILURES) throw gaveUp(url, size, error);
      const delay = (options.retryDelay ?? 1000) * 2 ** (failures - 1);
      await sleep(delay, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
  await writing(file, () => renameOver(part, file));
  await rm(`${part}.json`, { force: true });
}

/** One request, from what is there to the end. */
async function attempt(url: string, part: string, options: DownloadOptions): Promise<void> {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), options.idleTimeout ?? 30_000);
  const signal = options.signal ? AbortSignal.any([options.signal, idle.signal]) : idle.signal;
  try {
    const { response, start } = await request(url, part, signal);
    const total = totalSize(response, start);
    const handle = await writing(part, () => open(part, start > 0 ? 'a' : 'w'));
    try {
      let received = start;
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        await writing(part, () => writeAll(handle, chunk));
        received += chunk.length;
        options.onBytes?.(received, total);
      }
      if (total !== null && received < total)
        throw new Broken(`${total - received} bytes are missing`, undefined);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof SonospikeError || error instanceof Broken) throw error;
    if (idle.signal.aborted) throw new Broken('the server sends nothing', 'TIMEOUT', error);
    throw networkError(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks for what is missing; `start` is the position where the answer begins. */
async function request(
  url: string,
  part: string,
  signal: AbortSignal,
): Promise<{ response: Response; start: number }> {
  const have = await sizeOf(part);
  const before = await recall(part);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (have > 0 && before.url === url) {
    headers.range = `bytes=${have}-`;
    if (before.etag) headers['if-range'] = before.etag;
  }
  const response = await fetch(url, { headers, signal });
  if (response.status === 206 && rangeStart(response) === have) return { response, start: have };
  if (response.status === 200) {
    // A weak tag does not promise the same bytes, so it cannot guard a range.
    const etag = response.headers.get('etag');
    const state = JSON.stringify({ url, etag: etag?.startsWith('W/') ? null : etag });
    await writing(part, () => writeFile(`${part}.json`, state));
    return { response, start: 0 };
  }
  await response.body?.cancel();
  if (response.status === 206 || response.status === 416) {
    await rm(part, { force: true });
    throw new Broken('the server cannot continue the download', undefined);
  }
  const status = `HTTP ${response.status} ${response.statusText}`.trim();
  if (response.status >= 500 || response.status === 429) throw new Broken(status, undefined);
  const message = `Cannot download ${url}: the server answers ${status}. Check the address (SONOSPIKE_DATASET_URL).`;
  throw new SonospikeError('ERR_DOWNLOAD', message);
}

function rangeStart(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? -1);
}

function totalSize(response: Response, start: number): number | null {
  const length = response.headers.get('content-length');
  return length !== null && /^\d+$/.test(length) ? start + Number(length) : null;
}

/** Where the part came from; nothing if that is not known, and then it is not continued. */
async function recall(part: string): Promise<{ url?: unknown; etag?: string }> {
  try {
    const state: unknown = JSON.parse(await readFile(`${part}.json`, 'utf8'));
    if (typeof state !== 'object' || state === null) return {};
    const { url, etag } = state as Record<string, unknown>;
    return typeof etag === 'string' ? { url, etag } : { url };
  } catch {
    return {};
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (info) => info.size,
    () => 0,
  );
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await handle.write(chunk, done)).bytesWritten;
  }
}

async function writing<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, file, 'write');
  }
}

/** `fetch` hides what happened in a chain of causes. */
function networkError(error: unknown): Broken {
  let code: string | undefined;
  let message = String(error);
  for (let at = error; at instanceof Error; at = at.cause) {
    code ??= 'code' in at && typeof at.code === 'string' ? at.code : undefined;
    if (at.message !== '') message = at.message;
  }
  return new Broken(
    code === undefined || message.includes(code) ? message : `${message} (${code})`,
    code,
    error,
  );
}

function offlineError(url: string, part: string, size: number, cause: Broken): SonospikeError {
  const kept = size > 0 ? ` The ${size} bytes that were downloaded are kept in ${part}.` : '';
  const message =
    `Cannot reach ${new URL(url).host}: ${cause.message}. This machine seems to be offline.${kept} Run the same ` +
    'command again once there is a connection, or set SONOSPIKE_DATASET_URL to a mirror.';
  return new SonospikeError('ERR_OFFLINE', message, { cause });
}

function gaveUp(url: string, size: number, cause: Broken): SonospikeError {
  const kept = size > 0 ? `The ${size} bytes that came are kept; run` : 'Nothing came of it; run';
  const message =
    `The download of ${url} broke off ${MAX_FAILURES} times in a row (${cause.message}). ${kept} the same command ` +
    'again to go on.';
  return new SonospikeError(cause.code === 'TIMEOUT' ? 'ERR_OFFLINE' : 'ERR_DOWNLOAD', message, { cause });
}

/** An ERR_ABORTED for the reason of the signal. */
export function abortedError(signal: AbortSignal): SonospikeError {
  return new SonospikeError('ERR_ABORTED', 'The download was stopped.', { cause: signal.reason });
}
