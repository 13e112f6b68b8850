import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { readWhole } from '../files/files.js';
import { SonospikeError } from '../support/errors.js';
import { integer, refuse, string } from '../support/options.js';
import { isClipped } from './clipping.js';
import { decodeInThread } from './decoding.js';
import { type AudioFormat, empty, requireFinite, requireShort } from './formats/format.js';
import { formatOf } from './formats/index.js';
import { fullScale } from './pcm.js';
import { MAX_SAMPLE_RATE } from './sound.js';

/**
 * Audio as the API takes it: the path or `file:` URL of a sound file, the bytes of one (a `Buffer` is a
 * `Uint8Array`), or mono samples. `Float32Array` samples are in [-1, 1], `Int16Array` ones in [-32768, 32767];
 * `sampleRate` is in Hz.
 */
export type AudioInput = string | URL | AudioInMemory;

/** Audio that is in memory: the bytes of a sound file, or mono samples with their rate in Hz. */
export type AudioInMemory = Uint8Array | { samples: Float32Array | Int16Array; sampleRate: number };

/** Mono audio, as `readAudio` gives it. */
export interface Audio {
  /** Samples, nominally in [-1, 1]. They never share memory with the input. */
  samples: Float32Array;
  /** Sample rate in Hz. */
  sampleRate: number;
}

/** Audio, and what is to be said about it. */
export interface LoadedAudio extends Audio {
  /** Whether the recording is cut off at full scale, in any of its channels. */
  clipped: boolean;
  /** What is wrong with the file although it can be read: samples that are missing. Whole sentences. */
  remarks: string[];
}

/** `readAudio` of index.ts. */
export async function readAudio(input: AudioInput): Promise<LoadedAudio> {
  if (typeof input !== 'string' && !(input instanceof URL)) return holdAudio(input)();
  const file = pathOf(input);
  const bytes = await readWhole(file, 'the path of a sound file is needed', (size) => tooLarge(file, size));
  const format = formatOfWhole(bytes, file);
  return checked(
    format.threaded ? await decodeInThread(format, bytes, file) : format.decode!(bytes, file),
    file,
  );
}

/**
 * Takes what is needed of audio in memory, so that its owner may change it, and gives a function that decodes it.
 * @throws SonospikeError as `readAudio`, here or later
 */
export function holdAudio(input: AudioInMemory): () => LoadedAudio | Promise<LoadedAudio> {
  if (types.isUint8Array(input) && input.length > 0) {
    const format = formatOf(input, undefined);
    if (format.threaded) {
      const bytes = new Uint8Array(input);
      return async () => checked(await decodeInThread(format, bytes, undefined));
    }
    const audio = decodeNow(format, input);
    return () => audio;
  }
  const audio = audioFromMemory(input);
  return () => audio;
}

/**
 * `readAudio` for audio that is in memory.
 * @throws SonospikeError as `readAudio`, without the file errors
 */
export function audioFromMemory(input: AudioInMemory): LoadedAudio {
  if (types.isUint8Array(input)) {
    if (input.length === 0) throw emptyArray('The array of bytes');
    return decodeNow(formatOf(input, undefined), input);
  }
  if (typeof input !== 'object' || input === null || !('samples' in input)) {
    const wanted =
      'a path, a file: URL, a Buffer or Uint8Array that holds a sound file, or { samples, sampleRate }';
    throw refuse(input, 'the audio', wanted);
  }
  const { samples } = input;
  if (!types.isFloat32Array(samples) && !types.isInt16Array(samples)) {
    throw refuse(samples, 'samples', 'a Float32Array or an Int16Array');
  }
  const sampleRate = integer(input.sampleRate, 'sampleRate', 1, MAX_SAMPLE_RATE);
  if (samples.length === 0) throw emptyArray('The array of samples');
  requireShort(samples.length / sampleRate);
  const copy = new Float32Array(samples);
  if (types.isInt16Array(samples)) for (let i = 0; i < copy.length; i++) copy[i]! /= 32768;
  else requireFinite(copy, undefined);
  const clipped = isClipped(copy, 1, fullScale('pcm16'));
  return checked({ samples: copy, sampleRate, clipped, remarks: [] });
}

/** Decodes on this thread. */
function decodeNow(format: AudioFormat, input: Uint8Array): LoadedAudio {
  // Other threads can write to shared memory, even between a check and its use.
  const bytes = types.isSharedArrayBuffer(input.buffer) ? new Uint8Array(input) : input;
  if (format.decode) return checked(format.decode(bytes, undefined));
  throw new SonospikeError(
    'ERR_AUDIO_UNSUPPORTED',
    `The audio is ${format.name}, which is decoded in another thread: use predict instead of predictSync, or ` +
      'await readAudio first.',
  );
}

/** @throws SonospikeError ERR_AUDIO_EMPTY, ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED */
function formatOfWhole(bytes: Uint8Array, file: string | undefined): AudioFormat {
  if (bytes.length === 0) throw empty(file, 'is empty: it has no bytes at all');
  return formatOf(bytes, file);
}

function pathOf(input: string | URL): string {
  if (typeof input === 'string') return string(input, 'the path of the audio');
  try {
    return fileURLToPath(input);
  } catch (error) {
    const message = `Only file: URLs can be read; got ${input.href}. Download the file first.`;
    throw new SonospikeError('ERR_INVALID_OPTION', message, { cause: error });
  }
}

function tooLarge(file: string, bytes: number): SonospikeError {
  const message = `${file} has ${bytes} bytes; no more than 2 GiB are read.`;
  return new SonospikeError('ERR_AUDIO_TOO_LONG', message, { file });
}

function checked({ samples, sampleRate, clipped, remarks }: LoadedAudio, file?: string): LoadedAudio {
  const name = file ?? 'The audio';
  requireShort(samples.length / sampleRate, file);
  const first = samples[0]!;
  if (samples.every((value) => value === first)) {
    const what = samples.length === 1 ? 'has only one sample' : 'is silent: all its samples are the same';
    throw new SonospikeError('ERR_AUDIO_SILENT', `${name} ${what}, so there is nothing to recognise.`, {
      file,
    });
  }
  return { samples, sampleRate, clipped, remarks };
}

function emptyArray(what: string): SonospikeError {
  const message =
    `${what} is empty, or its memory has been transferred away (for example by postMessage with a ` +
    'transfer list). Pass a copy to keep using the data.';
  return new SonospikeError('ERR_AUDIO_EMPTY', message);
}
