/**
 * The 256 values of each G.711 code (ITU-T Recommendation G.711, 1988), on a scale where the largest 16-bit
 * sample is 1: a code is a sign, a 3-bit segment and a 4-bit step within the segment.
 */

/** A-law: 13-bit samples, every second bit of the code inverted. */
export const A_LAW: Float32Array = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (bits & 0x80 ? magnitude : -magnitude) / 32768;
});

/** mu-law: 14-bit samples with a bias of 33 (132 on the 16-bit scale), all bits of the code inverted. */
export const MU_LAW: Float32Array = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code;
  const magnitude = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return magnitude === 0 ? 0 : (bits & 0x80 ? -magnitude : magnitude) / 32768;
});
