import { access, constants, open, stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.js';
import { DRAWN_BY_SONOSPIKE, type PlotPageEntry, plotPage } from '../plot/html.js';
import { fileError, SonospikeError } from '../support/errors.js';

/** Seconds after which a page that is still being written is loaded again. */
const REFRESH = 5;

/**
 * Refuses a file that cannot be written before hours of work rather than after.
 * @throws SonospikeError ERR_FILE_WRITE
 */
export async function requireWritable(file: string): Promise<void> {
  try {
    await access(dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw fileError(error, file, 'write');
  }
  const found = await stat(file).catch(() => null);
  if (found === null || found.isFile()) return;
  throw new SonospikeError('ERR_FILE_WRITE', `Cannot write ${file}: it is not a regular file.`, { file });
}

/** Bytes at the start of a picture in which its sign must be. */
const SIGN_WITHIN = 4096;

/** A picture is soon drawn again, so it may be replaced; a file that another program made may not. */
async function requireOwn(file: string): Promise<void> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SIGN_WITHIN), 0, SIGN_WITHIN, 0);
    if (bytesRead === 0 || DRAWN_BY_SONOSPIKE.test(buffer.toString('utf8', 0, bytesRead))) return;
  } finally {
    await handle.close();
  }
  const message = `${file} is there already, and sonospike did not draw it. Name another file, or remove it first.`;
  throw new SonospikeError('ERR_FILE_WRITE', message, { file });
}

/** The file that `--plot` names. */
export class PlotFile {
  readonly file: string;
  /** A page can hold several figures. */
  readonly isPage: boolean;
  /** Makes the newest that is not written yet. */
  #waiting: (() => string) | null = null;
  #writing: Promise<void> | null = null;
  /** Of the last write. */
  #failure: { error: unknown } | null = null;

  private constructor(file: string, isPage: boolean) {
    this.file = file;
    this.isPage = isPage;
  }

  /**
   * Checks the name of the file, if one was given, and that it can be written.
   * @param others files that the command writes too
   * @throws SonospikeError ERR_INVALID_OPTION, ERR_FILE_WRITE
   */
  static async choose(file: string | undefined, others: readonly string[] = []): Promise<PlotFile | null> {
    if (file === undefined) return null;
    const ending = extname(file).toLowerCase();
    if (ending !== '.svg' && ending !== '.html') {
      throw new SonospikeError(
        'ERR_INVALID_OPTION',
        `--plot is ${JSON.stringify(file)}; the file must end in .svg or .html, which says what is written.`,
      );
    }
    if (others.some((other) => resolve(other) === resolve(file))) {
      throw new SonospikeError('ERR_INVALID_OPTION', `--plot and --out would both be ${file}.`);
    }
    await requireWritable(file);
    await requireOwn(file);
    return new PlotFile(file, ending === '.html');
  }

  /**
   * Writes one figure, or a page of several, as soon as what came before is written; of what comes meanwhile only the
   * newest is drawn.
   * @param growing whether more is to come, so that a browser should look again
   */
  update(title: string, draw: () => readonly PlotPageEntry[], growing = false): void {
    this.#waiting = this.isPage
      ? () => plotPage(title, draw(), growing ? REFRESH : undefined)
      : () => draw()[0]!.svg;
    this.#writing ??= this.#writeAll();
  }

  /**
   * When all is written.
   * @throws SonospikeError ERR_FILE_WRITE
   */
  async written(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure.error;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== null) {
      const make = this.#waiting;
      this.#waiting = null;
      try {
        await writeFileAtomic(this.file, [Buffer.from(make())]);
        this.#failure = null;
      } catch (error) {
        this.#failure = { error };
      }
    }
    this.#writing = null;
  }
}
