/** Code points that take two columns of a terminal: East Asian Width W and F of Unicode, in whole blocks. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], // Hangul Jamo, initial consonants
  [0x2e80, 0x303e], // CJK radicals and punctuation
  [0x3041, 0x4dbf], // kana, Bopomofo, Hangul compatibility, CJK extension A
  [0x4e00, 0xa4cf], // CJK, Yi
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3], // Hangul syllables
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60], // full-width forms
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
];

const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f|\u200d/u;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function charactersOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** Columns that a text takes on a terminal. */
export function textWidth(text: string): number {
  // Most texts are of plain letters, which take a column each.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return charactersOf(text).reduce((sum, character) => sum + characterWidth(character), 0);
}

function characterWidth(character: string): number {
  if (EMOJI.test(character)) return 2;
  return Array.from(character).reduce((sum, point) => sum + pointWidth(point), 0);
}

function pointWidth(point: string): number {
  if (ZERO.test(point)) return 0;
  const code = point.codePointAt(0)!;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

const CUT = '…';

/** The beginning of a text that is wider than `width` columns, with a sign that it was cut. */
export function cutEnd(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  return takeWidth(charactersOf(text), width - 1).join('') + CUT;
}

/** The end of a text that is wider than `width` columns, as of a path, whose file name says most. */
export function cutStart(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const reversed = takeWidth(charactersOf(text).reverse(), width - 1);
  return CUT + reversed.reverse().join('');
}

/** As many characters as fit. */
function takeWidth(characters: readonly string[], width: number): string[] {
  let left = width;
  const end = characters.findIndex((character) => {
    left -= characterWidth(character);
    return left < 0;
  });
  return characters.slice(0, end < 0 ? undefined : end);
}

/** A text for one line of a terminal: control characters, which may move the cursor, are replaced. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd');
}

/** A text in lines of at most `width` columns, broken between words; `indent` stands before all lines but the first. */
export function wrapWords(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line.trim() !== '' && textWidth(longer) > width) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line].join('\n');
}
