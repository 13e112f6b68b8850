import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type ErrorCode, fileError, SonospikeError } from '../support/errors.js';
import { compareCodePoints, isWav } from './names.js';

export interface SkippedFile {
  file: string;
  reason: string;
}

/** A WAV file, and the path without links that tells whether it was met before. */
export interface FoundFile {
  name: string;
  path: string;
  real: string;
}

export interface Folder extends FoundFile {
  wavs: FoundFile[];
  /** Subfolders, not read yet. */
  folders: FoundFile[];
}

const MAX_LISTED = 1000;

/** What was left out of a dataset. Under `strict` the first clip that is left out is an error. */
export class SkipList {
  private readonly listed: SkippedFile[] = [];
  private more = 0;

  constructor(private readonly strict: boolean) {}

  /** Leaves out a file that is no clip, such as a README. */
  stray(file: string, reason: string): void {
    if (this.listed.length < MAX_LISTED) this.listed.push({ file, reason });
    else this.more++;
  }

  /**
   * Leaves out something that is, or may hold, a clip.
   * @throws SonospikeError with `code` under strict
   */
  clip(file: string, reason: string, code: ErrorCode = 'ERR_DATASET_BAD_CLIP', cause?: unknown): void {
    if (this.strict) throw new SonospikeError(code, `Cannot use ${file}: ${reason}.`, { file, cause });
    this.stray(file, reason);
  }

  /** At most a thousand entries; a last one stands for the others. */
  list(directory: string): SkippedFile[] {
    if (this.more === 0) return [...this.listed];
    return [...this.listed, { file: directory, reason: `and ${this.more} more files` }];
  }
}

/** Lists folders in a fixed order and remembers which it has been in. */
export class Scanner {
  private readonly seen = new Map<string, { path: string; folder: Folder | null }>();
  private root = '';

  constructor(
    private readonly skips: SkipList,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE */
  async openRoot(directory: string): Promise<Folder> {
    try {
      this.root = await realpath(directory);
      if (!(await stat(this.root)).isDirectory()) {
        const message = `${directory} is a file; a dataset is a directory with WAV files.`;
        throw new SonospikeError('ERR_FILE_UNREADABLE', message, { file: directory });
      }
      return await this.list({ name: '', path: directory, real: this.root });
    } catch (error) {
      throw error instanceof SonospikeError ? error : fileError(error, directory, 'read');
    }
  }

  /** The contents of a subfolder; null, and noted as skipped, if it cannot be read or was met by another path. */
  async open(found: FoundFile): Promise<Folder | null> {
    const { path, real } = found;
    const before = this.seen.get(real);
    if (before?.path === path) return before.folder;
    if (before !== undefined) {
      this.skips.clip(path, `the same folder as ${before.path}`, 'ERR_DATASET_DUPLICATE');
      return null;
    }
    if (this.root === real || this.root.startsWith(real.endsWith(sep) ? real : real + sep)) {
      this.skips.stray(path, 'a link back to a folder that contains it');
      return null;
    }
    const folder = await this.tryList(found);
    this.seen.set(real, { path, folder });
    return folder;
  }

  private async tryList(found: FoundFile): Promise<Folder | null> {
    try {
      return await this.list(found);
    } catch (error) {
      if (error instanceof SonospikeError) throw error;
      const reason = `the folder cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`;
      this.skips.clip(found.path, reason, 'ERR_FILE_UNREADABLE', error);
      return null;
    }
  }

  private async list({ name, path, real }: FoundFile): Promise<Folder> {
    if (this.signal?.aborted) {
      throw new SonospikeError('ERR_ABORTED', 'Listing the dataset was stopped.', {
        cause: this.signal.reason,
      });
    }
    const found: Folder = { name, path, real, wavs: [], folders: [] };
    const entries = await readdir(path, { withFileTypes: true });
    entries.sort((a, b) => compareCodePoints(a.name, b.name));
    for (const entry of entries) await this.place(entry, found);
    return found;
  }

  /** Puts one entry of a folder where it belongs: the clips, the subfolders or what is skipped. */
  private async place(entry: Dirent, into: Folder): Promise<void> {
    const { name } = entry;
    const path = join(into.path, name);
    if (name.startsWith('.')) {
      const reason = name.startsWith('._') ? 'written by macOS, not a clip' : 'hidden';
      return this.skips.stray(path, reason);
    }
    let [kind, real]: [Pick<Dirent, 'isFile' | 'isDirectory'>, string] = [entry, join(into.real, name)];
    if (entry.isSymbolicLink()) {
      try {
        [kind, real] = await Promise.all([stat(path), realpath(path)]);
      } catch (error) {
        const reason = `a link that leads nowhere (${(error as NodeJS.ErrnoException).code ?? error})`;
        return isWav(name) ? this.skips.clip(path, reason) : this.skips.stray(path, reason);
      }
    }
    if (kind.isDirectory()) into.folders.push({ name, path, real });
    else if (!isWav(name)) this.skips.stray(path, 'not a WAV file');
    else if (!kind.isFile()) this.skips.clip(path, 'not a regular file');
    else if (name.includes('\ufffd')) this.skips.clip(path, 'its name is not valid UTF-8');
    else into.wavs.push({ name, path, real });
  }
}
