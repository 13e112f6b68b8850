import { SonospikeError } from '../../support/errors.js';
import type { Clip } from '../clip.js';
import type { Folder, FoundFile } from '../folder.js';
import type { ClipName } from '../names.js';

/** A clip as a layout finds it. */
export interface FoundClip extends ClipName, Pick<Clip, 'part' | 'key' | 'piece'> {
  found: FoundFile;
}

/** What a layout makes of a folder. */
export interface Found {
  clips: FoundClip[];
  /** Whether the speaker is what stands before a number in a file's name, which may be anything. */
  guessesSpeakers?: boolean;
  /** Sound files that may be clips but are not named or placed like one: the reason by path. Errors under `strict`. */
  unfit?: ReadonlyMap<string, string>;
  /** Sound files that the layout leaves out on purpose: the reason by path. */
  aside?: ReadonlyMap<string, string>;
  /** Paths of other files that the layout has read, such as lists. */
  read?: ReadonlySet<string>;
}

/** Which clips a data set's own split has in its parts; `validation` is null where the split does not say. */
export interface OfficialParts {
  train: Clip[];
  validation: Clip[] | null;
  test: Clip[];
}

/** How a data set is laid out: how it is recognised, and what names and folders say about its clips. */
export interface Layout {
  /** As `openDataset` and `--layout` take it. */
  readonly name: string;
  /** What lies where, in one line for help texts. */
  readonly help: string;
  /** The path of a clip in this layout, for error texts. */
  readonly example: string;
  /** Whether lists of its own name the parts, so that it is looked for before folders called train and test. */
  readonly hasLists?: boolean;
  /**
   * The clips below a folder; null where it is not laid out like this.
   * @param asked Whether the caller named this layout: then nothing else is considered.
   * @throws SonospikeError ERR_DATASET_LAYOUT where it is ambiguous what is the word, or a list is wrong
   */
  find(folder: Folder, asked: boolean): Found | null | Promise<Found | null>;
  /** The clip's name within its data set, the same wherever the data set lies and whichever of its folders was opened. */
  key(file: string): string;
  /** The split that the makers of the data set have defined beside lists and folders of parts. */
  readonly official?: {
    readonly folds: number;
    /**
     * @param fold from 1
     * @param validating Whether a validation part is wanted; without it the clips of one are to train on.
     * @throws SonospikeError ERR_SPLIT_INVALID
     */
    divide(clips: readonly Clip[], fold: number, validating: boolean): OfficialParts;
  };
}

/** The error for a folder that can be read in two ways. */
export function ambiguousLayout(
  path: string,
  what: string,
  readings: readonly { layout: string; meaning: string }[],
): SonospikeError {
  const choices = readings.map(({ layout, meaning }) => `--layout ${layout} if ${meaning}`);
  return new SonospikeError(
    'ERR_DATASET_LAYOUT',
    `It cannot be told which words the clips in ${path} hold: ${what}. Say ${choices.join(', or ')} ` +
      '(in a program, the option layout of openDataset).',
    { file: path },
  );
}
