import { SonospikeError } from '../support/errors.js';
import { nearest } from '../support/nearest.js';
import { hash32 } from '../support/random.js';
import type { Clip } from './clip.js';
import { clipKey } from './keys.js';
import type { LayoutName } from './layouts/index.js';
import { sortedNames, UNKNOWN_LABEL } from './names.js';
import type { SkipList } from './scan.js';

/** Clips of other words, and clips that are no word, for each clip of a word: as in the task of 12 classes of Speech Commands. */
const SHARE = 0.1;

/**
 * The clips of some words, and a draw of the others as `_unknown_`. The draw is by a hash of the names, so that it is
 * the same everywhere.
 * @throws SonospikeError ERR_UNKNOWN_LABEL
 */
export function keepWords(
  layout: LayoutName,
  clips: readonly Clip[],
  words: readonly string[],
  directory: string,
  skips: SkipList,
): Clip[] {
  const missing = words.find((word) => !clips.some(({ label }) => label === word));
  if (missing !== undefined) {
    const meant = nearest(missing, sortedNames(clips.map(({ label }) => label)));
    throw new SonospikeError(
      'ERR_UNKNOWN_LABEL',
      `${directory} has no clips of the word ${missing}.${meant === null ? '' : ` Did you mean ${meant}?`}`,
      { file: directory },
    );
  }
  const wanted = new Set(words);
  const kept = new Set<Clip>();
  for (const part of new Set(clips.map((clip) => clip.part))) {
    const inPart = clips.filter((clip) => clip.part === part);
    const known = inPart.filter(({ label }) => wanted.has(label));
    const most = Math.ceil(known.length * SHARE);
    const others = inPart.filter(({ label }) => !wanted.has(label) && label !== UNKNOWN_LABEL);
    const unknown = inPart.filter(({ label }) => label === UNKNOWN_LABEL);
    for (const clip of [...known, ...drawn(layout, others, most), ...drawn(layout, unknown, most)])
      kept.add(clip);
  }
  const left = clips.length - kept.size;
  if (left > 0) skips.stray(directory, `${left} clips that are none of the words were left out`);
  return clips
    .filter((clip) => kept.has(clip))
    .map((clip) => (wanted.has(clip.label) ? clip : { ...clip, label: UNKNOWN_LABEL }));
}

function drawn(layout: LayoutName, clips: readonly Clip[], most: number): Clip[] {
  if (clips.length <= most) return [...clips];
  const hashed = clips.map((clip) => ({ clip, hash: hash32(`words\0${clipKey(layout, clip)}`) }));
  return hashed
    .sort((a, b) => a.hash - b.hash)
    .slice(0, most)
    .map(({ clip }) => clip);
}
