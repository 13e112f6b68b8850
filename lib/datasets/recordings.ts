import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSoundFile } from '../audio/formats/index.js';
import { isFolder } from '../files/files.js';
import { fileError, SonospikeError } from '../support/errors.js';
import { layoutOf } from './index.js';
import { layoutCalled } from './layouts/index.js';
import { parseInSpeakerFolder } from './names.js';

/** Bytes that a file's name may have on most systems. */
const LONGEST_NAME = 255;

/**
 * A word or a speaker as part of a file's name: a word begins one, and a speaker is the name of a folder too.
 * @param what is being named, for the error
 * @throws SonospikeError ERR_INVALID_OPTION where no file can be called so, here or on another system
 */
export function namePart(text: string, what: string, isFolder = false): string {
  const name = text.normalize('NFC').trim();
  const reason =
    name === ''
      ? 'is empty'
      : // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        /[\x00-\x1f\x7f/\\:*?"<>|]/.test(name)
        ? 'has a character that names of files cannot have: / \\ : * ? " < > |'
        : /^\.|\.$/.test(name)
          ? 'begins or ends with a dot'
          : isDevice(isFolder ? name : `${name}_`)
            ? 'is the name of a device on Windows'
            : null;
  if (reason === null) return name;
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `${what} ${JSON.stringify(text)} ${reason}, and it names files.`,
  );
}

/** Windows takes a name for that of a device whatever stands behind a dot. */
function isDevice(name: string): boolean {
  return /^(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\.|$)/i.test(name);
}

/**
 * Recordings of one speaker in AudioMNIST's layout, `SPEAKER/label_SPEAKER_index.wav`, below the folder of a dataset
 * (or its `data`, where it has one). Goes on behind the takes that are there.
 */
export class Recordings {
  /** Where the speaker's files are. */
  readonly folder: string;
  readonly #speaker: string;
  /** The index of the next take, by label in lower case: some file systems tell no cases apart. */
  readonly #next: Map<string, number>;

  private constructor(folder: string, speaker: string, next: Map<string, number>) {
    this.folder = folder;
    this.#speaker = speaker;
    this.#next = next;
  }

  /** @throws SonospikeError ERR_INVALID_OPTION, ERR_FILE_UNREADABLE */
  static async open(directory: string, speaker: string, labels: readonly string[]): Promise<Recordings> {
    for (const label of labels) {
      const name = fileName(label, speaker, 999_999_999);
      if (Buffer.byteLength(name) <= LONGEST_NAME) continue;
      throw new SonospikeError('ERR_INVALID_OPTION', `No file can have a name as long as ${name}.`);
    }
    await requireOwnLayout(directory);
    const inner = join(directory, 'data');
    const above = (await isFolder(inner)) ? inner : directory;
    const folder = join(above, speaker);
    const next = new Map<string, number>();
    for (const file of await list(folder)) {
      const take = isSoundFile(file) ? parseInSpeakerFolder(file, speaker) : null;
      if (take === null) continue;
      const label = take.label.toLowerCase();
      next.set(label, Math.max(next.get(label) ?? 0, take.index! + 1));
    }
    return new Recordings(folder, speaker, next);
  }

  /** The file of the next take of a word; every call gives another. */
  next(label: string): string {
    const key = label.toLowerCase();
    const index = this.#next.get(key) ?? 0;
    this.#next.set(key, index + 1);
    return join(this.folder, fileName(label, this.#speaker, index));
  }
}

/** Among clips of another layout these would not be found, or be taken for a word called as the speaker. */
async function requireOwnLayout(directory: string): Promise<void> {
  const layout = await layoutOf(directory);
  if (layout === null || layout === 'audiomnist') return;
  const other = layoutCalled(layout).help;
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `The clips in ${directory} are laid out in another way (${other}) than recordings (${layoutCalled('audiomnist').help}), ` +
      'which would not be found among them. Record into a folder of their own.',
  );
}

function fileName(label: string, speaker: string, index: number): string {
  return `${label}_${speaker}_${index}.wav`;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(error, folder, 'read');
  }
}
