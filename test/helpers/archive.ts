import { gzipSync } from 'node:zlib';

export interface TarEntry {
  path: string;
  contents?: Uint8Array;
  /** 0 file, 1 hard link, 2 symbolic link, 5 directory. */
  type?: 0 | 1 | 2 | 5;
  linkTo?: string;
}

/** A .tar.gz of whatever entries, also ones that no tar program writes. */
export function tarGz(entries: TarEntry[], end = Buffer.alloc(1024)): Buffer {
  const blocks = entries.flatMap(({ path, contents = Buffer.alloc(0), type = 0, linkTo = '' }) => {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write('0000644\x000000000\x000000000\0', 100);
    header.write(`${contents.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0        ', 136);
    header.write(String(type), 156);
    header.write(linkTo, 157);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, contents, Buffer.alloc((512 - (contents.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, end]));
}
