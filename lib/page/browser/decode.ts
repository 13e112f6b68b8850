import { mixToMono, StreamMixer } from '../../audio/mixing.js';
import { MAX_FILE_BYTES } from '../limits.js';
import { element } from './elements.js';
import { isolated } from './names.js';
import type { RequestError, Requests } from './requests.js';

/** A sound file as mono samples. */
export interface Recording {
  samples: Float32Array;
  /** Hz. */
  sampleRate: number;
  /** What is wrong with the file although it can be read. */
  remarks: string[];
}

/** Seconds of the longest file: as float32 at 16 kHz an hour has 230 MB for each channel. */
const MOST_SECONDS = 3600;
/** Bytes of the largest compressed file whose length is not told. */
const MOST_BYTES = 60_000_000;
/** Hz: what the browser decodes to. Longer files than this get by with the rate of the model, for their memory. */
const FULL_RATE = 48_000;
const FULL_SECONDS = 300;
/** What every browser decodes to. */
const LEAST_RATE = 8000;
/** Seconds in which a browser tells the length of a file. */
const PATIENCE = 4;
/** Seconds of several channels that are mixed at a time. */
const MIXED = 10;

/**
 * Reads a sound file. What is not compressed, and FLAC, is read by the server, exactly; everything else, and what is too
 * large for the server, is decoded by the browser.
 * @param modelRate Hz
 * @throws Error with a message for the user, which has the file's name
 */
export async function readRecording(file: File, requests: Requests, modelRate: number): Promise<Recording> {
  try {
    const head = await bytesOf(file.slice(0, 64));
    if (isExact(head) && file.size <= MAX_FILE_BYTES) {
      const read = await byServer(file, requests).catch((error: RequestError) => {
        if (error.code === 'ERR_AUDIO_TOO_LONG') return null;
        throw error;
      });
      if (read !== null) return read;
    }
    return await byBrowser(file, head, modelRate).catch((error: unknown) => {
      if (error instanceof TooLong || file.size > MAX_FILE_BYTES) throw error;
      // The server reads some formats that this browser does not, and knows others by name.
      return byServer(file, requests).catch((told: RequestError) => {
        if (told.code !== 'ERR_AUDIO_INVALID' || isExact(head)) throw told;
        throw new Error(
          'The audio is not a sound file that this browser or the server can read. Is it one at all? If so, convert it ' +
            'to WAV, FLAC or MP3.',
          { cause: told },
        );
      });
    });
  } catch (error) {
    throw new Error(withName(file.name, error as Error), { cause: error });
  }
}

/** What went wrong with a file, in a sentence with its name. */
export function withName(name: string, { message }: Error): string {
  const told = isolated(name);
  if (message.startsWith('The audio ')) return `${told} ${message.slice('The audio '.length)}`;
  return `${told}: ${message}`;
}

class TooLong extends Error {}

async function byServer(file: File, requests: Requests): Promise<Recording> {
  const { message, arrays } = await requests.decode(await bytesOf(file));
  const { sampleRate, remarks } = message;
  return { samples: arrays.samples as Float32Array, sampleRate, remarks };
}

async function byBrowser(file: File, head: Uint8Array, modelRate: number): Promise<Recording> {
  const seconds = await lengthOf(file);
  if (seconds !== null && seconds > MOST_SECONDS) {
    throw new TooLong(
      `It is ${Math.round(seconds / 60)} minutes long, and the page takes up to ${MOST_SECONDS / 60}. ` +
        'Cut it into pieces, or give it to sonospike live.',
    );
  }
  if (seconds === null && file.size > MOST_BYTES) {
    throw new TooLong(
      `It has ${Math.round(file.size / 1e6)} MB and does not tell how long it is; the page takes up to ` +
        `${MOST_BYTES / 1e6} MB then. Cut it into pieces, or give it to sonospike live.`,
    );
  }
  const long = seconds === null || seconds > FULL_SECONDS;
  const rate = waveRate(head) ?? (long ? Math.max(LEAST_RATE, Math.min(FULL_RATE, modelRate)) : FULL_RATE);
  const bytes = await bytesOf(file);
  const context = new OfflineAudioContext(1, 1, rate);
  const audio = await context.decodeAudioData(bytes.buffer).catch((error: unknown) => {
    throw new Error('This browser cannot read it as sound. WAV, FLAC and MP3 can be read everywhere.', {
      cause: error,
    });
  });
  return { samples: monoOf(audio), sampleRate: audio.sampleRate, remarks: [] };
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = await blob.arrayBuffer().catch((error: unknown) => {
    throw new Error('It cannot be read. Is it a file, and not a folder? Is it still there?', {
      cause: error,
    });
  });
  return new Uint8Array(buffer);
}

/** Formats of which the browser would give other samples than the file has: WAV, Wave64, AIFF and FLAC. */
function isExact(head: Uint8Array): boolean {
  return ['RIFF', 'RIFX', 'RF64', 'BW64', 'riff', 'FORM', 'fLaC'].includes(textAt(head, 0));
}

/** The sample rate of a WAV whose format comes first, if a browser can decode to it. */
function waveRate(head: Uint8Array): number | null {
  if (textAt(head, 0) !== 'RIFF' || textAt(head, 12) !== 'fmt ') return null;
  const rate = new DataView(head.buffer).getUint32(24, true);
  return rate >= LEAST_RATE && rate <= 2 * FULL_RATE ? rate : null;
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** Seconds that a file lasts, as far as the browser can tell without decoding it; null where it cannot. */
function lengthOf(file: File): Promise<number | null> {
  const url = URL.createObjectURL(file);
  const audio = element('audio', { preload: 'metadata' });
  return new Promise<number | null>((done) => {
    const give = () => done(Number.isFinite(audio.duration) ? audio.duration : null);
    audio.addEventListener('loadedmetadata', give);
    audio.addEventListener('error', () => done(null));
    setTimeout(() => done(null), 1000 * PATIENCE);
    audio.src = url;
  }).finally(() => {
    audio.removeAttribute('src');
    URL.revokeObjectURL(url);
  });
}

/** As the server mixes: the mean, unless the channels cancel. */
function monoOf(audio: AudioBuffer): Float32Array {
  const { numberOfChannels: count, length, sampleRate } = audio;
  const channels = Array.from({ length: count }, (_, k) => audio.getChannelData(k));
  if (count === 1) return channels[0]!;
  const part = MIXED * sampleRate;
  if (length <= part) return mixToMono(interleaved(channels, 0, length), count);
  const mono = new Float32Array(length);
  const mixer = new StreamMixer(count, sampleRate);
  let written = 0;
  const write = (samples: Float32Array) => {
    mono.set(samples, written);
    written += samples.length;
  };
  for (let at = 0; at < length; at += part) {
    write(mixer.add(interleaved(channels, at, Math.min(length, at + part))));
  }
  write(mixer.end());
  return mono;
}

function interleaved(channels: readonly Float32Array[], from: number, to: number): Float32Array {
  const all = new Float32Array(channels.length * (to - from));
  for (const [k, samples] of channels.entries()) {
    for (let i = from; i < to; i++) all[(i - from) * channels.length + k] = samples[i]!;
  }
  return all;
}
