/** What went wrong, for programs. Each code is stable; messages are for people and may change. */
export type ErrorCode =
  | 'ERR_INVALID_OPTION' // an option or argument has a wrong type or is out of range
  | 'ERR_UNKNOWN_PRESET'
  | 'ERR_UNKNOWN_LABEL'
  | 'ERR_FILE_NOT_FOUND'
  | 'ERR_FILE_UNREADABLE' // exists, but cannot be read (permissions, a directory, an I/O error)
  | 'ERR_FILE_WRITE'
  | 'ERR_AUDIO_INVALID' // no sound of a known format, or a damaged file
  | 'ERR_AUDIO_UNSUPPORTED' // a format or encoding that is not read, or whose optional package is not installed
  | 'ERR_AUDIO_EMPTY' // no samples
  | 'ERR_AUDIO_NOT_FINITE' // NaN or infinity among the samples
  | 'ERR_AUDIO_SILENT' // every sample is the same
  | 'ERR_AUDIO_TOO_LONG'
  | 'ERR_MICROPHONE_MISSING' // no microphone, or the optional package that reads it is not there
  | 'ERR_MICROPHONE_LOST' // it stopped giving samples
  | 'ERR_DATASET_EMPTY'
  | 'ERR_DATASET_ONE_CLASS'
  | 'ERR_DATASET_BAD_CLIP' // a clip cannot be used and the caller asked for strictness
  | 'ERR_DATASET_DUPLICATE'
  | 'ERR_DATASET_LAYOUT' // the directory does not look like any layout that is known
  | 'ERR_SPLIT_INVALID'
  | 'ERR_MODEL_INVALID' // the file is damaged or is not a model
  | 'ERR_MODEL_VERSION'
  | 'ERR_CHECKPOINT_INVALID'
  | 'ERR_TRAINING_DIVERGED' // weights are no longer finite
  | 'ERR_PICKLE_FORBIDDEN' // a .pt file asks for an object other than tensors, dicts, lists, numbers, strings
  | 'ERR_DOWNLOAD'
  | 'ERR_OFFLINE'
  | 'ERR_NATIVE_MISSING' // the addon is not built for this machine
  | 'ERR_DEVICE_MISSING' // no GPU, no driver, or the addon for it is not built
  | 'ERR_DEVICE_UNSUPPORTED' // the addon is not built for GPUs of this kind
  | 'ERR_DEVICE_UNUSABLE' // the addon or the GPU failed when it was tried
  | 'ERR_DEVICE_MEMORY' // the GPU has not enough memory
  | 'ERR_DEVICE_LOST' // the GPU failed at work
  | 'ERR_BUSY' // the trainer or network is in use by another run
  | 'ERR_CLOSED' // the model, stream or training was closed before the call
  | 'ERR_LISTEN' // the address of the page cannot be listened on
  | 'ERR_ABORTED'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_INTERNAL';

export interface ErrorDetails {
  /** The file that the error is about. */
  file?: string | undefined;
  cause?: unknown;
}

/** Every error that sonospike throws on purpose. `message` says what happened, why, and what to do. */
export class SonospikeError extends Error {
  /** `SonospikeError`, also where `instanceof` cannot tell: in another realm, or after a copy of the package. */
  override readonly name: string = 'SonospikeError';
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** Path of the file that the error is about, where there is one. */
  readonly file: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.file = details.file;
  }
}

/** What the error codes of the operating system mean, for reading and for writing a file. */
const REASONS: Readonly<Record<string, string | { read: string; write: string }>> = {
  ENOENT: { read: 'there is no such file or directory', write: 'its folder does not exist' },
  EACCES: {
    read: 'this user has no permission to read it',
    write: 'this user has no permission to write there',
  },
  EPERM: {
    read: 'the system does not permit it',
    write: 'the system does not permit it, or another program has it open',
  },
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full; any earlier file of that name is untouched',
  EDQUOT: 'the disk quota of this user is used up; any earlier file of that name is untouched',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links lead in a circle',
  EBUSY: 'it is in use',
  ERR_ACCESS_DENIED: {
    read: 'Node was started with --permission; start it with --allow-fs-read=FOLDER for its folder too',
    write: 'Node was started with --permission; start it with --allow-fs-write=FOLDER for its folder too',
  },
  EIO: 'the device reports an input/output error',
};

/** A `SonospikeError` for a failed file-system call on `file`. */
export function fileError(error: unknown, file: string, doing: 'read' | 'write'): SonospikeError {
  const errno = (error as NodeJS.ErrnoException | undefined)?.code;
  const details = { file, cause: error };
  if (doing === 'read' && errno === 'ENOENT') {
    return new SonospikeError('ERR_FILE_NOT_FOUND', `No such file or directory: ${file}`, details);
  }
  const known = errno === undefined ? undefined : REASONS[errno];
  const words = typeof known === 'object' ? known[doing] : known;
  const reason = words === undefined ? (errno ?? messageOf(error)) : `${words} (${errno})`;
  const code = doing === 'write' ? 'ERR_FILE_WRITE' : 'ERR_FILE_UNREADABLE';
  return new SonospikeError(code, `Cannot ${doing} ${file}: ${reason}.`, details);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
