import type { Clip } from '../datasets/clip.js';
import type { ModelSettings } from '../settings/settings.js';
import { heardSeconds } from '../settings/shapes.js';

/** Clips that are longer than the network can hear. */
export interface LongerClips {
  /** Number of these clips. */
  clips: number;
  /** Seconds of a clip that the network hears: the word in a longer one, or its beginning where `tail` is null. */
  heard: number;
  /** Seconds that it did not hear, of all these clips together. */
  unheard: number;
  /** Path of the longest clip. */
  longest: string;
}

/**
 * @param seconds length of each clip
 * @returns null where the network hears every clip from its beginning to its end
 */
export function longerClips(
  settings: Readonly<ModelSettings>,
  clips: readonly Pick<Clip, 'file'>[],
  seconds: readonly number[],
): LongerClips | null {
  const heard = heardSeconds(settings);
  const longer = [...clips.keys()].filter((i) => seconds[i]! > heard);
  if (longer.length === 0) return null;
  const longest = longer.reduce((best, i) => (seconds[i]! > seconds[best]! ? i : best));
  return {
    clips: longer.length,
    heard,
    unheard: longer.reduce((sum, i) => sum + seconds[i]! - heard, 0),
    longest: clips[longest]!.file,
  };
}
