// The mel scale of HTK, as torchaudio has it; the core's is in native/core/frontend/mel.h.

/** Hz to mel. */
export function hertzToMel(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}

/** Mel to Hz. */
export function melToHertz(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}
