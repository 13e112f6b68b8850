/**
 * A way to train and test on a whole dataset:
 *
 * - `official`: the dataset's own split, in all its folds
 * - `leave-one-speaker-out`: as many folds as speakers, each tested on one of them
 * - `audiomnist`: the five official folds of AudioMNIST, and an error for any other dataset
 */
export type ProtocolName = 'official' | 'leave-one-speaker-out' | 'audiomnist';

export const protocolNames = [
  'official',
  'leave-one-speaker-out',
  'audiomnist',
] as const satisfies ProtocolName[];

/** Names of version 0.1.0, in options and in files of results, with those of today. */
export const OLD_PROTOCOL_NAMES: Readonly<Record<string, ProtocolName>> = { loso: 'leave-one-speaker-out' };

/** The name of today for a name of version 0.1.0; any other name as it is. */
export function currentProtocolName(name: string): string {
  return Object.hasOwn(OLD_PROTOCOL_NAMES, name) ? OLD_PROTOCOL_NAMES[name]! : name;
}
