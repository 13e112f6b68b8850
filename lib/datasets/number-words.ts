const WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/**
 * The labels of a data set that a model knows under another name: `seven` of a model that knows `7`, and the other way
 * round.
 * @returns the model's label by the data set's
 */
export function otherNames(labels: readonly string[], known: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const label of labels) {
    if (known.includes(label)) continue;
    const lower = label.toLowerCase();
    const digit = WORDS.indexOf(lower);
    const candidates = digit >= 0 ? [lower, String(digit)] : [WORDS[Number(lower)] ?? ''];
    const name = candidates.find((each) => known.includes(each));
    if (name !== undefined) names.set(label, name);
  }
  return names;
}

/** The clips with the labels of the model. */
export function relabelled<T extends { label: string }>(
  clips: readonly T[],
  names: ReadonlyMap<string, string>,
): T[] {
  if (names.size === 0) return [...clips];
  return clips.map((clip) => ({ ...clip, label: names.get(clip.label) ?? clip.label }));
}
