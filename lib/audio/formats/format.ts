import { type ErrorCode, SonospikeError } from '../../support/errors.js';
import { isClipped } from '../clipping.js';
import { mixToMono } from '../mixing.js';
import { decodeSamples, fullScale, type SampleEncoding } from '../pcm.js';
import { MAX_DURATION, MAX_SAMPLE_RATE } from '../sound.js';

/** What a decoder gives. */
export interface DecodedAudio {
  /** Mono, as `mixToMono` makes it; [-1, 1) of integer samples, as written of float. */
  samples: Float32Array;
  /** Hz. */
  sampleRate: number;
  /** Channels in the file. */
  channels: number;
  /** Whether a channel is cut off at full scale. */
  clipped: boolean;
  /** What is wrong with the file although it can be read: samples that are missing. Whole sentences. */
  remarks: string[];
}

/** A file format of sound. To add one: a file beside this one, and its line in `index.ts`. */
export interface AudioFormat {
  /** For error texts. */
  readonly name: string;
  /** Endings of file names, with the dot, in lower case. */
  readonly extensions: readonly string[];
  /**
   * Whether bytes begin as this format does. `'more'`: the answer needs more bytes than `head` has, at most
   * `SNIFF_BYTES`. `head` has at least 12 bytes unless the file is shorter.
   */
  sniff(head: Uint8Array): boolean | 'more';
  /**
   * Decodes a whole file. Formats that have only `decodeLater` are refused where the answer is needed at once, as by
   * `predictSync`.
   * @param file its name, for errors
   * @throws SonospikeError ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED, ERR_AUDIO_EMPTY, ERR_AUDIO_NOT_FINITE,
   * ERR_AUDIO_TOO_LONG
   */
  decode?(bytes: Uint8Array, file: string | undefined): DecodedAudio;
  /** The same with a package that is loaded first. */
  decodeLater?(bytes: Uint8Array, file: string | undefined): Promise<DecodedAudio>;
  /** The optional npm package that `decodeLater` loads. */
  readonly needs?: string;
  /** Whether decoding takes so long that it is done in another thread. */
  readonly threaded?: boolean;
  /** The beginning of a stream whose samples can be read while they come; how many bytes are needed before that can be told. */
  begin?(head: Uint8Array, file: string | undefined): PcmBeginning | number;
}

/** Bytes from which every format can be told. */
export const SNIFF_BYTES = 4096;

/** Plain samples in a container. */
export interface PcmForm {
  encoding: SampleEncoding;
  bigEndian: boolean;
  channels: number;
  /** Hz. */
  sampleRate: number;
}

/** Where samples begin that still have to come. */
export interface PcmBeginning extends PcmForm {
  /** First byte of the samples. */
  dataStart: number;
  /** Bytes of samples that the header promises; infinite where it does not know. */
  size: number;
  /** Whether the samples are surely missing that are not there at the end. */
  sure: boolean;
}

/** Decodes plain samples. The bytes are whole frames. */
export function decodePcm(
  data: Uint8Array,
  form: PcmForm,
  file: string | undefined,
  remarks: string[] = [],
): DecodedAudio {
  const { encoding, channels, sampleRate } = form;
  if (data.length === 0) throw empty(file);
  const interleaved = decodeSamples(data, encoding, form.bigEndian);
  if (encoding === 'float32' || encoding === 'float64') requireFinite(interleaved, file);
  return fromInterleaved(interleaved, { channels, sampleRate, extreme: fullScale(encoding) }, remarks);
}

/**
 * @param extreme magnitude of a sample that is cut off
 */
export function fromInterleaved(
  interleaved: Float32Array,
  { channels, sampleRate, extreme }: { channels: number; sampleRate: number; extreme: number },
  remarks: string[],
): DecodedAudio {
  const clipped = isClipped(interleaved, channels, extreme);
  return { samples: mixToMono(interleaved, channels), sampleRate, channels, clipped, remarks };
}

