/** A named array as it is stored in a model file: row-major float32. */
export interface Tensor {
  shape: number[];
  data: Float32Array;
}

export type Tensors = Map<string, Tensor>;
