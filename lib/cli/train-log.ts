import { appendFile, readFile, stat } from 'node:fs/promises';
import { writeFileAtomic } from '../files/atomic-file.js';
import { fileError, SonospikeError } from '../support/errors.js';
import type { EpochMetrics } from '../training/epoch.js';
import { requireWritable } from './plot-file.js';

/** The file of `--log`: the metrics of every epoch as a line of JSON, appended when the epoch has ended. */
export class TrainLog {
  readonly file: string;
  /** Epochs that the file has. */
  #epochs: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, epochs: number) {
    this.file = file;
    this.#epochs = epochs;
  }

  /**
   * Begins a log, or goes on with the one that is there.
   * @param force replaces an earlier log
   * @throws SonospikeError ERR_FILE_WRITE, ERR_FILE_UNREADABLE
   */
  static async open(
    file: string | undefined,
    { resumed, force }: { resumed: boolean; force: boolean },
  ): Promise<TrainLog | null> {
    if (file === undefined) return null;
    await requireWritable(file);
    if (!resumed) {
      if (!force) await requireEmpty(file);
      await writeFileAtomic(file, []);
      return new TrainLog(file, 0);
    }
    const { text, epochs } = wholeLines(await readFile(file, 'utf8').catch(emptyIfMissing(file)));
    await writeFileAtomic(file, [Buffer.from(text)]);
    return new TrainLog(file, epochs);
  }

  /** Appends the epochs that the file does not have yet. */
  update(history: readonly EpochMetrics[]): void {
    const lines = history.slice(this.#epochs).map((metrics) => `${JSON.stringify(metrics)}\n`);
    this.#epochs = Math.max(this.#epochs, history.length);
    if (lines.length === 0) return;
    this.#writing = this.#writing.then(() => appendFile(this.file, lines.join('')));
    // The error is thrown by `written`.
    this.#writing.catch(() => {});
  }

  /**
   * When all lines are written.
   * @throws SonospikeError ERR_FILE_WRITE
   */
  async written(): Promise<void> {
    try {
      await this.#writing;
    } catch (error) {
      throw fileError(error, this.file, 'write');
    }
  }
}

async function requireEmpty(file: string): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size === 0) return;
  const message = `${file} is there already: name another file with --log, or replace it with --force.`;
  throw new SonospikeError('ERR_FILE_WRITE', message, { file });
}

function emptyIfMissing(file: string) {
  return (error: NodeJS.ErrnoException): string => {
    if (error.code === 'ENOENT') return '';
    throw fileError(error, file, 'read');
  };
}

/** The lines of a log up to the last one that is whole; a process that was killed may have left a part of one. */
function wholeLines(log: string): { text: string; epochs: number } {
  const lines = log.slice(0, log.lastIndexOf('\n') + 1);
  const last = lines.trimEnd().split('\n').at(-1) ?? '';
  if (last === '') return { text: '', epochs: 0 };
  return { text: lines, epochs: epochOf(last) };
}

function epochOf(line: string): number {
  try {
    const { epoch } = JSON.parse(line) as { epoch: unknown };
    if (Number.isInteger(epoch)) return epoch as number;
  } catch {
    // The error below says it.
  }
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `--log goes on with a file whose last line is no epoch: ${line.slice(0, 60)}`,
  );
}
