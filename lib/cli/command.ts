import { SonospikeError } from '../support/errors.js';
import { type OptionTable, type Parsed, parseOptions } from './args.js';
import { type HelpPage, helpText } from './help.js';
import { Output } from './output.js';

/** One command of the program, as main.ts knows it. */
export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** Runs the command on the arguments behind its name. */
  run(args: string[]): Promise<void>;
}

interface CommandSpec<T extends OptionTable> {
  name: string;
  summary: string;
  /** For `--help`: a few sentences. */
  description: string;
  examples: readonly string[];
  /** Arguments that are not options: how they are called in `--help`, and how many there may be. */
  positionals?: { usage: string; max: number };
  options: T;
  /** A list at the end of `--help`. */
  more?: HelpPage['more'];
  /** What `--json` does, where it is not the usual. */
  json?: string;
  run(input: Parsed<T> & { args: string[] }, out: Output): Promise<void>;
}

const COMMON = {
  json: {
    type: 'flag',
    help:
      'Prints exactly one JSON document on stdout; everything else goes to stderr. With npm, use npm run -s, as npm ' +
      'prints lines of its own.',
  },
  help: { type: 'flag', short: 'h', help: 'Prints this text.' },
} as const satisfies OptionTable;

/** Adds `--json` and `--help` to a command, and the parsing of its arguments. */
export function defineCommand<const T extends OptionTable>(spec: CommandSpec<T>): Command {
  const table = { ...spec.options, ...COMMON, json: { ...COMMON.json, help: spec.json ?? COMMON.json.help } };
  const usage = `${spec.name}${spec.positionals ? ` ${spec.positionals.usage}` : ''} [options]`;
  return {
    name: spec.name,
    summary: spec.summary,
    async run(args) {
      const parsed = parseOptions(args, table) as Parsed<typeof COMMON> & Parsed<T>;
      const { help, json, ...options } = parsed.options;
      if (help) {
        process.stdout.write(helpText({ ...spec, usage, options: table }));
        return;
      }
      refuseSurplus(parsed.positionals, spec.positionals?.max ?? 0, spec.name);
      const out = new Output(json);
      try {
        await spec.run(
          { positionals: parsed.positionals, options: options as unknown as Parsed<T>['options'], args },
          out,
        );
      } finally {
        out.bar.clear();
      }
    },
  };
}

function refuseSurplus(positionals: string[], max: number, name: string): void {
  const surplus = positionals[max];
  if (surplus === undefined) return;
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `${name} does not know what to do with ${JSON.stringify(surplus)}. Its options are listed by --help.`,
  );
}
