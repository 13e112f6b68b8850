import type { Readable } from 'node:stream';
import { SonospikeError } from '../support/errors.js';
import { invalid, readBeginning, type WavBeginning } from './riff.js';
import { decodeSamples, mixToMono, type SampleEncoding } from './samples.js';
import type { Sound } from './sound.js';
import { checkedEncoding, requireFinite } from './wav.js';

export interface ReadSoundOptions {
  /** For people and errors. */
  name: string;
  /** Hz, of raw samples; a WAV says its own. */
  sampleRate: number;
  /** Ends the sound, as its end would. */
  signal?: AbortSignal;
  /** Is told what is odd about the sound and no error. */
  onRemark?: (text: string) => void;
}

/** Bytes up to the samples of a WAV: more than a picture in its tags has. */
const MAX_HEADER = 2 ** 24;

/** How files begin that are sound, but neither a WAV nor raw samples. */
const OTHERS: Readonly<Record<string, string>> = {
  fLaC: 'FLAC',
  OggS: 'Ogg',
  FORM: 'AIFF',
  caff: 'CAF',
  '.snd': 'AU',
  '\x1aE\xdf\xa3': 'Matroska or WebM',
};

/** How the bytes of a sound are samples. */
interface Format {
  encoding: SampleEncoding;
  channels: number;
  /** Bytes in one sample of every channel. */
  frame: number;
  bigEndian: boolean;
  /** Bytes of samples that there should be; infinite where no one knows. */
  size: number;
}

const RAW: Format = { encoding: 'pcm16', channels: 1, frame: 2, bigEndian: false, size: Infinity };

/**
 * Reads sound from a stream of bytes while it comes: a WAV, in any encoding that `decodeWav` reads and as programs
 * write it into a pipe, or else raw mono samples of 16 bits, little-endian. Returns once it is known which.
 * @throws SonospikeError ERR_AUDIO_EMPTY, ERR_WAV_INVALID, ERR_WAV_UNSUPPORTED; the iterator ERR_AUDIO_NOT_FINITE and
 * ERR_FILE_UNREADABLE
 */
export async function readSound(input: Readable, options: ReadSoundOptions): Promise<Sound> {
  const { name, signal } = options;
  const source = new ByteSource(input, name, signal);
  try {
    const head = await source.peek(12);
    if (head.length === 0 && !signal?.aborted) {
      throw new SonospikeError('ERR_AUDIO_EMPTY', `There is nothing on ${name}.`);
    }
    refuseOthers(head, name);
    const isWav = ['RIFF', 'RIFX', 'RF64', 'BW64'].includes(head.toString('latin1', 0, 4));
    if (!isWav) return { name, sampleRate: options.sampleRate, chunks: decoded(source, RAW, options) };
    const { layout, size } = await readHeader(source, name);
    const { channels, blockAlign, bigEndian, sampleRate } = layout;
    const encoding = checkedEncoding(layout, name);
    const format = { encoding, channels, frame: blockAlign, bigEndian, size };
    return { name, sampleRate, chunks: decoded(source, format, options) };
  } catch (error) {
    input.destroy();
    throw error;
  }
}

function refuseOthers(head: Buffer, name: string): void {
  const text = head.toString('latin1');
  const kind =
    OTHERS[text.slice(0, 4)] ??
    (text.startsWith('ID3') ? 'MP3' : text.startsWith('ftyp', 4) ? 'MP4 or M4A' : null);
  if (kind === null) return;
  const message =
    `What comes on ${name} is ${kind}, which is not read. Convert it on the way, ` +
    'for example with: ffmpeg -i FILE -f wav -';
  throw new SonospikeError('ERR_WAV_UNSUPPORTED', message);
}

/** Reads as far as the samples. */
async function readHeader(source: ByteSource, name: string): Promise<WavBeginning> {
  for (let needed = 12; needed <= MAX_HEADER; ) {
    const head = await source.peek(needed);
    if (head.length < needed) throw invalid(name, 'it ends before its samples begin');
    const found = readBeginning(head, name);
    if (typeof found !== 'number') {
      source.skip(found.layout.dataStart);
      return found;
    }
    needed = found;
  }
  throw invalid(name, `its samples do not begin within ${MAX_HEADER} bytes`);
}

async function* decoded(
  source: ByteSource,
  { encoding, channels, frame, bigEndian, size }: Format,
  { name, signal, onRemark }: ReadSoundOptions,
): AsyncGenerator<Float32Array> {
  let left = size;
  let position = 0;
  try {
    while (left > 0) {
      const bytes = await source.next(frame, left);
      if (bytes === null) break;
      left -= bytes.length;
      const samples = mixToMono(decodeSamples(bytes, encoding, bigEndian), channels);
      requireFinite(samples, `What comes on ${name}`, position);
      position += samples.length;
      yield samples;
    }
  } finally {
    source.close();
  }
  if (signal?.aborted) return;
  if (position === 0) throw new SonospikeError('ERR_AUDIO_EMPTY', `What comes on ${name} holds no samples.`);
  if (Number.isFinite(left) && left > 0) {
    onRemark?.(`The WAV on ${name} was cut off ${left} bytes before the end that its header promises.`);
  } else if (source.remaining > 0 && left > 0) {
    onRemark?.(`What came on ${name} ended within a sample: it may not be the format that it was taken for.`);
  }
}

/** Takes the bytes of a stream in pieces that suit the reader. */
class ByteSource {
  readonly #input: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #name: string;
  readonly #signal: AbortSignal | undefined;
  readonly #stop = () => this.#input.destroy();
  #held: Buffer = Buffer.alloc(0);

  constructor(input: Readable, name: string, signal: AbortSignal | undefined) {
    this.#input = input;
    this.#chunks = input[Symbol.asyncIterator]();
    this.#name = name;
    this.#signal = signal;
    if (signal?.aborted) input.destroy();
    else signal?.addEventListener('abort', this.#stop, { once: true });
  }

  /** Bytes that have come and were not taken. */
  get remaining(): number {
    return this.#held.length;
  }

  /** The next bytes without taking them: fewer than `count` only where the stream ends. */
  async peek(count: number): Promise<Buffer> {
    const parts = [this.#held];
    let length = this.#held.length;
    while (length < count) {
      const chunk = await this.#read();
      if (chunk === null) break;
      parts.push(chunk);
      length += chunk.length;
    }
    if (parts.length > 1) this.#held = Buffer.concat(parts);
    return this.#held;
  }

  skip(count: number): void {
    this.#held = this.#held.subarray(count);
  }

  /** A multiple of `frame` bytes, at most `most`; null at the end. */
  async next(frame: number, most: number): Promise<Buffer | null> {
    const held = await this.peek(frame);
    const whole = Math.min(held.length, most);
    const length = whole - (whole % frame);
    if (length === 0) return null;
    this.skip(length);
    return held.subarray(0, length);
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#input.destroy();
  }

  async #read(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.#chunks.next();
      return done ? null : value;
    } catch (error) {
      // Told to stop, the stream ends too early in the eyes of its iterator.
      if (this.#signal?.aborted) return null;
      const reason = error instanceof Error ? error.message : String(error);
      throw new SonospikeError('ERR_FILE_UNREADABLE', `Cannot read ${this.#name} (${reason}).`, {
        cause: error,
      });
    }
  }
}
