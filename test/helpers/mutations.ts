import fc from 'fast-check';

/** Damaged forms of a file: bytes changed, cut off, cut out, or overwritten by another part of it. */
export function mutations(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const position = fc.nat(bytes.length - 1);
  const flips = fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 6 }).map((changes) => {
    const copy = bytes.slice();
    for (const [at, value] of changes) copy[at] = value;
    return copy;
  });
  const truncations = position.map((length) => bytes.slice(0, length));
  const removals = fc
    .tuple(position, fc.integer({ min: 1, max: 64 }))
    .map(([at, length]) => new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + length)]));
  const splices = fc.tuple(position, position, fc.integer({ min: 1, max: 64 })).map(([from, to, length]) => {
    const copy = bytes.slice();
    copy.copyWithin(to, from, from + length);
    return copy;
  });
  return fc.oneof(flips, truncations, removals, splices);
}
