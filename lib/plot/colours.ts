/**
 * Colours that people with any of the common kinds of colour blindness tell apart (M. Okabe and K. Ito, "Color
 * Universal Design", 2008), and lighter ones of the same hues for dark pages. Their names are classes of the style
 * sheet.
 */
export const COLOURS = {
  blue: ['#0072b2', '#4db2ec'],
  vermilion: ['#d55e00', '#f58a45'],
  green: ['#00835f', '#2cc79b'],
  purple: ['#b8578f', '#dc9bbd'],
  orange: ['#b87f00', '#e9b13b'],
  sky: ['#2f8fc9', '#8accf2'],
} as const;

export type Colour = keyof typeof COLOURS;

const SERIES = Object.keys(COLOURS) as Colour[];

/** Of the i-th of several things beside each other. */
export function seriesColour(i: number): Colour {
  return SERIES[i % SERIES.length]!;
}

/**
 * Every seventeenth colour of viridis (S. van der Walt and N. Smith, 2015), which grows lighter evenly, in colour as
 * in grey.
 */
const VIRIDIS = [
  0x440154, 0x481a6c, 0x472f7d, 0x414487, 0x39568c, 0x31688e, 0x2a788e, 0x23888e, 0x1f988b, 0x22a884,
  0x35b779, 0x54c568, 0x7ad151, 0xa5db36, 0xd2e21b, 0xfde725,
];

/** Red, green and blue of viridis for 0 to 1. */
export function viridis(share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const part = at - low;
  const mix = (shift: number) => {
    const from = (VIRIDIS[low]! >> shift) & 255;
    const to = (VIRIDIS[low + 1]! >> shift) & 255;
    return Math.round(from + (to - from) * part);
  };
  return [mix(16), mix(8), mix(0)];
}
