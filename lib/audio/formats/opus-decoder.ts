import { type DecodedAudio, empty, fromChannels, invalid, requireShort, text } from './format.js';
import { loadDecoder } from './packages.js';

/** The npm package with libopus. */
export const OPUS_PACKAGE = 'opus-decoder';

/** Hz. Opus has no rate of its own: decoders give this one. */
const RATE = 48_000;

/** What is used of the package. */
interface Decoder {
  ready: Promise<void>;
  decodeFrames(packets: Uint8Array[]): { channelData: Float32Array[]; samplesDecoded: number };
  free(): void;
}
interface Package {
  OpusDecoder: new (options: {
    channels: number;
    streamCount: number;
    coupledStreamCount: number;
    channelMappingTable: number[];
    preSkip: number;
  }) => Decoder;
}

/** Packets that are decoded together. */
const TOGETHER = 250;

/**
 * Decodes the packets of an Opus stream.
 * @param head its identification header, OpusHead (RFC 7845, section 5.1)
 * @param length samples of the stream with those that are skipped at its start; null: all that are there
 */
export async function decodeOpus(
  head: Uint8Array,
  packets: readonly Uint8Array[],
  length: number | null,
  kind: string,
  file: string | undefined,
  remarks: string[],
): Promise<DecodedAudio> {
  const { skip, gain, ...layout } = readHead(head, kind, file);
  const { OpusDecoder } = await loadDecoder<Package>(OPUS_PACKAGE, kind, file);
  const decoder = new OpusDecoder({ ...layout, preSkip: 0 });
  await decoder.ready;
  const parts: Float32Array[][] = [];
  let count = 0;
  try {
    for (let at = 0; at < packets.length; at += TOGETHER) {
      const { channelData, samplesDecoded } = decoder.decodeFrames(packets.slice(at, at + TOGETHER));
      parts.push(channelData);
      count += samplesDecoded;
      requireShort(count / RATE, file);
    }
  } finally {
    decoder.free();
  }
  const end = Math.min(count, length ?? count);
  if (end <= skip) throw empty(file);
  const planes = Array.from({ length: layout.channels }, (_, channel) => {
    const plane = new Float32Array(count);
    let at = 0;
    for (const part of parts) {
      plane.set(part[channel]!, at);
      at += part[channel]!.length;
    }
    const kept = plane.slice(skip, end);
    return gain === 1 ? kept : kept.map((sample) => sample * gain);
  });
  return fromChannels(planes, RATE, remarks);
}

function readHead(head: Uint8Array, kind: string, file: string | undefined) {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 19 || text(head, 0, 8) !== 'OpusHead' || head[8]! > 15) {
    throw invalid(file, kind, 'it has no OpusHead header that is known');
  }
  const channels = head[9]!;
  const family = head[18]!;
  const simple = family === 0 && (channels === 1 || channels === 2);
  if (!simple && (head.length < 21 + channels || channels === 0)) {
    throw invalid(file, kind, `it claims ${channels} channels of mapping family ${family}`);
  }
  return {
    channels,
    streamCount: simple ? 1 : head[19]!,
    coupledStreamCount: simple ? channels - 1 : head[20]!,
    channelMappingTable: simple ? [0, 1].slice(0, channels) : [...head.subarray(21, 21 + channels)],
    /** Samples that the encoder put before the sound. */
    skip: view.getUint16(10, true),
    /** Written in 1/256 dB. */
    gain: 10 ** (view.getInt16(16, true) / (20 * 256)),
  };
}
