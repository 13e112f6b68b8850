import { ProgressBar } from './progress.js';

/** Where a command writes: results on stdout, remarks on stderr, and with `--json` one document on stdout. */
export class Output {
  readonly json: boolean;
  readonly bar = new ProgressBar();

  constructor(json: boolean) {
    this.json = json;
  }

  /** A result: on stdout, or on stderr where stdout is kept for the document. */
  print(text: string): void {
    this.bar.clear();
    (this.json ? process.stderr : process.stdout).write(`${text}\n`);
  }

  /** A remark for people, on stderr. */
  note(text: string): void {
    this.bar.clear();
    process.stderr.write(`${text}\n`);
  }

  /** The JSON document of a command, or one of its lines. */
  document(value: unknown): void {
    this.bar.clear();
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }
}

/**
 * Ends the program quietly when what reads its output goes away, as in `sonospike evaluate | head`. Files are
 * written whole or not at all, so that nothing is left damaged.
 */
export function endOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
}
