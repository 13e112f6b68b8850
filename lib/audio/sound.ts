/** Sound as it comes, from a microphone or a pipe. */
export interface Sound {
  /** Where it comes from, for people. */
  name: string;
  /** Hz. */
  sampleRate: number;
  /** Mono, in [-1, 1], in pieces of any length. Ends when the sound does, or when it is told to stop. */
  chunks: AsyncIterable<Float32Array>;
}
