/**
 * The text of a file that an editor or a shell wrote: without its byte order mark, and of UTF-16 where the mark says so,
 * as files have that PowerShell writes.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** A share as text, with one decimal: 0.953 is `95.3%`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
