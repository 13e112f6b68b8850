// FLAC as RFC 9639 describes it. Samples are decoded to their integers, so that they are those of a WAV to the bit.

export interface FlacInfo {
  /** Hz. */
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  /** Samples of each channel; 0: not known. */
  total: number;
}

/** What cannot be decoded. */
export class FlacError extends Error {}

/** The contents of the STREAMINFO block (RFC 9639, section 8.2). */
export function readStreamInfo(bytes: Uint8Array, at: number): FlacInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 34 > bytes.length) throw new FlacError('its STREAMINFO block is cut off');
  const word = view.getUint32(at + 10);
  return {
    sampleRate: word >>> 12,
    channels: ((word >>> 9) & 7) + 1,
    bitsPerSample: ((word >>> 4) & 31) + 1,
    total: (word & 15) * 2 ** 32 + view.getUint32(at + 14),
  };
}

/**
 * Decodes frames, one after the other.
 * @param next is given the channels' samples of each frame, which are valid during the call
 * @returns where the frames end: before `bytes.length` where the last one is cut off
 */
export function decodeFrames(
  bytes: Uint8Array,
  start: number,
  info: FlacInfo,
  next: (channels: readonly Float64Array[], length: number) => void,
): number {
  // Reads beyond the end see zeros.
  const padded = new Uint8Array(bytes.length + 8);
  padded.set(bytes);
  const reader = new BitReader(padded, bytes.length);
  const buffers = Array.from({ length: info.channels }, () => new Float64Array(65_536));
  for (let at = start; at < bytes.length; ) {
    const length = decodeFrame(reader, at, info, buffers);
    if (length === 0) return at;
    next(buffers, length);
    at = reader.byte;
  }
  return bytes.length;
}

const BLOCK_SIZES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
const SAMPLE_SIZES = [0, 8, 12, 0, 16, 20, 24, 32];

/** Decodes the frame at a byte; gives its samples a channel, or 0 if it is cut off by the end. */
function decodeFrame(
  reader: BitReader,
  at: number,
  info: FlacInfo,
  buffers: readonly Float64Array[],
): number {
  reader.seek(at);
  try {
    if (reader.bits(15) !== 0b111111111111100) throw new FlacError('a frame does not begin where it should');
    reader.bits(1);
    const sizeCode = reader.bits(4);
    const rateCode = reader.bits(4);
    const assignment = reader.bits(4);
    const bitsCode = reader.bits(3);
    reader.bits(1);
    reader.codedNumber();
    let length = BLOCK_SIZES[sizeCode]!;
    if (sizeCode === 6) length = reader.bits(8) + 1;
    if (sizeCode === 7) length = reader.bits(16) + 1;
    if (rateCode === 12) reader.bits(8);
    if (rateCode === 13 || rateCode === 14) reader.bits(16);
    reader.bits(8);
    const sampleBits = bitsCode === 0 ? info.bitsPerSample : SAMPLE_SIZES[bitsCode]!;
    const channels = assignment < 8 ? assignment + 1 : 2;
    if (length === 0 || sampleBits !== info.bitsPerSample || channels !== info.channels || assignment > 10) {
      throw new FlacError('a frame has a header that does not fit the file');
    }
    for (let channel = 0; channel < channels; channel++) {
      const isSide =
        (channel === 1 && (assignment === 8 || assignment === 10)) || (channel === 0 && assignment === 9);
      decodeSubframe(reader, sampleBits + (isSide ? 1 : 0), buffers[channel]!, length);
    }
    if (assignment >= 8) restoreStereo(assignment, buffers[0]!, buffers[1]!, length);
    reader.align();
    const end = reader.byte;
    if (reader.bits(16) !== crc16(reader.bytes, at, end)) throw new FlacError('a frame is damaged');
    return length;
  } catch (error) {
    if (error instanceof EndOfBytes) return 0;
    throw error;
  }
}

/** Left and right from left or right or their mean, and their difference. */
function restoreStereo(assignment: number, first: Float64Array, second: Float64Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const [a, b] = [first[i]!, second[i]!];
    if (assignment === 8) {
      second[i] = a - b;
    } else if (assignment === 9) {
      first[i] = a + b;
    } else {
      // The mean has lost its lowest bit, which the difference has too.
      const twice = 2 * a + (Math.abs(b) % 2);
      first[i] = (twice + b) / 2;
      second[i] = (twice - b) / 2;
    }
  }
}

/** Coefficients of the fixed predictors, the latest sample first. */
const FIXED = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

