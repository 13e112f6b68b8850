import { extname } from 'node:path';
import { SonospikeError } from '../../support/errors.js';
import { aiff } from './aiff.js';
import { flac, oggFlac } from './flac.js';
import { foreignExtension, foreignFormat } from './foreign.js';
import { type AudioFormat, nameOf, SNIFF_BYTES, unsupported } from './format.js';
import { mp3 } from './mp3.js';
import { opus } from './opus.js';
import { vorbis } from './vorbis.js';
import { w64 } from './w64.js';
import { wav } from './wav.js';
import { webm } from './webm.js';

/** Every format that is read. */
export const FORMATS: readonly AudioFormat[] = [wav, flac, mp3, opus, vorbis, webm, w64, aiff, oggFlac];

/** For error texts and help: "WAV, FLAC or MP3". */
export const FORMAT_NAMES: string = new Intl.ListFormat('en', { type: 'disjunction' }).format(
  FORMATS.map(({ name }) => name),
);

const EXTENSIONS = new Set(FORMATS.flatMap(({ extensions }) => extensions));

/** Whether a file is sound of a format that is read, by the ending of its name. */
export function isSoundFile(name: string): boolean {
  return EXTENSIONS.has(extname(name).toLowerCase());
}

/** The name of a format that is not read, by the ending of a file's name; null if there is none. */
export function foreignSound(name: string): string | null {
  return foreignExtension(extname(name).toLowerCase());
}

/**
 * The format that these bytes have. Misnamed files are told by their contents; the name decides where the contents
 * tell nothing, so that the error is that of the format.
 * @param file the name, for errors too
 * @throws SonospikeError ERR_AUDIO_UNSUPPORTED (a format that is known, but not read), ERR_AUDIO_INVALID (none)
 */
export function formatOf(bytes: Uint8Array, file: string | undefined): AudioFormat {
  const head = bytes.subarray(0, SNIFF_BYTES);
  const found = FORMATS.find((format) => format.sniff(head) === true);
  if (found) return found;
  const foreign = foreignFormat(head);
  if (foreign !== null) throw unsupported(file, foreign);
  const extension = file === undefined ? '' : extname(file).toLowerCase();
  const named = FORMATS.find(({ extensions }) => extensions.includes(extension));
  if (named) return named;
  throw new SonospikeError(
    'ERR_AUDIO_INVALID',
    `${nameOf(file)} is no sound that is read: it does not begin as ${FORMAT_NAMES} does.`,
    { file },
  );
}

/**
 * The format of a stream from its first bytes; null: none, so that it is raw samples; `'more'`: that takes up to
 * `SNIFF_BYTES` of them.
 * @param whole no more bytes come
 * @throws SonospikeError ERR_AUDIO_UNSUPPORTED (a format that is known, but not read)
 */
export function streamFormat(head: Uint8Array, name: string, whole: true): AudioFormat | null;
export function streamFormat(head: Uint8Array, name: string, whole: boolean): AudioFormat | 'more' | null;
export function streamFormat(head: Uint8Array, name: string, whole: boolean): AudioFormat | 'more' | null {
  const answers = FORMATS.map((format) => format.sniff(head));
  const found = FORMATS[answers.indexOf(true)];
  if (found) return found;
  if (!whole && answers.includes('more')) return 'more';
  // An AAC frame begins with this byte, and is told from raw samples by the frame behind it.
  if (!whole && head[0] === 0xff && (head[1]! & 0xf6) === 0xf0) return 'more';
  const foreign = foreignFormat(head);
  if (foreign !== null) throw unsupported(name, foreign);
  return null;
}
