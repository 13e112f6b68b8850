import { readAudio } from '../audio/source.js';
import { readClip } from '../datasets/clip-loader.js';
import type { Model } from '../model/model.js';
import type { Word } from '../model/word-stream.js';
import { guard } from '../native/errors.js';
import { native } from '../native/load.js';
import type { EncodingSettings } from '../settings/settings.js';
import { channelsOfFeature, featureCount } from '../settings/shapes.js';
import { validateEncoding } from '../settings/validate.js';
import { SonospikeError } from '../support/errors.js';
import { integer } from '../support/options.js';
import { MAX_ENCODED, MAX_WAV_BYTES, MAX_WAV_SAMPLES, MAX_WAV_SECONDS, MAX_WORDS } from './limits.js';
import type { Sender } from './listening.js';
import { pack } from './message.js';
import { heardSeconds, pictureMessage } from './picture.js';
import type { Encoded, Picture } from './protocol.js';
import type { Samples } from './samples.js';

interface Clip {
  samples: Float32Array;
  sampleRate: number;
  /** Seconds in the recording. */
  start: number;
}

/**
 * Shows a WAV that a client has sent: one picture of a single word, one of each word of a longer recording.
 * @throws SonospikeError as `predict`; ERR_AUDIO_TOO_LONG beyond the limits of the page
 */
export async function showWav(id: number, bytes: Uint8Array, model: Model, sender: Sender): Promise<void> {
  if (bytes.length > MAX_WAV_BYTES) throw tooLong(`it has ${(bytes.length / 1e6).toFixed(1)} MB`);
  const { samples, sampleRate } = await readAudio(bytes);
  const seconds = samples.length / sampleRate;
  if (seconds > MAX_WAV_SECONDS) throw tooLong(`it is ${seconds.toFixed(1)} s long`);
  if (samples.length > MAX_WAV_SAMPLES) throw tooLong(`it has ${sampleRate} samples a second`);
  const clips = await cut({ samples, sampleRate, start: 0 }, model);
  if (clips.length === 0) sender.send({ type: 'nothing', id });
  for (const [word, clip] of clips.entries())
    await show({ id, word, words: clips.length }, clip, model, sender);
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
  await show({ id, word: 0, words: 1 }, { ...audio, start: 0 }, model, sender);
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

/** A recording that is longer than what the network hears at once is cut into its words. */
async function cut(clip: Clip, model: Model): Promise<Clip[]> {
  const { samples, sampleRate } = clip;
  if (samples.length / sampleRate <= heardSeconds(model.settings)) return [clip];
  const stream = model.stream({ sampleRate, keepSamples: true });
  const words: Word[] = [];
  const keep = (word: Word) => words.length < MAX_WORDS && words.push(word);
  stream.on('word', keep).on('rejected', keep);
  await new Promise<void>((done, fail) => {
    stream.on('finish', done).on('error', fail);
    stream.end(samples);
  });
  return words.map(({ samples, start }) => ({ samples: samples!, sampleRate, start }));
}

async function show(
  which: Pick<Picture, 'id' | 'word' | 'words'>,
  { samples, sampleRate, start }: Clip,
  model: Model,
  sender: Sender,
): Promise<void> {
  const seen = await model.observe({ samples, sampleRate });
  const end = start + samples.length / sampleRate;
  const about = { type: 'picture', of: 'clip', ...which, sampleRate, start, end } as const;
  const layers = [...seen.layers.keys()];
  sender.send(pictureMessage<Picture>(about, seen, model.settings, layers, samples));
}

function tooLong(how: string): SonospikeError {
  return new SonospikeError(
    'ERR_AUDIO_TOO_LONG',
    `The recording cannot be shown: ${how}, and the page takes up to ${MAX_WAV_BYTES / 1e6} MB, ` +
      `${MAX_WAV_SECONDS} s and 96 kHz. Cut it, or use run-digit.`,
  );
}
