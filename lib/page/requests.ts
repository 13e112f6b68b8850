import { type Audio, readAudio } from '../audio/source.js';
import { readClip } from '../datasets/clip-loader.js';
import type { Model } from '../model/model.js';
import { guard } from '../native/errors.js';
import { native } from '../native/load.js';
import type { EncodingSettings } from '../settings/settings.js';
import { channelsOfFeature, featureCount } from '../settings/shapes.js';
import { validateEncoding } from '../settings/validate.js';
import { SonospikeError } from '../support/errors.js';
import { integer } from '../support/options.js';
import { MAX_CLIP_SAMPLES, MAX_DECODED_SAMPLES, MAX_ENCODED, MAX_FILE_BYTES } from './limits.js';
import type { Sender } from './listening.js';
import { pack } from './message.js';
import { pictureMessage } from './picture.js';
import type { Decoded, Encoded, Picture } from './protocol.js';
import type { Samples } from './samples.js';

/**
 * Reads a sound file that a client has sent. What a browser decodes is resampled; here the samples are those of the
 * file.
 * @throws SonospikeError as `readAudio`; ERR_AUDIO_TOO_LONG beyond the limits of the page
 */
export async function decoded(id: number, bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.length > MAX_FILE_BYTES) throw tooLong(`it has ${(bytes.length / 1e6).toFixed(1)} MB`);
  const { samples, sampleRate, remarks } = await readAudio(bytes);
  if (samples.length > MAX_DECODED_SAMPLES) throw tooLong(`it has ${samples.length} samples`);
  const message: Decoded = { type: 'decoded', id, sampleRate, remarks };
  return pack(message, { samples });
}

/**
 * Shows a clip that a client has sent.
 * @throws SonospikeError as `observe`; ERR_AUDIO_TOO_LONG beyond the limits of the page
 */
export async function showClip(id: number, clip: Audio, model: Model, sender: Sender): Promise<void> {
  if (clip.samples.length > MAX_CLIP_SAMPLES) throw tooLong(`it has ${clip.samples.length} samples`);
  await show(id, clip, model, sender);
}

/**
 * Shows one of the clips that the page offers.
 * @throws SonospikeError ERR_FILE_NOT_FOUND; as `readAudio` where the file has changed since it was listed
 */
export async function showSample(
  id: number,
  name: string,
  samples: Samples | null,
  model: Model,
  sender: Sender,
): Promise<void> {
  const clip = samples?.clips.get(name);
  if (clip === undefined) {
    throw new SonospikeError('ERR_FILE_NOT_FOUND', 'There is no sample of this name.');
  }
  const audio = await readClip(clip);
  await show(id, audio, model, sender);
}

/**
 * Encodes the features of a clip in other ways than the model's.
 * @param features [frames, features]
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_OUT_OF_MEMORY
 */
export function encoded(
  id: number,
  frames: unknown,
  encodings: unknown,
  features: Float32Array,
  model: Model,
): Uint8Array {
  const width = featureCount(model.settings);
  const length = integer(frames, 'frames', 1, model.settings.frames);
  if (features.length !== length * width || !features.every(Number.isFinite)) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      `The features must be ${length} x ${width} finite numbers.`,
    );
  }
  if (!Array.isArray(encodings) || encodings.length > 2) {
    throw new SonospikeError('ERR_INVALID_OPTION', 'One or two encodings can be compared.');
  }
  const settings = encodings.map((each, i) => validateEncoding(each, `encodings[${i}]`, length));
  const made = settings.map((encoding) => encode(features, length, width, encoding));
  const message: Encoded = {
    type: 'encoded',
    id,
    encodings: made.map(({ encoding, steps, channels }) => ({ encoding, steps, channels })),
  };
  const arrays = Object.fromEntries(made.map(({ values }, i) => [`input.${i}`, values]));
  return pack(message, arrays);
}

function encode(features: Float32Array, frames: number, width: number, encoding: EncodingSettings) {
  const channels = width * channelsOfFeature(encoding);
  const steps = frames * encoding.stepsPerFrame;
  if (steps * channels > MAX_ENCODED) {
    throw new SonospikeError(
      'ERR_OUT_OF_MEMORY',
      'That is too much to show. Choose fewer steps for each frame.',
    );
  }
  const values = guard(() => native().encode(features, frames, width, encoding, 0, 0, 0));
  return { encoding, steps, channels, values };
}

async function show(id: number, { samples, sampleRate }: Audio, model: Model, sender: Sender): Promise<void> {
  const seen = await model.observe({ samples, sampleRate });
  const about = { type: 'picture', of: 'clip', id, word: 0, sampleRate } as const;
  const layers = [...seen.layers.keys()];
  sender.send(pictureMessage<Picture>(about, seen, model.settings, layers, samples));
}

function tooLong(how: string): SonospikeError {
  return new SonospikeError(
    'ERR_AUDIO_TOO_LONG',
    `The sound is too long to be shown: ${how}, and the server of the page takes up to ` +
      `${MAX_FILE_BYTES / 1e6} MB or ${MAX_DECODED_SAMPLES} samples of a file, and ${MAX_CLIP_SAMPLES} samples of a clip.`,
  );
}
