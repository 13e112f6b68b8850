import type { Readable } from 'node:stream';
import { SonospikeError } from '../support/errors.js';
import { Clipping } from './clipping.js';
import { decodeInThread } from './decoding.js';
import {
  type AudioFormat,
  type DecodedAudio,
  invalid,
  type PcmBeginning,
  requireFinite,
  SNIFF_BYTES,
} from './formats/format.js';
import { streamFormat } from './formats/index.js';
import { unsupported24In32 } from './formats/wav.js';
import { StreamMixer } from './mixing.js';
import { alignmentOf24In32, decodeSamples, fullScale, SAMPLE_BYTES } from './pcm.js';
import type { Sound } from './sound.js';

export interface ReadSoundOptions {
  /** For people and errors. */
  name: string;
  /** Hz, of raw samples; a file says its own. */
  sampleRate: number;
  /** Ends the sound, as its end would. */
  signal?: AbortSignal;
  /** Is told what is odd about the sound and no error. */
  onRemark?: (text: string) => void;
}

/** Bytes up to the samples of a WAV: more than a picture in its tags has. */
const MAX_HEADER = 2 ** 24;
/** Bytes of a file that can only be decoded as a whole. */
const MAX_WHOLE = 2 ** 28;

/**
 * Reads sound from a stream of bytes while it comes: a WAV, in any encoding that `readAudio` reads and as programs
 * write it into a pipe; or raw mono samples of 16 bits, little-endian. Files of other formats are read to their end and
 * then decoded. Returns once it is known which.
 * @throws SonospikeError ERR_AUDIO_EMPTY, ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED, ERR_AUDIO_TOO_LONG; the iterator
 * ERR_AUDIO_NOT_FINITE and ERR_FILE_UNREADABLE
 */
export async function readSound(input: Readable, options: ReadSoundOptions): Promise<Sound> {
  const { name, signal } = options;
  const source = new ByteSource(input, name, signal);
  try {
    let head = await source.peek(12);
    if (head.length === 0 && !signal?.aborted) {
      throw new SonospikeError('ERR_AUDIO_EMPTY', `There is nothing on ${name}.`);
    }
    const first = streamFormat(head, name, head.length < 12);
    if (first === 'more') head = await source.peek(SNIFF_BYTES);
    const format = first === 'more' ? streamFormat(head, name, true) : first;
    if (format === null) return pcmSound(source, raw(options.sampleRate), options);
    if (format.begin) return pcmSound(source, await readHeader(source, format, name), options);
    return await wholeSound(source, format, options);
  } catch (error) {
    input.destroy();
    throw error;
  }
}

const raw = (sampleRate: number): PcmBeginning => ({
  encoding: 'pcm16',
  bigEndian: false,
  channels: 1,
  sampleRate,
  dataStart: 0,
  size: Infinity,
  sure: false,
});

/** Reads as far as the samples. */
async function readHeader(source: ByteSource, format: AudioFormat, name: string): Promise<PcmBeginning> {
  for (let needed = 12; needed <= MAX_HEADER; ) {
    const head = await source.peek(needed);
    if (head.length < needed) throw invalid(name, format.name, 'it ends before its samples begin');
    const found = format.begin!(head, name);
    if (typeof found !== 'number') {
      source.skip(found.dataStart);
      return found;
    }
    needed = found;
  }
  throw invalid(name, format.name, `its samples do not begin within ${MAX_HEADER} bytes`);
}

/** Sound of a file that must be there as a whole before it can be decoded. */
async function wholeSound(
  source: ByteSource,
  format: AudioFormat,
  options: ReadSoundOptions,
): Promise<Sound> {
  const { name, signal, onRemark } = options;
  const bytes = await source.peek(MAX_WHOLE + 1);
  source.close();
  if (bytes.length > MAX_WHOLE) {
    const message = `What comes on ${name} has more than ${MAX_WHOLE} bytes of ${format.name}: cut it first.`;
    throw new SonospikeError('ERR_AUDIO_TOO_LONG', message);
  }
  const { sampleRate, samples, clipped, remarks }: DecodedAudio = signal?.aborted
    ? {
        sampleRate: options.sampleRate,
        samples: new Float32Array(),
        channels: 1,
        clipped: false,
        remarks: [],
      }
    : await (format.threaded ? decodeInThread(format, bytes, name) : format.decode!(bytes, name));
  for (const remark of remarks) onRemark?.(remark);
  async function* chunks() {
    yield samples;
  }
  return { name, sampleRate, chunks: chunks(), clipped: () => clipped };
}

function pcmSound(source: ByteSource, form: PcmBeginning, options: ReadSoundOptions): Sound {
  const clipping = new Clipping(form.channels, fullScale(form.encoding));
  return {
    name: options.name,
    sampleRate: form.sampleRate,
    chunks: decoded(source, form, clipping, options),
    clipped: (start, end) => clipping.between(start, end),
  };
}

async function* decoded(
  source: ByteSource,
  { encoding, channels, bigEndian, sampleRate, size, sure }: PcmBeginning,
  clipping: Clipping,
  { name, signal, onRemark }: ReadSoundOptions,
): AsyncGenerator<Float32Array> {
  const mixer = new StreamMixer(channels, sampleRate);
  const frame = channels * SAMPLE_BYTES[encoding];
  let left = size;
  let position = 0;
  try {
    while (left > 0) {
      const bytes = await source.next(frame, left);
      if (bytes === null) break;
      left -= bytes.length;
      if (encoding === 'pcm24-in-32' && alignmentOf24In32(bytes, bigEndian) !== 'low') {
        throw unsupported24In32(`What comes on ${name}`);
      }
      const interleaved = decodeSamples(bytes, encoding, bigEndian);
      requireFinite(interleaved, `What comes on ${name}`, position * channels);
      position += interleaved.length / channels;
      clipping.add(interleaved);
      const samples = mixer.add(interleaved);
      if (samples.length > 0) yield samples;
    }
    const rest = mixer.end();
    if (rest.length > 0) yield rest;
  } finally {
    source.close();
  }
  if (signal?.aborted) return;
  if (position === 0) throw new SonospikeError('ERR_AUDIO_EMPTY', `What comes on ${name} holds no samples.`);
  if (Number.isFinite(left)) {
    if (left > 0 && sure) {
      onRemark?.(`The sound on ${name} was cut off ${left} bytes before the end that its header promises.`);
    }
  } else if (source.remaining > 0) {
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
