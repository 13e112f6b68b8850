import { type AudioFormat, type DecodedAudio, invalid } from './format.js';
import { isOggOf, readOgg } from './ogg.js';
import { decodeOpus, OPUS_PACKAGE } from './opus-decoder.js';

/** Opus in Ogg (RFC 7845), decoded to 48 kHz. */
export const opus: AudioFormat = {
  name: 'Ogg Opus',
  extensions: ['.opus'],
  sniff: (head) => isOggOf(head, 'OpusHead'),
  decodeLater,
  needs: OPUS_PACKAGE,
  threaded: true,
};

async function decodeLater(bytes: Uint8Array, file: string | undefined): Promise<DecodedAudio> {
  const { packets, remarks } = readOgg(bytes, 'Ogg Opus', file);
  const [head, , ...audio] = packets;
  if (audio.length === 0) throw invalid(file, 'Ogg Opus', 'it has no packets of sound');
  // The position at the end tells how many samples of the last packet are sound.
  const last = audio.at(-1)!.position;
  return decodeOpus(
    head!.data,
    audio.map(({ data }) => data),
    last,
    'Ogg Opus',
    file,
    remarks,
  );
}
