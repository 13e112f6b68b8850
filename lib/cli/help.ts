import { type OptionSpec, type OptionTable, optionName, valueName } from './args.js';
import { asTyped } from './program.js';

const WIDTH = 100;
const INDENT = 28;

export interface HelpPage {
  /** What follows the name of the program: `train [options]`. */
  usage: string;
  description: string;
  examples: readonly string[];
  options: OptionTable;
  /** A list after the options. */
  more?: { title: string; entries: readonly (readonly [name: string, text: string])[] } | undefined;
}

/** The text of `--help`, made from the table that the arguments are parsed with. */
export function helpText({ usage, description, examples, options, more }: HelpPage): string {
  const entries = Object.entries(options).map(([key, spec]) => entry(optionTitle(key, spec), describe(spec)));
  const parts = [`Usage: sonospike ${usage}`, '', ...wrap(description, WIDTH)];
  if (examples.length > 0) parts.push('', 'Examples:', ...examples.map((line) => `  ${asTyped(line)}`));
  const list = more ? ['', more.title, ...more.entries.map(([name, text]) => entry(name, text))] : [];
  return [...parts, '', 'Options:', ...entries, ...list, ''].join('\n');
}

/** A name and what it means, beside each other where the name is short enough. */
export function entry(title: string, text: string): string {
  const lines = wrap(text, WIDTH - INDENT);
  const margin = ' '.repeat(INDENT);
  const first = `  ${title}`;
  if (first.length > INDENT - 2) return [first, ...lines.map((line) => margin + line)].join('\n');
  const [head = '', ...rest] = lines;
  return [first.padEnd(INDENT) + head, ...rest.map((line) => margin + line)].join('\n');
}

function optionTitle(key: string, spec: OptionSpec): string {
  const name = `--${optionName(key)}`;
  if (spec.type === 'flag') return spec.short ? `-${spec.short}, ${name}` : name;
  const value = valueName(spec);
  return spec.type === 'text' && spec.optional ? `${name} [${value}]` : `${name} ${value}`;
}

function describe(spec: OptionSpec): string {
  const remarks: string[] = [];
  if (spec.type === 'integer' || spec.type === 'number') {
    const from = spec.type === 'integer' && spec.max === Number.MAX_SAFE_INTEGER;
    remarks.push(from ? `from ${spec.min}` : `${spec.min} to ${spec.max}`);
  }
  if (spec.type !== 'flag' && spec.default !== undefined) remarks.push(`default: ${spec.default}`);
  if (spec.defaults) remarks.push(spec.defaults);
  const help = asTyped(spec.help);
  return remarks.length === 0 ? help : `${help} (${remarks.join('; ')})`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
