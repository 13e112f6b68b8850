import { mkdir, mkdtemp, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder } from '../files/files.js';
import { renameOver } from '../files/rename.js';
import { fileError, SonospikeError } from '../support/errors.js';
import { abortSignal, callback, choice, integer, object, refuse, string } from '../support/options.js';
import { abortedError, download } from './download.js';
import { openDataset } from './index.js';
import { unpack } from './unpack.js';

interface PublicDataset {
  title: string;
  /** Path of the .tar.gz on GitHub. */
  archive: string;
  /** Name of the folder that is made. */
  folder: string;
  /** The folder of the archive with the clips. */
  clipFolder: string;
  /** Those that were there at the time of writing; the archive may have got more since. */
  clips: number;
  /** Bytes, far above the real size. */
  maxBytes: number;
}

/** The public datasets by the names that `fetchDataset` takes. */
export const PUBLIC_DATASETS: Readonly<Record<'fsdd' | 'audiomnist', PublicDataset>> = {
  fsdd: {
    title: 'Free Spoken Digit Dataset',
    archive: '/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.tar.gz',
    folder: 'fsdd',
    clipFolder: 'recordings',
    clips: 3000,
    maxBytes: 1e9,
  },
  audiomnist: {
    title: 'AudioMNIST',
    archive: '/soerenab/AudioMNIST/archive/refs/heads/master.tar.gz',
    folder: 'AudioMNIST',
    clipFolder: 'data',
    clips: 30000,
    maxBytes: 16e9,
  },
};

const NAMES = Object.keys(PUBLIC_DATASETS) as (keyof typeof PUBLIC_DATASETS)[];

export interface FetchProgress {
  /** `exists`: a complete copy is there already and is left alone. */
  phase: 'exists' | 'download' | 'unpack';
  /** Bytes downloaded, files unpacked or clips there. */
  done: number;
  /** null if the server does not say. */
  total: number | null;
}

export interface FetchOptions {
  /** The folder in which the dataset's own folder is made. */
  to: string;
  /**
   * Where to download from: a mirror of GitHub, or an address that ends in .tar.gz. By default the environment's
   * SONOSPIKE_DATASET_URL, else https://github.com.
   */
  url?: string;
  /** Least number of clips that make the dataset complete. */
  clips?: number;
  signal?: AbortSignal;
  onProgress?: (progress: FetchProgress) => void;
  /** Milliseconds without a byte after which a connection is given up, 30,000 by default. */
  idleTimeout?: number;
  /** Milliseconds before the first retry, 1,000 by default. */
  retryDelay?: number;
}

/**
 * Downloads a public dataset, unpacks it into a temporary folder, checks that all clips are there (more of
 * them are welcome), and only then puts it into place. A download that broke off is resumed, in the same call or a later one.
 *
 * @returns the dataset's directory, for `openDataset`
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_OFFLINE, ERR_DOWNLOAD (HTTP errors, damaged archives, missing
 * clips), ERR_FILE_WRITE (also if the directory is there but not complete), ERR_ABORTED
 */
export async function fetchDataset(name: 'fsdd' | 'audiomnist', options: FetchOptions): Promise<string> {
  const known = PUBLIC_DATASETS[choice(name, 'the name of the dataset', NAMES)];
  const checked = checkOptions(options);
  const { to, signal, onProgress, idleTimeout, retryDelay } = checked;
  const dataset = { ...known, clips: checked.clips ?? known.clips };
  const url = addressOf(dataset, checked.url ?? process.env.SONOSPIKE_DATASET_URL);
  const directory = resolve(to, dataset.folder);
  const there = await clipsThere(directory, dataset);
  if (there !== null) {
    onProgress?.({ phase: 'exists', done: there, total: there });
    return directory;
  }
  const archive = `${directory}.tar.gz`;
  try {
    await makeFolder(to);
    if (!(await exists(archive))) {
      const onBytes = (done: number, total: number | null) =>
        onProgress?.({ phase: 'download', done, total });
      await download(url, archive, { signal, idleTimeout, retryDelay, onBytes });
    }
    await install(archive, directory, dataset, checked);
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal);
    throw error instanceof SonospikeError ? error : fileError(error, directory, 'write');
  }
  return directory;
}

