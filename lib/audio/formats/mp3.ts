import { tagEnd } from './flac.js';
import {
  type AudioFormat,
  type DecodedAudio,
  empty,
  fromChannels,
  invalid,
  requireRate,
  requireShort,
} from './format.js';
import { loadDecoder } from './packages.js';

/** MPEG audio, of which layer III is MP3. */
export const mp3: AudioFormat = {
  name: 'MP3',
  extensions: ['.mp3', '.mp2', '.mpga'],
  sniff: (head) => {
    const start = tagEnd(head);
    if (start > 0) return true;
    const length = frameLength(head, 0);
    if (length === 0) return false;
    // Two bits patterns of raw samples look like the beginning of a frame too, but not like the next one.
    return head.length < length + 4 ? (head.length < 2048 ? 'more' : false) : frameLength(head, length) > 0;
  },
  decodeLater,
  needs: 'mpg123-decoder',
  threaded: true,
};

/** kbit/s by version (1; 2 and 2.5) and layer. */
const BIT_RATES: Readonly<Record<string, readonly number[]>> = {
  '1-1': [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  '1-2': [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  '1-3': [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2-1': [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  '2-2': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};

/** Bytes of the frame whose header lies at a byte (ISO 11172-3, 2.4.2.3); 0 if there is none. */
function frameLength(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return 0;
  const version = (bytes[at + 1]! >> 3) & 3;
  const layer = 4 - ((bytes[at + 1]! >> 1) & 3);
  const rateCode = (bytes[at + 2]! >> 2) & 3;
  const kilobits =
    BIT_RATES[version === 3 ? `1-${layer}` : `2-${Math.min(2, layer)}`]?.[(bytes[at + 2]! >> 4) - 1];
  if (version === 1 || layer === 4 || rateCode === 3 || kilobits === undefined) return 0;
  const sampleRate = [44_100, 48_000, 32_000][rateCode]! / { 3: 1, 2: 2, 0: 4 }[version as 3 | 2 | 0];
  const padding = (bytes[at + 2]! >> 1) & 1;
  if (layer === 1) return 4 * (Math.floor((12_000 * kilobits) / sampleRate) + padding);
  const samples = layer === 3 && version !== 3 ? 72_000 : 144_000;
  return Math.floor((samples * kilobits) / sampleRate) + padding;
}

/** What is used of the package. */
interface Package {
  MPEGDecoder: new () => {
    ready: Promise<void>;
    decode(bytes: Uint8Array): { channelData: Float32Array[]; samplesDecoded: number; sampleRate: number };
    free(): void;
  };
}

/** Bytes that are decoded together. */
const TOGETHER = 2 ** 18;

async function decodeLater(bytes: Uint8Array, file: string | undefined): Promise<DecodedAudio> {
  const { MPEGDecoder } = await loadDecoder<Package>(mp3.needs!, 'MP3', file);
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const parts: Float32Array[][] = [];
  let [count, rate] = [0, 0];
  try {
    for (let at = 0; at < bytes.length; at += TOGETHER) {
      const { channelData, samplesDecoded, sampleRate } = decoder.decode(bytes.subarray(at, at + TOGETHER));
      if (samplesDecoded === 0) continue;
      parts.push(channelData);
      count += samplesDecoded;
      rate ||= sampleRate;
      requireShort(count / rate, file);
    }
  } finally {
    decoder.free();
  }
  if (count === 0) {
    if (frameLength(bytes, tagEnd(bytes)) > 0) throw empty(file);
    throw invalid(file, 'MP3', 'it has no frame');
  }
  requireRate(rate, 'MP3', file);
  const planes = parts[0]!.map((_, channel) => {
    const plane = new Float32Array(count);
    let at = 0;
    for (const part of parts) {
      plane.set(part[channel] ?? part[0]!, at);
      at += part[0]!.length;
    }
    return plane;
  });
  return fromChannels(planes, rate, []);
}
