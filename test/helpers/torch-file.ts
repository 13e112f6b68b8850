import { crc32 } from 'node:zlib';

/** A zip archive of stored entries, as `torch.save` writes it. */
export function storedZip(entries: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of Object.entries(entries)) {
    const encoded = Buffer.from(name);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(encoded.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(crc32(data), 16);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(data.length, 24);
    entry.writeUInt16LE(encoded.length, 28);
    entry.writeUInt32LE(offset, 42);
    local.push(header, encoded, Buffer.from(data));
    central.push(entry, encoded);
    offset += header.length + encoded.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(entries).length, 8);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...local, directory, end]));
}

/** A PyTorch file around the operations of a pickle. */
export function torchFile(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const data = Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes]);
  return storedZip({ 'archive/data.pkl': pickle, ...Object.fromEntries(data) });
}

/** Operations of a pickle, protocol 2; each gives bytes to be joined by `pickle`. */
export const op = {
  mark: [0x28],
  none: [0x4e],
  false: [0x89],
  emptyTuple: [0x29],
  emptyDict: [0x7d],
  reduce: [0x52],
  setItems: [0x75],
  tuple: [0x74],
  build: [0x62],
  persistentId: [0x51],
  int: (value: number) => [0x4a, ...bytesOf(4, (view) => view.setInt32(0, value, true))],
  float: (value: number) => [0x47, ...bytesOf(8, (view) => view.setFloat64(0, value))],
  text: (value: string) => {
    const utf8 = Buffer.from(value);
    return [0x58, ...bytesOf(4, (view) => view.setUint32(0, utf8.length, true)), ...utf8];
  },
  global: (module: string, name: string) => [0x63, ...Buffer.from(`${module}\n${name}\n`)],
  ints: (values: number[]) => [0x28, ...values.flatMap((value) => op.int(value)), 0x74],
  /** A dict of values that are operations themselves. */
  dict: (items: Readonly<Record<string, readonly number[]>>) => [
    0x7d,
    0x28,
    ...Object.entries(items).flatMap(([key, value]) => [...op.text(key), ...value]),
    0x75,
  ],
};

export function pickle(...operations: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([0x80, 2, ...operations.flat(), 0x2e]);
}

interface TensorOptions {
  type?: string;
  key?: string;
  elements: number;
  offset?: number;
  shape: number[];
  strides: number[];
}

/** `torch._utils._rebuild_tensor_v2` of a storage. */
export function tensorOps(options: TensorOptions): number[] {
  const { type = 'FloatStorage', key = '0', elements, offset = 0, shape, strides } = options;
  const id = [op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), op.int(elements)];
  const storage = [...op.mark, ...id.flat(), ...op.tuple, ...op.persistentId];
  const hooks = [...op.global('collections', 'OrderedDict'), ...op.emptyTuple, ...op.reduce];
  const args = [storage, op.int(offset), op.ints(shape), op.ints(strides), op.false, hooks];
  const rebuild = op.global('torch._utils', '_rebuild_tensor_v2');
  return [...rebuild, ...op.mark, ...args.flat(), ...op.tuple, ...op.reduce];
}

function bytesOf(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}
