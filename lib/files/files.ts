import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError, SonospikeError } from '../support/errors.js';

/** What Node reads into one buffer. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/**
 * The bytes of a regular file: reading a pipe or a device might never end.
 * @param wanted what the file should be, for error texts: "the path of a WAV file is needed"
 * @param tooLarge makes the error for a file of so many bytes that Node cannot read it at once
 * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, or that of `tooLarge`
 */
export async function readWhole(
  file: string,
  wanted: string,
  tooLarge: (bytes: number) => SonospikeError,
): Promise<Uint8Array> {
  try {
    const info = await stat(file);
    if (!info.isFile()) {
      const kind = info.isDirectory() ? 'a directory' : 'not a regular file';
      throw new SonospikeError('ERR_FILE_UNREADABLE', `Cannot read ${file}: it is ${kind}; ${wanted}.`, {
        file,
      });
    }
    if (info.size > MAX_FILE_BYTES) throw tooLarge(info.size);
    return await readFile(file);
  } catch (error) {
    throw error instanceof SonospikeError ? error : fileError(error, file, 'read');
  }
}

/**
 * Makes a folder and those above it that are missing. Node's own recursive mkdir never returns where a file system
 * (/proc, say) answers "no such file" although the folder above is there.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    const above = dirname(folder);
    if (code !== 'ENOENT' || above === folder || (await isFolder(above))) throw error;
    await makeFolder(above);
    await makeFolder(folder);
  }
}

/** Whether there is a folder of that name. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