/** Milliseconds that a timer takes; the delay is doubled with every retry. */
const MAX_TIMEOUT = 2 ** 31 - 1;
const MAX_RETRY_DELAY = 2 ** 24;

type CheckedOptions = Pick<FetchOptions, 'to'> & {
  [K in keyof FetchOptions]: FetchOptions[K] | undefined;
};

function checkOptions(options: FetchOptions): CheckedOptions {
  const keys = ['to', 'url', 'clips', 'signal', 'onProgress', 'idleTimeout', 'retryDelay'] as const;
  const { to, url, clips, signal, onProgress, idleTimeout, retryDelay } = object(options, 'options', keys);
  const count = (value: unknown, name: string, min: number, max: number) =>
    value === undefined ? undefined : integer(value, name, min, max);
  return {
    to: string(to, 'to'),
    url: url === undefined ? undefined : string(url, 'url'),
    clips: count(clips, 'clips', 1, 1e9),
    signal: abortSignal(signal, 'signal'),
    onProgress: callback(onProgress, 'onProgress'),
    idleTimeout: count(idleTimeout, 'idleTimeout', 1, MAX_TIMEOUT),
    retryDelay: count(retryDelay, 'retryDelay', 0, MAX_RETRY_DELAY),
  };
}

/** Unpacks, checks and puts into place. A bad archive is removed, so that the next call downloads it again. */
async function install(
  archive: string,
  directory: string,
  dataset: PublicDataset,
  { to, signal, onProgress }: CheckedOptions,
): Promise<void> {
  // In the same folder, hence on the same disk, where a rename is one step.
  const temporary = await mkdtemp(join(resolve(to), `.${dataset.folder}-`));
  // The temporary folder is closed to other users; the one inside of it has ordinary permissions.
  const unpacked = join(temporary, dataset.folder);
  try {
    await mkdir(unpacked);
    await unpack(archive, unpacked, {
      maxBytes: dataset.maxBytes,
      maxFiles: 2 * dataset.clips + 1000,
      wanted: (path) => path.startsWith(`${dataset.clipFolder}/`) || !path.includes('/'),
      onFile: (done) => onProgress?.({ phase: 'unpack', done, total: null }),
      signal,
    });
    const clips = await countClips(unpacked);
    if (clips < dataset.clips) {
      const message =
        `The archive of ${dataset.title} holds ${clips} clips and should hold ${dataset.clips} or more. It has been ` +
        'removed: run the same command again to download it once more, or set SONOSPIKE_DATASET_URL to a mirror.';
      throw new SonospikeError('ERR_DOWNLOAD', message, { file: archive });
    }
    await renameOver(unpacked, directory);
    await rm(archive, { force: true });
  } catch (error) {
    if (error instanceof SonospikeError && error.code === 'ERR_DOWNLOAD') await rm(archive, { force: true });
    throw error;
  } finally {
    // Writes that were under way when unpacking failed can get in between: hence the retries.
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

function addressOf(dataset: PublicDataset, base = 'https://github.com'): string {
  const isArchive = /\.(tar\.gz|tgz)$/.test(base);
  const address = isArchive ? base : base.replace(/\/+$/, '') + dataset.archive;
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw refuse(base, 'the download address', 'an http(s) URL');
  }
  return address;
}

/**
 * The number of clips of a complete copy, or null if there is none.
 * @throws SonospikeError ERR_FILE_WRITE if something else is in the way
 */
async function clipsThere(directory: string, dataset: PublicDataset): Promise<number | null> {
  if (!(await exists(directory))) return null;
  const clips = await countClips(directory);
  if (clips >= dataset.clips) return clips;
  // Removes only an empty directory, and fails on anything else.
  const removed = await rmdir(directory).then(
    () => true,
    () => false,
  );
  if (removed) return null;
  const message =
    `${directory} exists, but has ${clips} clips where ${dataset.title} has ${dataset.clips} or more. ` +
    'It is left alone: move it away, or choose another folder with --to.';
  throw new SonospikeError('ERR_FILE_WRITE', message, { file: directory });
}

async function countClips(directory: string): Promise<number> {
  try {
    return (await openDataset(directory)).clips.length;
  } catch (error) {
    if (error instanceof SonospikeError) return 0;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