function decodeSubframe(reader: BitReader, frameBits: number, out: Float64Array, length: number): void {
  if (reader.bits(1) !== 0) throw new FlacError('a frame is damaged');
  const type = reader.bits(6);
  const wasted = reader.bits(1) === 1 ? reader.unary() + 1 : 0;
  const bits = frameBits - wasted;
  if (bits < 1) throw new FlacError('a frame is damaged');
  if (type === 0) {
    out.fill(reader.signed(bits), 0, length);
  } else if (type === 1) {
    for (let i = 0; i < length; i++) out[i] = reader.signed(bits);
  } else if (type >= 8 && type <= 12) {
    const order = type - 8;
    for (let i = 0; i < order; i++) out[i] = reader.signed(bits);
    decodeResidual(reader, out, order, length);
    predict(out, FIXED[order]!, 0, length);
  } else if (type >= 32) {
    const order = type - 31;
    for (let i = 0; i < order; i++) out[i] = reader.signed(bits);
    const precision = reader.bits(4) + 1;
    const shift = reader.signed(5);
    if (precision === 16 || shift < 0) throw new FlacError('a frame has a predictor that is not allowed');
    const coefficients = Array.from({ length: order }, () => reader.signed(precision));
    decodeResidual(reader, out, order, length);
    predict(out, coefficients, shift, length);
  } else {
    throw new FlacError('a frame has a subframe of a type that is not known');
  }
  if (wasted > 0) for (let i = 0; i < length; i++) out[i]! *= 2 ** wasted;
}

/** Adds to each residual what its predecessors predict. All sums are below 2^53, so that doubles hold them exactly. */
function predict(out: Float64Array, coefficients: readonly number[], shift: number, length: number): void {
  const order = coefficients.length;
  if (order === 0) return;
  const weights = Float64Array.from(coefficients);
  const factor = 2 ** -shift;
  for (let i = order; i < length; i++) {
    let sum = 0;
    for (let k = 0; k < order; k++) sum += weights[k]! * out[i - 1 - k]!;
    out[i]! += Math.floor(sum * factor);
  }
}

/** Rice-coded residuals (RFC 9639, section 9.2.7). */
function decodeResidual(reader: BitReader, out: Float64Array, order: number, length: number): void {
  const method = reader.bits(2);
  if (method > 1) throw new FlacError('a frame has residuals coded in a way that is not known');
  const parameterBits = method === 0 ? 4 : 5;
  const unencoded = 2 ** parameterBits - 1;
  const partitions = 2 ** reader.bits(4);
  const size = length / partitions;
  if (!Number.isInteger(size) || size < order) throw new FlacError('a frame is damaged');
  for (let partition = 0, at = order; partition < partitions; partition++) {
    const end = (partition + 1) * size;
    const parameter = reader.bits(parameterBits);
    if (parameter === unencoded) {
      const bits = reader.bits(5);
      for (; at < end; at++) out[at] = bits === 0 ? 0 : reader.signed(bits);
    } else {
      for (; at < end; at++) out[at] = reader.rice(parameter);
    }
  }
}

class EndOfBytes extends Error {}

/** Reads numbers from the bits of a frame, the highest first. */
class BitReader {
  #base = 0;
  /** In bits from the base. */
  #at = 0;

  /** @param bytes with 8 more behind `length` */
  constructor(
    readonly bytes: Uint8Array,
    readonly length: number,
  ) {}

  seek(byte: number): void {
    this.#base = byte;
    this.#at = 0;
  }

  /** The byte that is next. */
  get byte(): number {
    return this.#base + (this.#at >>> 3);
  }

  align(): void {
    this.#at = (this.#at + 7) & ~7;
  }

  /** 0 to 32 bits, unsigned. */
  bits(count: number): number {
    if (count === 0) return 0;
    const value = this.#word() >>> (32 - count);
    this.#skip(count);
    return value;
  }

  /** 1 to 33 bits. */
  signed(count: number): number {
    if (count === 33) return -this.bits(1) * 2 ** 32 + this.bits(32);
    const value = this.#word() >> (32 - count);
    this.#skip(count);
    return value;
  }

  /** Zeros before the next one. */
  unary(): number {
    let count = 0;
    for (;;) {
      const word = this.#word();
      if (word !== 0) {
        const zeros = Math.clz32(word);
        this.#skip(zeros + 1);
        return count + zeros;
      }
      this.#skip(32);
      count += 32;
    }
  }

  /** A signed number in Rice's code. */
  rice(parameter: number): number {
    const high = this.unary();
    const folded = high * 2 ** parameter + this.bits(parameter);
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  /** The number of the frame or sample, in UTF-8's code extended to 36 bits. It is of no use here. */
  codedNumber(): void {
    const ones = Math.clz32(~(this.bits(8) << 24));
    for (let i = 1; i < ones; i++) this.bits(8);
  }

  #word(): number {
    const { bytes } = this;
    const at = this.#base + (this.#at >>> 3);
    const shift = this.#at & 7;
    const word = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    return shift === 0 ? word : (word << shift) | (bytes[at + 4]! >>> (8 - shift));
  }

  #skip(count: number): void {
    this.#at += count;
    if (this.#base + (this.#at + 7) / 8 >= this.length + 1) throw new EndOfBytes();
  }
}

const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x8005 : 0);
  return crc;
});

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ CRC16[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}
