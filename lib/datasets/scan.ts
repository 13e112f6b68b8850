import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isSoundFile } from '../audio/formats/index.js';
import { type ErrorCode, fileError, SonospikeError } from '../support/errors.js';
import type { SkippedFile } from './dataset.js';
import type { Folder, FoundFile } from './folder.js';
import { compareCodePoints } from './names.js';

/** Folders within folders that are looked into. */
const DEEPEST = 8;

/** The files that a data set leaves out. Under `strict` the first sound file that is left out is an error. */
export class SkipList {
  readonly listed: SkippedFile[] = [];

  constructor(private readonly strict: boolean) {}

  /** Leaves out a file that is no clip, such as a README. */
  stray(file: string, reason: string): void {
    this.listed.push({ file, reason });
  }

  /**
   * Leaves out something that is, or may hold, a clip.
   * @throws SonospikeError with `code` under strict
   */
  clip(file: string, reason: string, code: ErrorCode = 'ERR_DATASET_BAD_CLIP', cause?: unknown): void {
    if (this.strict) throw new SonospikeError(code, `Cannot use ${file}: ${reason}.`, { file, cause });
    this.stray(file, reason);
  }
}

/** Lists a folder and all folders below it. */
export class Scanner {
  /** Folders by their paths without links, with the path by which each was first met. */
  private readonly seen = new Map<string, string>();

  constructor(
    private readonly skips: SkipList,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_ABORTED */
  async scan(directory: string): Promise<Folder> {
    try {
      const real = await realpath(directory);
      if (!(await stat(real)).isDirectory()) {
        const message = `${directory} is a file; a data set is a directory of sound files, or a .csv or .json that lists them.`;
        throw new SonospikeError('ERR_FILE_UNREADABLE', message, { file: directory });
      }
      this.seen.set(real, directory);
      return await this.list({ name: '', path: directory, real }, 0);
    } catch (error) {
      throw error instanceof SonospikeError ? error : fileError(error, directory, 'read');
    }
  }

  /** The contents of a subfolder; null, with a note of why, if it cannot be read or was met before. */
  private async open(found: FoundFile, parent: FoundFile, depth: number): Promise<Folder | null> {
    const { path, real } = found;
    if (isWithin(parent.real, real)) {
      this.skips.stray(path, 'a link back to a folder that contains it');
      return null;
    }
    const before = this.seen.get(real);
    if (before !== undefined) {
      this.skips.clip(path, `the same folder as ${before}`, 'ERR_DATASET_DUPLICATE');
      return null;
    }
    if (depth > DEEPEST) {
      this.skips.clip(path, `more than ${DEEPEST} folders deep`);
      return null;
    }
    this.seen.set(real, path);
    try {
      return await this.list(found, depth);
    } catch (error) {
      if (error instanceof SonospikeError) throw error;
      const reason = `the folder cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`;
      this.skips.clip(path, reason, 'ERR_FILE_UNREADABLE', error);
      return null;
    }
  }

  private async list({ name, path, real }: FoundFile, depth: number): Promise<Folder> {
    if (this.signal?.aborted) {
      throw new SonospikeError('ERR_ABORTED', 'The listing of the data set was stopped.', {
        cause: this.signal.reason,
      });
    }
    const folder: Folder = { name, path, real, sounds: [], others: [], folders: [] };
    const entries = await readdir(path, { withFileTypes: true });
    entries.sort((a, b) => compareCodePoints(a.name, b.name));
    for (const entry of entries) {
      const found = { name: entry.name, path: join(path, entry.name), real: join(real, entry.name) };
      if (this.isHidden(found)) continue;
      const { target, kind } = entry.isSymbolicLink()
        ? await this.follow(found)
        : { target: found, kind: entry };
      if (kind === null) continue;
      if (!kind.isDirectory()) {
        this.place(target, kind, folder);
        continue;
      }
      const inner = await this.open(target, folder, depth + 1);
      if (inner !== null) folder.folders.push(inner);
    }
    return folder;
  }

  private isHidden({ name, path }: FoundFile): boolean {
    if (!name.startsWith('.')) return false;
    this.skips.stray(path, name.startsWith('._') ? 'written by macOS, not a clip' : 'hidden');
    return true;
  }

  /** What a link leads to; null, with a note, where it leads nowhere. */
  private async follow(found: FoundFile) {
    const { name, path } = found;
    try {
      const [kind, real] = await Promise.all([stat(path), realpath(path)]);
      return { target: { ...found, real }, kind };
    } catch (error) {
      const reason = `a link that leads nowhere (${(error as NodeJS.ErrnoException).code ?? error})`;
      if (isSoundFile(name)) this.skips.clip(path, reason);
      else this.skips.stray(path, reason);
      return { target: found, kind: null };
    }
  }

  private place(found: FoundFile, kind: Pick<Dirent, 'isFile'>, into: Folder): void {
    const { name, path } = found;
    if (!isSoundFile(name)) into.others.push(found);
    else if (!kind.isFile()) this.skips.clip(path, 'not a regular file');
    else if (name.includes('\ufffd')) this.skips.clip(path, 'its name is not valid UTF-8');
    else into.sounds.push(found);
  }
}

/** Whether `inner` is `outer` or lies below it; both without links. */
function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}
