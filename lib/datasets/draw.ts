import { hash32 } from '../support/random.js';
import type { Clip } from './clip.js';
import { clipKey } from './keys.js';
import type { LayoutName } from './layouts/index.js';
import { compareCodePoints, sortedNames } from './names.js';

/** Names in an order that only depends on the seed and the names themselves. */
export function shuffled(names: Iterable<string>, seed: number, purpose: string): string[] {
  const hashed = [...new Set(names)].map((name) => ({ name, hash: hash32(`${seed}\0${purpose}\0${name}`) }));
  hashed.sort((a, b) => a.hash - b.hash || compareCodePoints(a.name, b.name));
  return hashed.map(({ name }) => name);
}

/** Clips ordered by their names within the dataset. */
export function inOrder(layout: LayoutName, clips: Clip[]): Clip[] {
  const keyed = clips.map((clip) => ({ clip, key: clipKey(layout, clip) }));
  keyed.sort((a, b) => compareCodePoints(a.key, b.key) || compareCodePoints(a.clip.file, b.clip.file));
  return keyed.map(({ clip }) => clip);
}

/**
 * Draws a fraction of the clips, stratified: of each label's n clips floor(n·fraction) or one more are drawn,
 * such that the total is as near to the fraction as can be. One clip of each label always stays behind.
 *
 * @param purpose Different draws with one seed need different words here.
 */
export function drawStratified(
  layout: LayoutName,
  clips: Clip[],
  fraction: number,
  seed: number,
  purpose: string,
): { drawn: Clip[]; rest: Clip[] } {
  const strata = sortedNames(clips.map((clip) => clip.label)).map((label) => {
    const members = inOrder(
      layout,
      clips.filter((clip) => clip.label === label),
    );
    const exact = members.length * fraction;
    const take = Math.min(Math.floor(exact), members.length - 1);
    return { label, members, take, missing: exact - take };
  });
  // The largest remainders first; between equal ones the seed decides, lest the first labels always get more.
  const order = shuffled(
    strata.map(({ label }) => label),
    seed,
    purpose,
  );
  const byRemainder = [...strata].sort(
    (a, b) => b.missing - a.missing || order.indexOf(a.label) - order.indexOf(b.label),
  );
  let short =
    Math.max(1, Math.round(clips.length * fraction)) - strata.reduce((sum, { take }) => sum + take, 0);
  for (const stratum of byRemainder) {
    if (short <= 0 || stratum.missing <= 0) break;
    if (stratum.take >= stratum.members.length - 1) continue;
    stratum.take++;
    short--;
  }
  const drawn = strata.flatMap(({ label, members, take }) => {
    const key = (clip: Clip) => hash32(`${seed}\0${purpose}\0${label}\0${clipKey(layout, clip)}`);
    const hashed = members.map((clip) => ({ clip, hash: key(clip) }));
    return hashed
      .sort((a, b) => a.hash - b.hash)
      .slice(0, take)
      .map(({ clip }) => clip);
  });
  const isDrawn = new Set(drawn);
  return { drawn: inOrder(layout, drawn), rest: inOrder(layout, clips).filter((clip) => !isDrawn.has(clip)) };
}
