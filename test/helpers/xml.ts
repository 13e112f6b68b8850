/** An element of an XML document. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: (XmlElement | string)[];
}

const NAME = /[A-Za-z_][\w:.-]*/y;
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/**
 * Parses the XML that figures are made of, and throws at all that is not well-formed: elements, attributes, text and
 * the references that `escapeXml` makes. No comments, declarations or namespaces but what stands in attributes.
 */
export function parseXml(source: string): XmlElement {
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(`${what} at ${at}: ${JSON.stringify(source.slice(Math.max(0, at - 60), at + 60))}`);
  };
  const take = (text: string) => {
    if (!source.startsWith(text, at)) fail(`${text} expected`);
    at += text.length;
  };
  const space = () => {
    while (/\s/.test(source[at] ?? '')) at++;
  };
  const name = (): string => {
    NAME.lastIndex = at;
    const found = NAME.exec(source)?.[0] ?? fail('a name expected');
    at += found.length;
    return found;
  };
  const decode = (text: string): string => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 does not have
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff<>]/u.test(text)) {
      fail(`a character that may not be there in ${JSON.stringify(text)}`);
    }
    return text.replace(/&([^;]*;?)/g, (_, reference: string) => {
      const entity = reference.endsWith(';') ? reference.slice(0, -1) : fail('an & that is no reference');
      if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)));
      return ENTITIES[entity] ?? fail(`unknown entity ${entity}`);
    });
  };
  const attributes = (): Record<string, string> => {
    const found: Record<string, string> = {};
    for (space(); !'/>'.includes(source[at] ?? '>'); space()) {
      const key = name();
      if (key in found) fail(`${key} twice`);
      take('="');
      const end = source.indexOf('"', at);
      found[key] = decode(source.slice(at, end));
      at = end + 1;
      if (!/[\s/>]/.test(source[at] ?? '')) fail('space between attributes expected');
    }
    return found;
  };
  const element = (): XmlElement => {
    take('<');
    const found: XmlElement = { name: name(), attributes: attributes(), children: [] };
    if (source.startsWith('/>', at)) {
      at += 2;
      return found;
    }
    take('>');
    while (!source.startsWith('</', at)) {
      const next = source.indexOf('<', at);
      if (next < 0) fail(`${found.name} has no end`);
      if (next > at) found.children.push(decode(source.slice(at, next)));
      at = next;
      if (!source.startsWith('</', at)) found.children.push(element());
    }
    take(`</${found.name}>`);
    return found;
  };
  const root = element();
  space();
  if (at !== source.length) fail('nothing more expected');
  return root;
}

/** An element and all those in it, in the order of the document. */
export function* elements(root: XmlElement): Generator<XmlElement> {
  yield root;
  for (const child of root.children) if (typeof child !== 'string') yield* elements(child);
}

/** All elements of a name, with a class where one is given. */
export function findAll(root: XmlElement, name: string, ofClass?: string): XmlElement[] {
  return [...elements(root)].filter(
    (found) => found.name === name && (ofClass === undefined || classesOf(found).includes(ofClass)),
  );
}

export function classesOf({ attributes }: XmlElement): string[] {
  return (attributes.class ?? '').split(' ');
}

/** The text in an element and in those within it. */
export function textOf({ children }: XmlElement): string {
  return children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}
