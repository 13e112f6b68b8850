import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { fileError, SonospikeError } from '../errors.js';
import { decodeWav, MAX_SAMPLE_RATE, requireFinite } from './wav.js';

/**
 * Audio as the API takes it: the path or `file:` URL of a WAV, the bytes of a WAV (a `Buffer` is a
 * `Uint8Array`), or mono samples. `Float32Array` samples are in [-1, 1], `Int16Array` ones in [-32768, 32767];
 * `sampleRate` is in Hz.
 */
export type AudioInput = string | URL | AudioInMemory;
export type AudioInMemory = Uint8Array | { samples: Float32Array | Int16Array; sampleRate: number };

export interface Audio {
  /** Mono, nominally in [-1, 1]. Never shares memory with the input. */
  samples: Float32Array;
  /** Hz. */
  sampleRate: number;
}

/** Seconds. */
export const MAX_DURATION = 30 * 60;

/** Bytes. Half an hour of 48 kHz stereo in float is 0.7 GB, and Node reads no file of 2 GiB or more at once. */
const MAX_FILE_SIZE = 2 ** 31 - 1;

/**
 * Reads audio and checks that it is worth listening to.
 *
 * @throws SonospikeError ERR_INVALID_OPTION (wrong type, sample rate out of range), ERR_FILE_NOT_FOUND,
 * ERR_FILE_UNREADABLE, ERR_WAV_INVALID, ERR_WAV_UNSUPPORTED, ERR_AUDIO_EMPTY, ERR_AUDIO_NOT_FINITE,
 * ERR_AUDIO_SILENT (all samples are equal), ERR_AUDIO_TOO_LONG (over 30 minutes)
 */
export async function readAudio(input: AudioInput): Promise<Audio> {
  if (typeof input !== 'string' && !(input instanceof URL)) return audioFromMemory(input);
  const file = pathOf(input);
  return checked(decodeWav(await readWhole(file), file), file);
}

/**
 * The same for audio that is in memory already.
 *
 * @throws SonospikeError as `readAudio`, without the file errors
 */
export function audioFromMemory(input: AudioInMemory): Audio {
  if (types.isUint8Array(input)) {
    if (input.length === 0) throw emptyArray('The WAV data');
    // Other threads can write to shared memory, even between a check and its use.
    const bytes = types.isSharedArrayBuffer(input.buffer) ? new Uint8Array(input) : input;
    return checked(decodeWav(bytes));
  }
  if (typeof input !== 'object' || input === null || !('samples' in input)) {
    throw invalidOption(
      'Audio must be a path, a file: URL, a Buffer or Uint8Array that holds a WAV, or { samples, sampleRate }; ' +
        `got ${describe(input)}.`,
    );
  }
  const { samples, sampleRate } = input;
  if (!types.isFloat32Array(samples) && !types.isInt16Array(samples)) {
    throw invalidOption(`samples must be a Float32Array or an Int16Array; got ${describe(samples)}.`);
  }
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate > MAX_SAMPLE_RATE) {
    const value = typeof sampleRate === 'number' ? sampleRate : describe(sampleRate);
    throw invalidOption(
      `sampleRate must be a whole number of Hz from 1 to ${MAX_SAMPLE_RATE}; got ${value}.`,
    );
  }
  if (samples.length === 0) throw emptyArray('The array of samples');
  requireShort(samples.length / sampleRate);
  const copy = new Float32Array(samples);
  if (types.isInt16Array(samples)) for (let i = 0; i < copy.length; i++) copy[i]! /= 32768;
  else requireFinite(copy, undefined);
  return checked({ samples: copy, sampleRate });
}

function pathOf(input: string | URL): string {
  if (typeof input === 'string') {
    if (input === '') throw invalidOption('The path of the audio file is empty.');
    return input;
  }
  try {
    return fileURLToPath(input);
  } catch (error) {
    const message = `Only file: URLs can be read; got ${input.href}. Download the file first.`;
    throw new SonospikeError('ERR_INVALID_OPTION', message, { cause: error });
  }
}

async function readWhole(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    const info = await stat(file);
    // A pipe or a device can be without end, or never answer.
    if (!info.isFile()) {
      const kind = info.isDirectory() ? 'a directory' : 'not a regular file';
      const message = `Cannot read ${file}: it is ${kind}, and the path of a WAV file is needed.`;
      throw new SonospikeError('ERR_FILE_UNREADABLE', message, { file });
    }
    if (info.size > MAX_FILE_SIZE) {
      const message = `${file} has ${info.size} bytes; no more than 2 GiB are read.`;
      throw new SonospikeError('ERR_AUDIO_TOO_LONG', message, { file });
    }
    bytes = await readFile(file);
  } catch (error) {
    throw error instanceof SonospikeError ? error : fileError(error, file, 'read');
  }
  return bytes;
}

function checked({ samples, sampleRate }: Audio, file?: string): Audio {
  const name = file ?? 'The audio';
  requireShort(samples.length / sampleRate, file);
  const first = samples[0]!;
  if (samples.every((value) => value === first)) {
    const what = samples.length === 1 ? 'has only one sample' : 'is silent: all its samples are the same';
    throw new SonospikeError('ERR_AUDIO_SILENT', `${name} ${what}, so there is nothing to recognise.`, {
      file,
    });
  }
  return { samples, sampleRate };
}

function requireShort(seconds: number, file?: string): void {
  if (seconds <= MAX_DURATION) return;
  const message =
    `${file ?? 'The audio'} is ${(seconds / 60).toFixed(1)} minutes long; at most ${MAX_DURATION / 60} ` +
    'are read. Cut it into single words first.';
  throw new SonospikeError('ERR_AUDIO_TOO_LONG', message, { file });
}

function emptyArray(what: string): SonospikeError {
  const message =
    `${what} is empty, or its memory has been transferred away (for example by postMessage with a ` +
    'transfer list). Pass a copy to keep using the data.';
  return new SonospikeError('ERR_AUDIO_EMPTY', message);
}

function invalidOption(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return value.constructor?.name ?? 'an object';
  return `a ${typeof value}`;
}
