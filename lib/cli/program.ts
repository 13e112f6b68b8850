import { basename, sep } from 'node:path';
import { shortPath } from './format.js';

/** How the program was started, as far as its environment tells. */
export interface Start {
  /** `process.argv`. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * The command `name` as the user would type it, so that the line can be copied: through `npm run` or `npx` if this
 * process was started that way, else through the installed program or the file that node was given.
 */
export function commandLine(name: string, args: readonly string[] = [], start: Start = process): string {
  const typed = [programAnd(name, start), ...args.map(quote)];
  // npm hands on only what stands behind a double dash.
  if (args.length > 0 && throughScript(start)) typed.splice(1, 0, '--');
  return typed.join(' ');
}

/** `text` with every command line in it as the user would type it: `sonospike COMMAND` at its start, in quotes or behind a pipe. */
export function asTyped(text: string, start: Start = process): string {
  return text.replace(
    /(^|"|\| )sonospike ([a-z][\w-]*)( (?=[^|>&;\s]))?/g,
    (_, ahead: string, name: string, before = '') => {
      const dashes = before !== '' && throughScript(start) ? ' --' : '';
      return ahead + programAnd(name, start) + dashes + before;
    },
  );
}

function programAnd(name: string, start: Start): string {
  if (throughScript(start)) return `npm run ${name}`;
  const { npm_command: npm, npm_lifecycle_event: event } = start.env;
  if (npm !== undefined || event !== undefined) return `npx sonospike ${name}`;
  const program = start.argv[1] ?? 'sonospike';
  if (basename(program) === 'sonospike') return `sonospike ${name}`;
  // On Windows the installed program is a script that names the file below node_modules.
  if (program.includes(`${sep}node_modules${sep}`)) return `npx sonospike ${name}`;
  return `node ${quote(shortPath(program))} ${name}`;
}

/** Whether this is a script of sonospike's own package.json, which has one for every command. */
function throughScript({ argv, env }: Start): boolean {
  return env.npm_package_name === 'sonospike' && env.npm_lifecycle_event === argv[2];
}

function quote(arg: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}
