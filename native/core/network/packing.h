#pragma once

#include "core/network/parameters.h"
#include "core/support/buffer.h"

namespace sonospike {

/// Between the files' layout of a weight matrix, [outputs, inputs], and the kernels': padded rows, transposed
/// for the forward pass so that outputs lie side by side.
struct MatrixPacking {
  int outputs, inputs;
  int output_stride, input_stride;

  void transposed(const float* matrix, float* out /* [inputs, output_stride] */) const {
    for (int o = 0; o < outputs; ++o) {
      for (int i = 0; i < inputs; ++i) out[static_cast<size_t>(i) * output_stride + o] = matrix[at(o, i)];
    }
  }
  void padded(const float* matrix, float* out /* [outputs, input_stride] */) const {
    for (int o = 0; o < outputs; ++o) {
      for (int i = 0; i < inputs; ++i) out[static_cast<size_t>(o) * input_stride + i] = matrix[at(o, i)];
    }
  }
  void add_transposed(const float* packed /* [inputs, output_stride] */, float* matrix) const {
    for (int o = 0; o < outputs; ++o) {
      for (int i = 0; i < inputs; ++i) matrix[at(o, i)] += packed[static_cast<size_t>(i) * output_stride + o];
    }
  }

 private:
  size_t at(int o, int i) const { return static_cast<size_t>(o) * inputs + i; }
};

}  // namespace sonospike
