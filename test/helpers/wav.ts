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
