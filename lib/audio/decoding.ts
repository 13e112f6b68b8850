import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { SonospikeError } from '../support/errors.js';
import type { DecodeReply } from './decoding-thread.js';
import type { AudioFormat, DecodedAudio } from './formats/format.js';
import { decodeFormat } from './formats/packages.js';

/** Threads that decode at the same time at most. */
const MOST = Math.max(1, Math.min(4, availableParallelism() - 1));
/** The file that a thread runs; null in a bundle and where the package is run from its source, as by tests. */
const THREAD_FILE = threadFile();

function threadFile(): URL | null {
  // Bundlers that make CommonJS leave no address of the module.
  if (!(import.meta.url as string | undefined)) return null;
  const file = new URL('./decoding-thread.js', import.meta.url);
  return existsSync(file) ? file : null;
}

interface Job {
  resolve(audio: DecodedAudio): void;
  reject(error: unknown): void;
}

/**
 * Decodes a file in another thread. Threads are started when they are needed and kept; they do not keep the process
 * alive.
 * @param bytes they are moved to the thread where they are all of their memory, and must then not be used again
 * @throws SonospikeError as the format's decoder
 */
export async function decodeInThread(
  format: AudioFormat,
  bytes: Uint8Array,
  file: string | undefined,
): Promise<DecodedAudio> {
  const thread = THREAD_FILE === null ? null : leastBusy(THREAD_FILE);
  if (thread !== null) return thread.decode(format.name, bytes, file);
  return decodeFormat(format, bytes, file);
}

const threads: DecodingThread[] = [];

/** The thread with the fewest jobs; null where no thread may be started. */
function leastBusy(file: URL): DecodingThread | null {
  const [first] = [...threads].sort((a, b) => a.busy - b.busy);
  if (first && (first.busy === 0 || threads.length === MOST)) return first;
  try {
    const thread = new DecodingThread(file);
    threads.push(thread);
    return thread;
  } catch {
    // Node's permissions may forbid threads.
    return first ?? null;
  }
}

class DecodingThread {
  /** Node's own options are not passed on: with some, as `--input-type`, a thread does not start. */
  readonly #worker: Worker;
  readonly #jobs = new Map<number, Job>();
  #next = 0;

  constructor(file: URL) {
    this.#worker = new Worker(file, { execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (reply: DecodeReply) => this.#finish(reply));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the thread ended')));
  }

  get busy(): number {
    return this.#jobs.size;
  }

  decode(format: string, bytes: Uint8Array, file: string | undefined): Promise<DecodedAudio> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#jobs.set(id, { resolve, reject });
      this.#worker.ref();
      // Of a view, the clone would be all of its memory.
      const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      const plain = new Uint8Array(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength);
      this.#worker.postMessage({ id, format, bytes: plain, file }, [plain.buffer]);
    });
  }

  #finish(reply: DecodeReply): void {
    const job = this.#jobs.get(reply.id);
    this.#jobs.delete(reply.id);
    if (this.#jobs.size === 0) this.#worker.unref();
    if ('audio' in reply) job?.resolve(reply.audio);
    else job?.reject(new SonospikeError(reply.code, reply.message, { file: reply.file }));
  }

  /** The thread is lost, and what it had to do with it. */
  #end(error: Error): void {
    const at = threads.indexOf(this);
    if (at >= 0) threads.splice(at, 1);
    for (const { reject } of this.#jobs.values()) {
      reject(
        new SonospikeError('ERR_INTERNAL', `The thread that decodes sound failed (${error.message}).`, {
          cause: error,
        }),
      );
    }
    this.#jobs.clear();
  }
}