/** As `fromInterleaved`, from an array of samples for each channel. */
export function fromChannels(
  planes: readonly Float32Array[],
  sampleRate: number,
  remarks: string[],
): DecodedAudio {
  const channels = planes.length;
  const interleaved = channels === 1 ? planes[0]! : new Float32Array(channels * planes[0]!.length);
  if (channels > 1) {
    for (const [channel, plane] of planes.entries()) {
      for (let i = 0, at = channel; i < plane.length; i++, at += channels) interleaved[at] = plane[i]!;
    }
  }
  return fromInterleaved(interleaved, { channels, sampleRate, extreme: fullScale('float32') }, remarks);
}

/** @throws SonospikeError ERR_AUDIO_INVALID */
export function requireRate(sampleRate: number, kind: string, file: string | undefined): void {
  if (sampleRate >= 1 && sampleRate <= MAX_SAMPLE_RATE) return;
  throw invalid(file, kind, `its sample rate is ${sampleRate} Hz, and 1 to ${MAX_SAMPLE_RATE} are possible`);
}

/** @throws SonospikeError ERR_AUDIO_TOO_LONG */
export function requireShort(seconds: number, file?: string): void {
  if (seconds <= MAX_DURATION) return;
  const message =
    `${nameOf(file)} is ${(seconds / 60).toFixed(1)} minutes long; at most ${MAX_DURATION / 60} ` +
    'are read. Cut it into single words first.';
  throw new SonospikeError('ERR_AUDIO_TOO_LONG', message, { file });
}

/** Its power spectrum still fits in float32, with room to spare; full scale is 1. */
const LOUDEST = 1e12;

/**
 * @param first position of the first of them, for the error
 * @throws SonospikeError ERR_AUDIO_NOT_FINITE
 */
export function requireFinite(samples: Float32Array, file: string | undefined, first = 0): void {
  for (let i = 0; i < samples.length; i++) {
    if (!(Math.abs(samples[i]!) <= LOUDEST)) {
      const what = Number.isFinite(samples[i]) ? 'is far beyond full scale' : 'is not a finite number';
      const message = `${nameOf(file)} has a sample that ${what} (${samples[i]}, at position ${first + i}).`;
      throw new SonospikeError('ERR_AUDIO_NOT_FINITE', message, { file });
    }
  }
}

/** The remark on a file whose samples are missing at the end. */
export function cutOff(file: string | undefined, promised: number, there: number): string {
  return (
    `${nameOf(file)} is cut off: its header promises ${promised} bytes of samples and ${there} are there, ` +
    `${promised - there} too few.`
  );
}

/** An ERR_AUDIO_INVALID; `what` completes "… is not a valid `kind` file: ". */
export function invalid(
  file: string | undefined,
  kind: string,
  what: string,
  cause?: unknown,
): SonospikeError {
  return new SonospikeError('ERR_AUDIO_INVALID', `${nameOf(file)} is not a valid ${kind} file: ${what}.`, {
    file,
    cause,
  });
}

/** An ERR_AUDIO_UNSUPPORTED with the cure; `what` completes "… is ". */
export function unsupported(file: string | undefined, what: string): SonospikeError {
  const message =
    `${nameOf(file)} is ${what}, which is not read. Convert it to a 16-bit WAV, ` +
    'for example with: ffmpeg -i IN -c:a pcm_s16le OUT.wav';
  return new SonospikeError('ERR_AUDIO_UNSUPPORTED', message, { file });
}

export function empty(file: string | undefined, what = 'holds no samples'): SonospikeError {
  const code: ErrorCode = 'ERR_AUDIO_EMPTY';
  return new SonospikeError(code, `${nameOf(file)} ${what}.`, { file });
}

export function nameOf(file: string | undefined): string {
  return file ?? 'The audio';
}

/** Bytes as the characters of ISO 8859-1. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
