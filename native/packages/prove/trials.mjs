// Prints the table of results, in Markdown, as the trials go.
import { failure, run } from './tools.mjs';

const LABEL = '7';
let failed = false;

export const anyFailed = () => failed;

/** A line of the table. `text` begins with "works" where it did. */
export function report(name, text) {
  console.log(`| ${name} | ${text} |`);
  failed ||= !text.startsWith('works');
}

/** Runs programs one after the other; the last one must print the label of the clip as its last line. */
export async function outcome(commands, options) {
  let last = '';
  for (const command of commands) {
    const result = await run(command, options);
    if (result.error) return failure(result);
    last = result.stdout.trim().split('\n').at(-1).trim();
  }
  return last === LABEL ? 'works' : `wrong: ${last}`;
}

export async function trial(name, commands, options) {
  report(name, await outcome(commands, options));
}

export function title(text, unit = 'result') {
  console.log(`\n| ${text} | ${unit} |\n|---|---|`);
}
