/** What to write into a WAV; everything not given is as in an ordinary 8 kHz mono 16-bit file. */
export interface WavSpec {
  container?: 'RIFF' | 'RIFX' | 'RF64';
  format?: number;
  channels?: number;
  sampleRate?: number;
  bits?: number;
  blockAlign?: number;
  /** Makes the header WAVE_FORMAT_EXTENSIBLE, with this sub-format. */
  subformat?: number;
  validBits?: number;
  guidTail?: number[];
  /** Sizes to claim instead of the real ones. */
  riffSize?: number;
  dataSize?: number;
  /** RF64: the size of the data in the ds64 chunk. */
  longDataSize?: number;
  /** Other chunks, [id, contents], in front of the data. */
  before?: [string, Uint8Array][];
  after?: [string, Uint8Array][];
}

const GUID_TAIL = [0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/** A WAV written from the specification, independent of what reads it. */
export function wav(data: Uint8Array, spec: WavSpec = {}): Uint8Array {
  const { container = 'RIFF', channels = 1, bits = 16 } = spec;
  const little = container !== 'RIFX';
  const number = (value: number, size: 2 | 4 | 8): number[] => {
    const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
    return little ? bytes : bytes.reverse();
  };
  const chunk = (id: string, contents: Uint8Array | number[], size = contents.length): number[] => [
    ...Buffer.from(id, 'latin1'),
    ...number(size, 4),
    ...contents,
    ...(contents.length % 2 ? [0] : []),
  ];
  const blockAlign = spec.blockAlign ?? (channels * Math.ceil(bits / 8)) % 65536;
  const sampleRate = spec.sampleRate ?? 8000;
  const format = [
    ...number(spec.subformat === undefined ? (spec.format ?? 1) : 0xfffe, 2),
    ...number(channels, 2),
    ...number(sampleRate, 4),
    ...number((sampleRate * blockAlign) % 2 ** 32, 4),
    ...number(blockAlign, 2),
    ...number(bits, 2),
  ];
  if (spec.subformat !== undefined) {
    format.push(...number(22, 2), ...number(spec.validBits ?? bits, 2), ...number(0, 4));
    format.push(...number(spec.subformat, 4), ...(spec.guidTail ?? GUID_TAIL));
  }
  const long = container === 'RF64';
  const head = [
    ...chunk('fmt ', format),
    ...(spec.before ?? []).flatMap(([id, contents]) => chunk(id, contents)),
    ...Buffer.from('data'),
    ...number(spec.dataSize ?? (long ? 0xffffffff : data.length), 4),
  ];
  const tail = [
    ...(data.length % 2 ? [0] : []),
    ...(spec.after ?? []).flatMap(([id, contents]) => chunk(id, contents)),
  ];
  const size = 4 + (long ? 36 : 0) + head.length + data.length + tail.length;
  const ds64 = long
    ? chunk('ds64', [
        ...number(spec.riffSize ?? size, 8),
        ...number(spec.longDataSize ?? data.length, 8),
        ...number(0, 8),
        ...number(0, 4),
      ])
    : [];
  const start = [...Buffer.from(container), ...number(long ? 0xffffffff : (spec.riffSize ?? size), 4)];
  return Buffer.concat([
    Buffer.from([...start, ...Buffer.from('WAVE'), ...ds64, ...head]),
    data,
    Buffer.from(tail),
  ]);
}

/** 16-bit samples as the bytes of a data chunk. */
export function pcm16(samples: ArrayLike<number>): Uint8Array {
  const bytes = Buffer.alloc(samples.length * 2);
  for (let i = 0; i < samples.length; i++) bytes.writeInt16LE(samples[i]!, i * 2);
  return bytes;
}

function bytesOf(
  values: number[],
  width: number,
  write: (b: Buffer, value: number, at: number) => void,
): Buffer {
  const buffer = Buffer.alloc(values.length * width);
  for (const [i, value] of values.entries()) write(buffer, value, i * width);
  return buffer;
}

/** [name, header, data, the samples that it holds] for each encoding, little-endian. */
export const encodings: [string, WavSpec, Buffer, number[]][] = [
  ['8-bit PCM', { bits: 8 }, Buffer.from([0, 64, 128, 192, 255]), [-1, -0.5, 0, 0.5, 127 / 128]],
  [
    '16-bit PCM',
    {},
    Buffer.from(pcm16([-32768, -1, 0, 1, 32767])),
    [-1, -1 / 32768, 0, 1 / 32768, 32767 / 32768],
  ],
  [
    '24-bit PCM',
    { bits: 24 },
    bytesOf([-8388608, -1, 0, 4194304, 8388607], 3, (b, v, at) => b.writeIntLE(v, at, 3)),
    [-1, -(2 ** -23), 0, 0.5, 8388607 / 8388608],
  ],
  [
    '32-bit PCM',
    { bits: 32 },
    bytesOf([-(2 ** 31), 0, 2 ** 30], 4, (b, v, at) => b.writeInt32LE(v, at)),
    [-1, 0, 0.5],
  ],
  [
    '32-bit float',
    { format: 3, bits: 32 },
    bytesOf([-1.5, 0, 0.25], 4, (b, v, at) => b.writeFloatLE(v, at)),
    [-1.5, 0, 0.25],
  ],
  [
    '64-bit float',
    { format: 3, bits: 64 },
    bytesOf([-1, 0.125], 8, (b, v, at) => b.writeDoubleLE(v, at)),
    [-1, 0.125],
  ],
  // G.711 tables 1a and 2a: the ends of the scale and the smallest steps.
  [
    'A-law',
    { format: 6, bits: 8 },
    Buffer.from([0x2a, 0xaa, 0x55, 0xd5]),
    [-32256, 32256, -8, 8].map((v) => v / 32768),
  ],
  [
    'mu-law',
    { format: 7, bits: 8 },
    Buffer.from([0x00, 0x80, 0x7f, 0xff, 0xfe]),
    [-32124, 32124, 0, 0, 8].map((v) => v / 32768),
  ],
  ['12-bit PCM in 16', { bits: 12 }, Buffer.from(pcm16([-32768, 2047 * 16])), [-1, 2047 / 2048]],
];
