/** Deeper nesting than any settings have; below what would overflow the stack of a recursive reader. */
const MAX_DEPTH = 64;

/**
 * Parses JSON as `JSON.parse` does, but refuses a key given twice in one object (where readers disagree on
 * which one counts) and nesting deeper than 64.
 * @throws SyntaxError
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  checkStructure(text);
  return value;
}

/** True for what JSON calls an object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Walks text that is known to be valid JSON. */
function checkStructure(text: string): void {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (open.push(new Set()) > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH}`);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = stringEnd(text, at);
      if (isKey(text, end)) addKey(open.at(-1)!, JSON.parse(text.slice(at, end)));
      at = end - 1;
    }
  }
}

/** Position after the closing quote of the string that starts at `at`. */
function stringEnd(text: string, at: number): number {
  let end = at + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function isKey(text: string, at: number): boolean {
  let next = at;
  while (' \t\n\r'.includes(text[next] ?? '}')) next++;
  return text[next] === ':';
}

function addKey(keys: Set<string>, key: string): void {
  if (keys.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key.slice(0, 80))} is given twice`);
  keys.add(key);
}
