import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How Windows refuses a rename while another program (an indexer, a virus scanner, a reader) has one of the files open. */
const IN_USE: readonly (string | undefined)[] = ['EPERM', 'EACCES', 'EBUSY'];
const FIRST_DELAY = 10; // ms
const LAST_DELAY = 1280; // ms

/**
 * Renames a file or folder, over an existing file too. On Windows a file that is open cannot be replaced, and other
 * programs open new files for a moment: it is tried again for two and a half seconds.
 * @throws what `rename` of Node throws
 */
export async function renameOver(from: string, to: string): Promise<void> {
  for (let delay = FIRST_DELAY; ; delay *= 2) {
    try {
      return await rename(from, to);
    } catch (error) {
      const inUse = process.platform === 'win32' && IN_USE.includes((error as NodeJS.ErrnoException).code);
      if (!inUse || delay > LAST_DELAY) throw error;
      await sleep(delay);
    }
  }
}
