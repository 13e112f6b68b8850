import { readdir } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { isSoundFile } from '../audio/formats/index.js';
import { SOUND_KINDS, sound } from '../audio/signals.js';
import { type Audio, readAudio } from '../audio/source.js';
import type { Prediction } from '../model/prediction.js';
import { fileError, SonospikeError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { auroc } from './metrics.js';

/** How well a model rejects sounds that are none of its words. */
export interface Rejection {
  /** The model's threshold of the confidence; null where it has none and rejects nothing. */
  threshold: number | null;
  /** Clips of known words. */
  known: {
    /** Number of clips. */
    clips: number;
    /** Share of the clips that was rejected. */
    rejected: number;
    /** Accuracy over the clips that were not rejected; null if all were. */
    accuracy: number | null;
  };
  /** All other sounds together. */
  unknown: UnknownResult;
  /** The other sounds by kind: `white noise`, `other words` and so on. */
  kinds: Record<string, UnknownResult>;
}

/** How a model answered sounds that are none of its words. */
export interface UnknownResult {
  /** Number of sounds. */
  clips: number;
  /** Share of the sounds that was not rejected. */
  accepted: number;
  /** Mean confidence. */
  confidence: number;
  /** How often a clip of a known word has a greater confidence than one of these: area under the ROC curve. */
  auroc: number | null;
}

/** A prediction as far as rejection goes. */
type Judgement = Pick<Prediction, 'confidence' | 'rejected'>;

/** The kind that the `_unknown_` clips of a dataset are of. */
export const OTHER_WORDS = 'other words';

/** The figures of rejection; null if there are no unknown sounds. */
export function measureRejection(
  threshold: number | null,
  known: readonly (Judgement & { right: boolean })[],
  unknown: readonly (Judgement & { kind: string })[],
): Rejection | null {
  if (unknown.length === 0) return null;
  const accepted = known.filter(({ rejected }) => !rejected);
  const confidences = known.map(({ confidence }) => confidence);
  const result = (of: readonly Judgement[]): UnknownResult => ({
    clips: of.length,
    accepted: of.filter(({ rejected }) => !rejected).length / of.length,
    confidence: of.reduce((sum, { confidence }) => sum + confidence, 0) / of.length,
    auroc: auroc(
      confidences,
      of.map(({ confidence }) => confidence),
    ),
  });
  const kinds = [...new Set(unknown.map(({ kind }) => kind))].sort();
  return {
    threshold,
    known: {
      clips: known.length,
      rejected: known.length === 0 ? 0 : 1 - accepted.length / known.length,
      accuracy: accepted.length === 0 ? null : accepted.filter(({ right }) => right).length / accepted.length,
    },
    unknown: result(unknown),
    kinds: Object.fromEntries(
      kinds.map((name) => [name, result(unknown.filter(({ kind }) => kind === name))]),
    ),
  };
}

/** A sound that is none of the model's words. */
export interface UnknownSound {
  kind: string;
  read: () => Promise<Audio>;
}

/** Number of sounds of each kind that are made. */
const SOUNDS = 50;

/** Silence, noise and tones, `SOUNDS` of each; the same for the same seed. */
export function madeSounds(sampleRate: number, seed: number): UnknownSound[] {
  return SOUND_KINDS.flatMap((kind) =>
    Array.from({ length: SOUNDS }, (_, i) => ({
      kind,
      read: async () => sound(kind, sampleRate, new Random(`${seed}\0${kind}\0${i}`)),
    })),
  );
}

/**
 * All sound files below a folder; their kind is the name of the folder right below it that they are in, or its own.
 * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_DATASET_EMPTY
 */
export async function soundsBelow(folder: string): Promise<UnknownSound[]> {
  const root = resolve(folder);
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((error) => {
    throw fileError(error, root, 'read');
  });
  const files = entries
    .filter((entry) => entry.isFile() && isSoundFile(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (files.length === 0) {
    throw new SonospikeError('ERR_DATASET_EMPTY', `There is no sound file in ${root} nor below it.`, {
      file: root,
    });
  }
  return files.map((file) => {
    const [top, ...below] = relative(root, file).split(sep);
    return { kind: below.length > 0 ? top! : basename(root), read: () => readAudio(file) };
  });
}
