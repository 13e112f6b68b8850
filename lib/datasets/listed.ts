import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isSoundFile } from '../audio/formats/index.js';
import { SonospikeError } from '../support/errors.js';
import type { FoundClip } from './layouts/layout.js';
import type { SkipList } from './scan.js';
import { type Listed, readListed } from './table.js';

/** Files that are looked for at the same time. */
const TOGETHER = 64;

/**
 * The clips of a list of one's own; paths are those from the folder of the list.
 * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_DATASET_LAYOUT, ERR_DATASET_EMPTY, ERR_ABORTED
 */
export async function findListed(
  file: string,
  skips: SkipList,
  signal: AbortSignal | undefined,
): Promise<FoundClip[]> {
  const rows = await readListed(file);
  const clips: FoundClip[] = [];
  for (let first = 0; first < rows.length; first += TOGETHER) {
    if (signal?.aborted) {
      throw new SonospikeError('ERR_ABORTED', 'The listing of the data set was stopped.', {
        cause: signal.reason,
      });
    }
    const some = rows.slice(first, first + TOGETHER);
    const found = await Promise.all(some.map((row) => locate(row, dirname(file))));
    for (const [i, clip] of found.entries()) {
      if (typeof clip !== 'string') clips.push(clip);
      else skips.clip(resolve(dirname(file), some[i]!.path), clip);
    }
  }
  if (clips.length > 0) return clips;
  const why =
    skips.listed[0] === undefined ? '' : ` The first, ${skips.listed[0].file}: ${skips.listed[0].reason}.`;
  throw new SonospikeError(
    'ERR_DATASET_EMPTY',
    `None of the ${rows.length} clips in ${file} is there.${why}`,
    { file },
  );
}

/** The clip, or why there is none. */
async function locate({ path, label, speaker, part }: Listed, folder: string): Promise<FoundClip | string> {
  const file = resolve(folder, path);
  const info = await stat(file).catch((error: NodeJS.ErrnoException) => error.code ?? 'an error');
  if (typeof info === 'string')
    return info === 'ENOENT' ? 'there is no such file' : `it cannot be read (${info})`;
  if (!info.isFile()) return 'not a regular file';
  if (!isSoundFile(file)) return 'not a sound file that is read';
  if (label === '') return 'the list gives no label';
  const found = { name: path, path: file, real: await realpath(file) };
  const key = path.replaceAll('\\', '/');
  return { label, speaker, index: null, found, key, ...(part === null ? {} : { part }) };
}
