/** Text as it may stand in the contents or in an attribute of an XML element. */
export function escapeXml(text: string): string {
  return text
    .replace(FORBIDDEN, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Characters that XML 1.0 does not have, not even as references: most controls, and halves of surrogate pairs. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element with its contents, which are XML already. Attributes that are undefined are left out. */
export function element(name: string, attributes: Attributes, contents = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}="${typeof value === 'number' ? short(value) : escapeXml(value as string)}"`,
    )
    .join('');
  return contents === '' ? `<${name}${written}/>` : `<${name}${written}>${contents}</${name}>`;
}

/** A coordinate: two digits after the point are finer than what can be seen. */
export function short(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return String(Object.is(rounded, -0) ? 0 : rounded);
}

export interface TextOptions {
  anchor?: 'start' | 'middle' | 'end';
  /** Classes of the style sheet in `style.ts`. */
  class?: string;
  /** Degrees, clockwise about (x, y). */
  rotate?: number;
}

/** Text whose base line is at y. */
export function text(x: number, y: number, value: string, options: TextOptions = {}): string {
  const { anchor = 'start', rotate } = options;
  return element(
    'text',
    {
      x,
      y,
      'text-anchor': anchor === 'start' ? undefined : anchor,
      class: options.class,
      transform: rotate === undefined ? undefined : `rotate(${short(rotate)} ${short(x)} ${short(y)})`,
    },
    escapeXml(value),
  );
}

export function line(x1: number, y1: number, x2: number, y2: number, name: string): string {
  return element('path', { class: name, d: `M${short(x1)} ${short(y1)}L${short(x2)} ${short(y2)}` });
}

/** Of letters in the sans-serif fonts of the usual systems, in shares of the size; a little too wide rather than not. */
const NARROW = /[iljtfI.,:;'|!()[\] ]/;
const WIDE = /[mwMW@%\u2014\u2026]/;
const CAPITAL = /[A-Z&\u00b1\u2212]/;

function letterWidth(letter: string): number {
  if (NARROW.test(letter)) return 0.38;
  if (WIDE.test(letter)) return 0.98;
  if (CAPITAL.test(letter)) return 0.72;
  // Letters of East Asia and pictures are as wide as high.
  return letter.codePointAt(0)! >= 0x1100 ? 1.05 : 0.63;
}

/** Estimate of the width of a text at a font size, in the same unit. Where it is drawn there is nobody to ask. */
export function textWidth(value: string, size: number): number {
  let width = 0;
  for (const letter of value) width += letterWidth(letter);
  return width * size;
}

/** The text itself, or as much of its beginning and end as fits, as names often differ in their ends. */
export function fitText(value: string, size: number, width: number): string {
  if (textWidth(value, size) <= width) return value;
  const letters = [...value];
  for (let kept = letters.length - 1; kept > 0; kept--) {
    const head = Math.ceil((2 * kept) / 3);
    const tail = letters.slice(letters.length - (kept - head)).join('');
    const shorter = `${letters.slice(0, head).join('').trimEnd()}…${tail}`;
    if (textWidth(shorter, size) <= width) return shorter;
  }
  return '…';
}

/** Lines of whole words, each no wider than `width` where its words are not. */
export function wrapText(value: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of value.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => fitText(line, size, width));
}

/** With a minus sign that is as wide as a plus. */
export function threeDigits(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '\u2212');
}
