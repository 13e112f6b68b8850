import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type ReadEntry, Unpack } from 'tar';
import { SonospikeError } from '../support/errors.js';

export interface UnpackOptions {
  /** Bytes that the archive may have when decompressed. */
  maxBytes: number;
  maxFiles: number;
  /** Whether to unpack a file; its path is given without the archive's top folder. */
  wanted: (path: string) => boolean;
  /** Called with the number of files unpacked so far. */
  onFile?: ((files: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Unpacks the regular files of a .tar.gz into an existing folder, without the archive's top folder. Links and
 * devices are passed over. The gzip checksum and the end mark of the archive are checked.
 *
 * @throws SonospikeError ERR_DOWNLOAD if the archive is damaged, leads out of the folder or is too large; what
 * has been unpacked by then stays
 */
export async function unpack(archive: string, folder: string, options: UnpackOptions): Promise<void> {
  const refuse = (what: string) =>
    new SonospikeError('ERR_DOWNLOAD', `${archive} ${what}.`, { file: archive });
  let [files, bytes, ended] = [0, 0, false];
  let failure: Error | undefined;

  const accept = (path: string, entry: ReadEntry): boolean => {
    const parts = path.split(/[\\/]/);
    if (parts.includes('..') || /^([\\/]|[a-z]:)/i.test(path)) {
      failure ??= refuse(`holds a file outside of its own folder (${path})`);
      return false;
    }
    const isFile = entry.type === 'File' || entry.type === 'OldFile';
    if (failure || !isFile || !options.wanted(parts.slice(1).join('/'))) return false;
    if (files === options.maxFiles) {
      failure = refuse(`holds more than ${options.maxFiles} files`);
      return false;
    }
    entry.mode = 0o644;
    options.onFile?.(++files);
    return true;
  };
  const parser = new Unpack({
    cwd: folder,
    strip: 1,
    strict: true,
    preserveOwner: false,
    noMtime: true,
    filter: (path, entry) => accept(path, entry as ReadEntry),
  });
  parser.on('error', (error: Error) => {
    failure ??= error;
  });
  parser.on('eof', () => {
    ended = true;
  });

  const consume = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > options.maxBytes) failure ??= refuse(`holds more than ${options.maxBytes} bytes`);
      else if (!parser.write(chunk)) await once(parser, 'drain');
      if (failure) throw failure;
    }
    const finished = once(parser, 'finish');
    parser.end();
    await finished;
    if (failure) throw failure;
    if (!ended) throw new Error('its end is missing');
  };
  try {
    await pipeline(createReadStream(archive), createGunzip(), consume, { signal: options.signal });
  } catch (error) {
    // A pipeline that is left early may report that instead of the reason.
    throw options.signal?.aborted ? error : explain(failure ?? error, archive);
  }
}

/** Full disks and the like are not the archive's fault; the errors of zlib and tar have codes of their own. */
function explain(error: unknown, archive: string): unknown {
  if (error instanceof SonospikeError) return error;
  if (/^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '')) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${archive} is damaged or incomplete (${reason}). Download it again.`;
  return new SonospikeError('ERR_DOWNLOAD', message, { file: archive, cause: error });
}
