/** A share as text, with one decimal: 0.953 is `95.3%`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
