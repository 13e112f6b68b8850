import { type AudioFormat, type DecodedAudio, empty, fromChannels, invalid, requireShort } from './format.js';
import { isOggOf, readOgg } from './ogg.js';
import { loadDecoder } from './packages.js';

/** Vorbis in Ogg. */
export const vorbis: AudioFormat = {
  name: 'Ogg Vorbis',
  extensions: ['.ogg'],
  sniff: (head) => isOggOf(head, '\x01vorbis'),
  decodeLater,
  needs: '@wasm-audio-decoders/ogg-vorbis',
  threaded: true,
};

/** What is used of the package. */
interface Package {
  OggVorbisDecoder: new () => {
    ready: Promise<void>;
    decodeFile(bytes: Uint8Array): Promise<{ channelData: Float32Array[]; sampleRate: number }>;
    free(): void;
  };
}

async function decodeLater(bytes: Uint8Array, file: string | undefined): Promise<DecodedAudio> {
  const { packets, remarks } = readOgg(bytes, 'Ogg Vorbis', file);
  const head = packets[0]!.data;
  if (head.length < 30) throw invalid(file, 'Ogg Vorbis', 'its first header is cut off');
  const rate = new DataView(head.buffer, head.byteOffset).getUint32(12, true);
  const length = packets.findLast(({ position }) => position !== null)?.position ?? 0;
  requireShort(length / rate, file);
  const { OggVorbisDecoder } = await loadDecoder<Package>(vorbis.needs!, 'Ogg Vorbis', file);
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  try {
    const { channelData, sampleRate } = await decoder.decodeFile(bytes);
    if (channelData.length === 0 || channelData[0]!.length === 0) throw empty(file);
    return fromChannels(channelData, sampleRate, remarks);
  } finally {
    decoder.free();
  }
}
