import { escapeXml } from './svg.js';

/** One figure of `plotPage`. */
export interface PlotPageEntry {
  /** Name in the list at the head of the page. */
  name: string;
  /** The figure as an SVG document. */
  svg: string;
}

/** The sign, near the start of a file, that this program drew it: a figure's class, or the generator of a page. */
export const DRAWN_BY_SONOSPIKE = /class="sonospike"|name="generator" content="sonospike"/;

const STYLE =
  ':root{color-scheme:light dark}body{margin:0 auto;padding:12px;max-width:1000px;font:15px/1.5 system-ui,sans-serif;' +
  'background:#fff;color:#1b1c20}a{color:#0072b2}h1{font-size:1.3em}svg{display:block;max-width:100%;height:auto}' +
  'section{margin:24px 0}@media(prefers-color-scheme:dark){body{background:#15171a;color:#e9e9ec}a{color:#4db2ec}}';

/**
 * Figures as one HTML page that needs nothing else: no script, no other file, dark and light.
 * @param refresh seconds after which the browser is to load it again, for a page that is still being written
 */
export function plotPage(title: string, entries: readonly PlotPageEntry[], refresh?: number): string {
  const list = entries.map(({ name }, i) => `<li><a href="#plot-${i + 1}">${escapeXml(name)}</a></li>`);
  const contents = entries.length > 1 ? `<h1>${escapeXml(title)}</h1><ol>${list.join('')}</ol>` : '';
  const sections = entries.map(({ svg }, i) => `<section id="plot-${i + 1}">\n${svg}</section>\n`);
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeXml(title)}</title>` +
    '<meta name="generator" content="sonospike">' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    (refresh === undefined ? '' : `<meta http-equiv="refresh" content="${refresh}">`) +
    `<style>${STYLE}</style></head>\n<body>${contents}\n${sections.join('')}</body></html>\n`
  );
}
