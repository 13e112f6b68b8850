import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { readWhole } from '../files/files.js';
import { SonospikeError } from '../support/errors.js';
import { integer, refuse, string } from '../support/options.js';
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

/** `readAudio` of index.ts. */
export async function readAudio(input: AudioInput): Promise<Audio> {
  if (typeof input !== 'string' && !(input instanceof URL)) return audioFromMemory(input);
  const file = pathOf(input);
  const bytes = await readWhole(file, 'the path of a WAV file is needed', (size) => tooLarge(file, size));
  return checked(decodeWav(bytes, file), file);
}

/**
 * `readAudio` for audio that is in memory.
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
    const wanted = 'a path, a file: URL, a Buffer or Uint8Array that holds a WAV, or { samples, sampleRate }';
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
  return checked({ samples: copy, sampleRate });
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
