import { text } from './format.js';

/** A format of sound that is known, but not read. */
interface ForeignFormat {
  name: string;
  extensions: readonly string[];
  sniff(head: Uint8Array): boolean;
}

/** What is no sound of a format that is read, and never raw samples: named, with the cure, instead of guessed at. */
const FOREIGN: readonly ForeignFormat[] = [
  foreign('MP4 or M4A (AAC)', '.m4a|.mp4|.m4b|.3gp|.mov', 'ftyp', 4),
  {
    name: 'AAC',
    extensions: ['.aac'],
    // ADTS: the second frame begins where the length in the first says.
    sniff: (head) => {
      const isFrame = (at: number) => head[at] === 0xff && (head[at + 1]! & 0xf6) === 0xf0;
      const length = ((head[3]! & 3) << 11) | (head[4]! << 3) | (head[5]! >> 5);
      return isFrame(0) && length > 7 && isFrame(length);
    },
  },
  foreign('AMR', '.amr|.awb', '#!AMR'),
  foreign('CAF', '.caf', 'caff'),
  foreign('AU', '.au|.snd', '.snd'),
  foreign('AU', '', 'dns.'),
  foreign('Windows Media (ASF)', '.wma|.asf', '\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
  foreign('NIST SPHERE', '.sph|.nist', 'NIST_1A'),
  foreign('WavPack', '.wv', 'wvpk'),
  foreign("Monkey's Audio", '.ape', 'MAC '),
  foreign('True Audio', '.tta', 'TTA1'),
  foreign('Musepack', '.mpc', 'MPCK'),
  foreign('Shorten', '.shn', 'ajkg'),
  foreign('Creative Voice', '.voc', 'Creative Voice File'),
  foreign('DSF', '.dsf', 'DSD '),
  foreign('Flash video', '.flv', 'FLV\x01'),
  foreign('8SVX', '.8svx', '8SVX', 8),
  foreign('IFF', '.iff', 'FORM'),
  foreign('Ogg of neither Opus, Vorbis nor FLAC', '.spx|.ogv', 'OggS'),
  foreign('MIDI', '.mid|.midi', 'MThd'),
];

/** The name of a format that is not read and as which bytes begin; null if there is none. */
export function foreignFormat(head: Uint8Array): string | null {
  return FOREIGN.find(({ sniff }) => sniff(head))?.name ?? null;
}

/** The name of a format that is not read and that has this ending of file names (with the dot, in lower case). */
export function foreignExtension(extension: string): string | null {
  return FOREIGN.find(({ extensions }) => extensions.includes(extension))?.name ?? null;
}

function foreign(name: string, extensions: string, magic: string, at = 0): ForeignFormat {
  return {
    name,
    extensions: extensions.split('|').filter((extension) => extension !== ''),
    sniff: (head) => text(head, at, at + magic.length) === magic,
  };
}
