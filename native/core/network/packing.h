#pragma once

#include <algorithm>

#include "core/network/parameters.h"
#include "core/support/buffer.h"

namespace sonospike {

/// Between the files' layout of a weight matrix, [outputs, inputs], and the kernels': padded rows, transposed
/// for the forward pass so that outputs lie side by side.
struct MatrixPacking {
  int outputs, inputs;
  int output_stride, input_stride;

  void transposed(const float* matrix, float* out /* [inputs, output_stride] */) const {
    each_tile([&](int o, int i) { out[static_cast<size_t>(i) * output_stride + o] = matrix[at(o, i)]; });
  }
  void padded(const float* matrix, float* out /* [outputs, input_stride] */) const {
    for (int o = 0; o < outputs; ++o) {
      for (int i = 0; i < inputs; ++i) out[static_cast<size_t>(o) * input_stride + i] = matrix[at(o, i)];
    }
  }
  void put_transposed(const float* packed /* [inputs, output_stride] */, float* matrix) const {
    each_tile([&](int o, int i) { matrix[at(o, i)] = packed[static_cast<size_t>(i) * output_stride + o]; });
  }

 private:
  /// In tiles, so that neither side reads or writes a line of the cache more than once.
  template <typename Move>
  void each_tile(Move move) const {
    constexpr int kTile = 16;
    for (int o0 = 0; o0 < outputs; o0 += kTile) {
      for (int i0 = 0; i0 < inputs; i0 += kTile) {
        const int o_end = std::min(o0 + kTile, outputs), i_end = std::min(i0 + kTile, inputs);
        for (int o = o0; o < o_end; ++o) {
          for (int i = i0; i < i_end; ++i) move(o, i);
        }
      }
    }
  }
  size_t at(int o, int i) const { return static_cast<size_t>(o) * inputs + i; }
};

}  // namespace sonospike
