import { randomBytes } from 'node:crypto';
import { constants, fsync, type Stats } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { fileError, SonospikeError } from '../support/errors.js';
import { isRestricted } from '../support/permission.js';
import { makeFolder } from './files.js';
import { renameOver } from './rename.js';

/** No write takes this long: a temporary file older than it is left over, even if its process id is in use. */
const MAX_WRITE_MS = 3_600_000;
const PROCESS_START_MS = Date.now() - process.uptime() * 1000;
const NEW_FILE_MODE = 0o666;
const PERMISSIONS = 0o777;

/**
 * Writes a file so that at every moment the file of that name is either the earlier one or the new one, whole:
 * a temporary file in the same folder is written, synced and renamed. Creates the folder if it is missing.
 * Temporary files that killed processes left behind for the same file are removed.
 * @param chunks written one after the other; they must not change until the promise settles
 * @throws SonospikeError ERR_FILE_WRITE; the earlier file is untouched and no temporary file stays
 */
export async function writeFileAtomic(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  try {
    // Through a symbolic link, so that the link stays and its target is replaced.
    const target = await realpath(path).catch(() => resolve(path));
    const earlier = await stat(target).catch(() => undefined);
    if (earlier !== undefined && !earlier.isFile()) throw notRegular(path);
    await makeFolder(dirname(target));
    await removeStale(target);
    await replace(target, chunks, earlier);
  } catch (error) {
    throw error instanceof SonospikeError ? error : fileError(error, path, 'write');
  }
}

/**
 * `writeFileAtomic` for a file that is not there yet: false, and nothing is written, where it is. Until it is whole the
 * file is empty.
 * @throws SonospikeError ERR_FILE_WRITE
 */
export async function createFileAtomic(path: string, chunks: readonly Uint8Array[]): Promise<boolean> {
  const refuse = (error: unknown): never => {
    throw fileError(error, path, 'write');
  };
  await makeFolder(dirname(resolve(path))).catch(refuse);
  try {
    await (await open(path, 'wx')).close();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST' ? false : refuse(error);
  }
  try {
    await writeFileAtomic(path, chunks);
    return true;
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
}

/** Renaming over a folder fails, and over a device such as /dev/null would replace it. */
function notRegular(path: string): SonospikeError {
  return new SonospikeError('ERR_FILE_WRITE', `Cannot write ${path}: it exists and is not a regular file.`, {
    file: path,
  });
}

async function replace(
  target: string,
  chunks: readonly Uint8Array[],
  earlier: Stats | undefined,
): Promise<void> {
  const suffix = `${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  const temporary = join(dirname(target), `.${basename(target)}.${suffix}`);
  const handle = await open(
    temporary,
    openFlags(),
    earlier === undefined ? NEW_FILE_MODE : earlier.mode & PERMISSIONS,
  );
  try {
    try {
      for (const chunk of chunks) await writeWhole(handle, chunk);
      await sync(handle);
    } finally {
      await handle.close();
    }
    await renameOver(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(target));
}

/** Under Node's permission model nothing can be synced, so every write waits for the disk. */
function openFlags(): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_SYNC } = constants;
  return O_WRONLY | O_CREAT | O_EXCL | (isRestricted() ? (O_SYNC ?? 0) : 0);
}

/** `writeFile` of a handle takes no arrays under Yarn PnP, and `write` may write less than it is given. */
async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written, bytes.length - written, null)).bytesWritten;
  }
}

/** By the descriptor: `sync` of a handle throws under Yarn PnP. Node's permission model refuses both (see `openFlags`). */
async function sync(handle: FileHandle): Promise<void> {
  await promisify(fsync)(handle.fd).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_ACCESS_DENIED') throw error;
  });
}

/** Makes the rename last through a power failure, where the platform can sync a folder (Windows cannot). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    if (handle !== undefined) await sync(handle);
  } catch {
    // The file itself is written and in place.
  } finally {
    await handle?.close();
  }
}

/** Best effort: whatever cannot be listed or removed is left for the next write. */
async function removeStale(target: string): Promise<void> {
  const folder = dirname(target);
  const start = `.${basename(target)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    const parts = name.startsWith(start) ? /^(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name.slice(start.length)) : null;
    if (parts === null) continue;
    const file = join(folder, name);
    const info = await stat(file).catch(() => undefined);
    if (info !== undefined && isStale(Number(parts[1]), info.mtimeMs))
      await unlink(file).catch(() => undefined);
  }
}

function isStale(pid: number, modifiedMs: number): boolean {
  // In a container every run may have the same process id.
  if (pid === process.pid) return modifiedMs < PROCESS_START_MS;
  return !isRunning(pid) || Date.now() - modifiedMs > MAX_WRITE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
