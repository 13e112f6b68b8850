import { crc32, inflateSync } from 'node:zlib';
import { classesOf, elements, findAll, parseXml, textOf, type XmlElement } from './xml.js';

/** Parses a figure, and throws where it is not well-formed or has a number that is none. */
export function parseFigure(svg: string): XmlElement {
  const root = parseXml(svg);
  if (root.name !== 'svg' || root.attributes.xmlns !== 'http://www.w3.org/2000/svg')
    throw new Error('no SVG');
  for (const { name, attributes } of elements(root)) {
    for (const [key, value] of Object.entries(attributes)) {
      if (/NaN|Infinity|undefined|null/.test(value) && key !== 'href')
        throw new Error(`${name} ${key}="${value}"`);
    }
  }
  return root;
}

/** The groups of a figure by what they say they are. */
export function group(root: XmlElement, title: string | RegExp): XmlElement {
  const found = findAll(root, 'g').find((each) => {
    const [first] = each.children;
    if (typeof first !== 'object' || first.name !== 'title') return false;
    return typeof title === 'string' ? textOf(first).startsWith(title) : title.test(textOf(first));
  });
  if (!found) throw new Error(`no group ${title}`);
  return found;
}

export interface Dash {
  row: number;
  start: number;
  length: number;
}

/** The runs of spikes of a raster path, in rows and columns. */
export function dashesOf(path: XmlElement): Dash[] {
  const found: Dash[] = [];
  let [x, y] = [0, 0];
  for (const [, kind, numbers] of path.attributes.d!.matchAll(/([Mmh])([^Mmh]*)/g)) {
    const values = numbers!.trim().split(' ').map(Number);
    if (kind === 'h') {
      found.push({ row: y, start: x, length: values[0]! });
      x += values[0]!;
    } else {
      [x, y] = kind === 'M' ? [values[0]!, values[1]!] : [x + values[0]!, y + values[1]!];
    }
  }
  return found;
}

/** How a raster path gets from columns and rows to pixels. */
export function placeOf(path: XmlElement): (column: number, row: number) => [number, number] {
  const [a, , , d, e, f] = /matrix\(([^)]*)\)/.exec(path.attributes.transform!)![1]!.split(' ').map(Number);
  return (column, row) => [a! * column + e!, d! * row + f!];
}

export interface Bitmap {
  width: number;
  height: number;
  /** Index of the colour. */
  at(x: number, y: number): number;
}

/** Decodes the PNG of an image element, with its checksums. */
export function bitmapOf({ attributes }: XmlElement): Bitmap {
  const png = Buffer.from(attributes.href!.replace('data:image/png;base64,', ''), 'base64');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    if (crc32(body) !== png.readUInt32BE(at + 8 + length)) throw new Error('wrong checksum');
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4));
    at += 12 + length;
  }
  const header = chunks.get('IHDR')!;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(chunks.get('IDAT')!);
  if (rows.length !== height * (width + 1)) throw new Error('wrong length');
  return { width, height, at: (x, y) => rows[y * (width + 1) + 1 + x]! };
}

/** Points of a path of M and L. */
export function pointsOf({ attributes }: XmlElement): [number, number][] {
  return [...attributes.d!.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

/** Texts of a figure that are not turned, with where they are. */
export function textsOf(root: XmlElement) {
  return findAll(root, 'text').map((found) => ({
    text: textOf(found),
    x: Number(found.attributes.x),
    y: Number(found.attributes.y),
    anchor: found.attributes['text-anchor'] ?? 'start',
    turned: found.attributes.transform !== undefined,
    size: { title: 16, heading: 12.5, small: 9 }[classesOf(found)[0] ?? ''] ?? 11,
  }));
}
