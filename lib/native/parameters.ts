/** Named parameters, each a flat row-major array. */
export type NamedArrays = Record<string, Float32Array>;

export interface OptimizerSettings {
  type: 'adam' | 'adamw';
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Of weight matrices only. */
  weightDecay: number;
  /** Greatest norm of the whole gradient; 0: not clipped. */
  clipNorm: number;
}
