import { refuse } from '../support/options.js';

/** The parts of a split. */
export const PARTS = ['train', 'validation', 'test'] as const;

/** Name of a part of a split. */
export type PartName = (typeof PARTS)[number];

/** One recording of one word. */
export interface Clip {
  /** Absolute path of the sound file. */
  file: string;
  /** The word; `_unknown_` where it is none of the words. */
  label: string;
  /** null where the data set does not say. */
  speaker: string | null;
  /** The number of the take; null where the data set does not say. */
  index: number | null;
  /** The part of the data set's own split that the clip belongs to; missing where the data set has no such split. */
  part?: PartName;
  /** The clip's name within its data set, where it is not the one that the layout derives from the path. */
  key?: string;
  /** The piece of the file that is the clip, in seconds; missing where the clip is the whole file. */
  piece?: { start: number; seconds: number };
}

/**
 * Checks an array of clips.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function requireClips(value: unknown, name: string): Clip[] {
  if (!Array.isArray(value)) throw refuse(value, name, 'an array of clips');
  const wrong = value.findIndex((clip) => !isClip(clip));
  if (wrong < 0) return value;
  throw refuse(value[wrong], `${name}[${wrong}]`, 'a clip: { file, label, speaker, index }');
}

function isClip(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { file, label, speaker, index, part, key, piece } = value as Record<keyof Clip, unknown>;
  return (
    typeof file === 'string' &&
    typeof label === 'string' &&
    (speaker === null || typeof speaker === 'string') &&
    (index === null || Number.isSafeInteger(index)) &&
    (part === undefined || PARTS.some((name) => name === part)) &&
    (key === undefined || typeof key === 'string') &&
    (piece === undefined || isPiece(piece))
  );
}

function isPiece(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { start, seconds } = value as Record<'start' | 'seconds', unknown>;
  return (
    Number.isFinite(start) && Number.isFinite(seconds) && (start as number) >= 0 && (seconds as number) > 0
  );
}
