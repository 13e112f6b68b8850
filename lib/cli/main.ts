#!/usr/bin/env node
import { leaveLongerToCaller } from '../model/prediction.js';
import { SonospikeError } from '../support/errors.js';
import { nearest } from '../support/nearest.js';
import { packageVersion } from '../support/version.js';
import type { Command } from './command.js';
import { COMMANDS } from './commands/index.js';
import { entry } from './help.js';
import { asTyped } from './program.js';
import { endOnClosedPipe, exitStatus } from './stop.js';

endOnClosedPipe();
leaveLongerToCaller();
process.on('uncaughtException', (error) => {
  report(error);
  process.exit(1);
});
try {
  await main(process.argv.slice(2));
} catch (error) {
  report(error);
  process.exitCode = exitStatus(error);
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === '--version') {
    process.stdout.write(`${packageVersion()}\n`);
  } else if (name === '--help' || name === '-h' || (name === 'help' && args[0] === undefined)) {
    process.stdout.write(overview());
  } else if (name === 'help') {
    await find(args[0]).run(['--help']);
  } else {
    await find(name).run(args);
  }
}

function find(name: string | undefined): Command {
  const command = COMMANDS.find((each) => each.name === name);
  if (command) return command;
  const names = COMMANDS.map((each) => each.name);
  const isOption = name?.startsWith('-');
  const meant = name === undefined ? null : nearest(name, isOption ? ['--help', '--version'] : names);
  const problem =
    name === undefined ? 'Name a command' : `There is no ${isOption ? 'option' : 'command'} ${name}`;
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `${problem}.${meant ? ` Did you mean ${meant}?` : ''} The commands are ${names.join(', ')}; --help tells more.`,
  );
}

function overview(): string {
  return [
    'Usage: sonospike COMMAND [options]',
    '',
    'Trains spiking neural networks on short spoken words and runs them.',
    '',
    'Commands:',
    ...COMMANDS.map(({ name, summary }) => entry(name, summary)),
    '',
    'Options:',
    entry('-h, --help', 'Prints this text; behind a command, the options of that command.'),
    entry('--version', 'Prints the version.'),
    '',
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of a write to standard output; files have errors of their own. */
function noRoom({ code, message }: NodeJS.ErrnoException): string {
  return code === 'ENOSPC'
    ? 'Cannot write the output: the disk behind it is full (ENOSPC).'
    : `Cannot write the output: ${message}.`;
}

/** One line for every error, and the stack for those who ask for it. */
function report(error: unknown): void {
  // A full disk behind stdout is no fault of this program.
  const full = ['ENOSPC', 'EIO'].includes((error as NodeJS.ErrnoException | null)?.code ?? '');
  const expected = full || (error instanceof SonospikeError && error.code !== 'ERR_INTERNAL');
  const message = full ? noRoom(error as NodeJS.ErrnoException) : asTyped(messageOf(error));
  const bug = expected ? '' : ' (This is a bug in sonospike; SONOSPIKE_DEBUG=1 shows where.)';
  // Names of files may hold line breaks.
  process.stderr.write(`sonospike: ${message.replace(/\s*[\r\n]+\s*/g, ' ')}${bug}\n`);
  if (process.env.SONOSPIKE_DEBUG) console.error(error);
}
