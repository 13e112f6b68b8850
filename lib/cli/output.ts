import { columnsOf, ProgressBar } from './progress.js';
import { wrapWords } from './text-width.js';

/** Where a command writes: results on stdout, remarks on stderr, and with `--json` one document on stdout. */
export class Output {
  readonly json: boolean;
  readonly bar = new ProgressBar();

  constructor(json: boolean) {
    this.json = json;
  }

  /** A result: on stdout, or on stderr where stdout is kept for the document. */
  print(text: string): void {
    this.#write(this.json ? process.stderr : process.stdout, text);
  }

  /** Columns that a line of the results may take: those of the terminal, or of a usual one. */
  get columns(): number {
    return columnsOf(process.stdout);
  }

  /** A remark for people, on stderr. */
  note(text: string): void {
    this.#write(process.stderr, text);
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    this.bar.clear();
    stream.write(`${stream.isTTY ? wrapProse(text, columnsOf(stream)) : text}\n`);
  }

  /** The JSON document of a command, or one of its lines. */
  document(value: unknown): void {
    this.bar.clear();
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }
}

/** Breaks long sentences between words, for a terminal. Rows of tables, commands and JSON stay as they are. */
function wrapProse(text: string, columns: number): string {
  const isProse = (line: string) => !/^[\s{[]| {2}/.test(line);
  return text
    .split('\n')
    .map((line) => (isProse(line) ? wrapWords(line, columns, '  ') : line))
    .join('\n');
}
