import { SonospikeError } from '../../support/errors.js';
import { type AudioFormat, type DecodedAudio, invalid, nameOf } from './format.js';

/**
 * Loads the package that decodes a format.
 * @throws SonospikeError ERR_AUDIO_UNSUPPORTED if it is not installed, or does not load
 */
export async function loadDecoder<T>(name: string, kind: string, file: string | undefined): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_MODULE_NOT_FOUND';
    const reason = missing
      ? 'is not installed'
      : `does not load (${error instanceof Error ? error.message : String(error)})`;
    throw new SonospikeError(
      'ERR_AUDIO_UNSUPPORTED',
      `${nameOf(file)} is ${kind}, and the package that decodes it ${reason}: npm install ${name}. ` +
        'Or convert it to a WAV, for example with: ffmpeg -i IN -c:a pcm_s16le OUT.wav',
      { file, cause: error },
    );
  }
}

/**
 * Decodes a file on this thread, with a package if the format needs one.
 * @throws SonospikeError as the format's decoder; ERR_AUDIO_INVALID for any error of a package
 */
export async function decodeFormat(
  format: AudioFormat,
  bytes: Uint8Array,
  file: string | undefined,
): Promise<DecodedAudio> {
  try {
    return format.decodeLater ? await format.decodeLater(bytes, file) : format.decode!(bytes, file);
  } catch (error) {
    if (error instanceof SonospikeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid(file, format.name, `it cannot be decoded (${reason})`, error);
  }
}
