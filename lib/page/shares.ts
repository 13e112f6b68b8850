/** How a whole is shared out among the words of a model and everything else, each from 0 to 1; together they are 1. */
export interface Shares {
  /** In the order of the model's labels. */
  words: number[];
  /** That the sound is something else: noise, or a word that the model does not know. */
  other: number;
}

/**
 * Shares of the words in which the best one has the model's confidence, so that a page tells one number of it. The
 * other words keep their softmax in proportion. Where the confidence is less than the softmax of the best word, all
 * words have less by the same factor, and the rest is something else; where it is more, the other words share the rest.
 * @param softmax of the labels; they sum to 1
 * @param best the label that the confidence is about
 */
export function sharesOf(softmax: ArrayLike<number>, best: number, confidence: number): Shares {
  const own = softmax[best]!;
  const factor = confidence <= own ? confidence / own : (1 - confidence) / (1 - own);
  const words = Array.from(softmax, (share, k) => (k === best ? confidence : share * factor));
  return { words, other: Math.max(0, 1 - words.reduce((sum, share) => sum + share, 0)) };
}
