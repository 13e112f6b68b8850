import { COLOURS } from './colours.js';

/** Font sizes in pixels, as the style sheet has them. */
export const FONT = { title: 16, heading: 12.5, body: 11 } as const;

const LIGHT = {
  paper: '#ffffff',
  onfill: '#ffffff',
  ink: '#1b1c20',
  muted: '#5b5f67',
  grid: '#e2e4e8',
  axis: '#85898f',
};
const DARK = {
  paper: '#15171a',
  onfill: '#0b0c0e',
  ink: '#e9e9ec',
  muted: '#a3a8b0',
  grid: '#2c2f35',
  axis: '#71767e',
};

/** Of every figure: within the SVG, so that the file alone is dark where the reader's system is. */
export function styleSheet(): string {
  return (
    '.sonospike{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}' +
    `${theme(LIGHT, 0)}@media(prefers-color-scheme:dark){${theme(DARK, 1)}}` +
    '.sonospike .title{font-size:16px;font-weight:600}.sonospike .heading{font-size:12.5px;font-weight:600}' +
    '.sonospike .note{font-size:11px;font-weight:400}.sonospike .strong{font-weight:600}' +
    '.sonospike .line{fill:none;stroke:currentColor;stroke-linejoin:round}' +
    '.sonospike .grid,.sonospike .axis{fill:none;shape-rendering:crispEdges}' +
    '.sonospike .dashed{stroke-dasharray:4 3}.sonospike .raster{fill:none;stroke:currentColor}' +
    '.sonospike .pixels{image-rendering:pixelated}'
  );
}

function theme({ paper, onfill, ink, muted, grid, axis }: typeof LIGHT, dark: 0 | 1): string {
  const colours = Object.entries(COLOURS)
    .map(([name, values]) => `.sonospike .${name}{color:${values[dark]}}`)
    .join('');
  return (
    `.sonospike .paper{fill:${paper}}.sonospike text{fill:${ink}}.sonospike .muted,.sonospike .note{fill:${muted}}` +
    `.sonospike .ink{color:${ink}}.sonospike .faint{color:${axis}}` +
    `.sonospike .grid{stroke:${grid}}.sonospike .axis{stroke:${axis}}` +
    `.sonospike text.coloured{fill:currentColor}.sonospike text.onfill{fill:${onfill}}${colours}`
  );
}
