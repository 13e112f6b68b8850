const NUMBERS = 'zero one two three four five six seven eight nine ten';
const COMMANDS =
  'yes no up down left right on off stop go start backward forward follow learn visual bed bird cat dog happy house ' +
  'marvin sheila tree wow open close play pause next previous help ok okay cancel enter';

/** Words that data sets of single words usually hold: the digits, and those of Speech Commands and the like. */
const USUAL = new Set([
  ...'0123456789',
  ...NUMBERS.split(' '),
  ...COMMANDS.split(' '),
  '_unknown_',
  '_silence_',
]);

/** The share of the names, without repetition, that are usual words: 0 where there are no names. */
export function shareOfUsualWords(names: Iterable<string>): number {
  const unique = [...new Set(names)];
  return unique.filter((name) => USUAL.has(name.toLowerCase())).length / Math.max(1, unique.length);
}

/** A few names for an error text. */
export function someOf(names: Iterable<string>): string {
  const unique = [...new Set(names)];
  return unique.length > 3 ? `${unique.slice(0, 3).join(', ')}, …` : unique.join(', ');
}
