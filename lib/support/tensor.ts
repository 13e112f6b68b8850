/** A named array as it is stored in a model file: row-major float32. */
export interface Tensor {
  /** Length of each dimension. */
  shape: number[];
  /** The values, the last dimension fastest. */
  data: Float32Array;
}

/** Arrays by their names, as in `layers.0.weight`. */
export type Tensors = Map<string, Tensor>;
