#include "core/network/dense_connection.h"

#include <algorithm>

namespace sonospike {
namespace {

constexpr size_t kMostTableBytes = size_t{64} << 10;

/// Size of the table [groups of four inputs, 16, stride], or 0 where that is too much for the first-level
/// cache to be of use.
size_t table_size(int inputs, int stride) {
  const size_t size = static_cast<size_t>(inputs + 3) / 4 * 16 * stride;
  return size * sizeof(float) <= kMostTableBytes ? size : 0;
}

}  // namespace

DenseConnection::DenseConnection(const ConnectionSize& size, bool spiking_input)
    : size_(size),
      weight_t_(static_cast<size_t>(size.inputs) * size.stride),
      weight_(static_cast<size_t>(size.neurons) * size.input_stride),
      table_(spiking_input ? table_size(size.inputs, size.stride) : 0) {}

void DenseConnection::load(const float* weight) {
  packing().transposed(weight, weight_t_.data());
  packing().padded(weight, weight_.data());
  fill_table();
}

/// Calls visit(row, input) for every row of the table and the inputs whose weights its sum has, in ascending
/// order.
template <typename Visit>
void DenseConnection::each_in_table(Visit visit) const {
  for (size_t row = 0; row * size_.stride < table_.size(); ++row) {
    for (int bit = 0; bit < 4; ++bit) {
      const size_t input = row / 16 * 4 + bit;
      if ((row >> bit & 1) && input < static_cast<size_t>(size_.inputs)) visit(row, input);
    }
  }
}

void DenseConnection::fill_table() {
  table_.zero();
  each_in_table([this](size_t row, size_t input) {
    kernels().add(table_.data() + row * size_.stride, weight_t_.data() + input * size_.stride, size_.stride);
  });
}

/// Every input gets what the rows of the table whose sum has its weights have got.
void DenseConnection::unpack_gradient(float* packed, float* weight) const {
  const float* table = packed + weight_t_.size();
  each_in_table([&](size_t row, size_t input) {
    kernels().add(packed + input * size_.stride, table + row * size_.stride, size_.stride);
  });
  packing().put_transposed(packed, weight);
}

void DenseConnection::forward(const Activity& input, size_t row, const TimeChunk& chunk, const float* bias,
                              float* u, EventScratch& scratch) const {
  if (by_table(input)) {
    return kernels().lookup_product({chunk.rows(), input.words(), groups(), size_.stride, input.bits(row)},
                                    table_.data(), bias, u);
  }
  input.multiply(row, chunk.rows(), weight_t_.data(), size_.stride, bias, u, scratch);
}

void DenseConnection::weight_gradient(const Activity& input, const TimeChunk& chunk, const float* g,
                                      float* packed, EventScratch& scratch) const {
  if (by_table(input)) {
    return kernels().nibble_gradient(
        {chunk.rows(), input.words(), groups(), size_.stride, input.bits(chunk.row)}, g,
        packed + weight_t_.size());
  }
  input.multiply_transposed(chunk.row, chunk.rows(), g, size_.stride, packed, scratch);
}

void DenseConnection::input_gradient(const TimeChunk& chunk, const NearThreshold* below, const float* g,
                                     float* gx, EventScratch& scratch) const {
  const int rows = chunk.rows();
  if (below && below->few) {
    std::fill_n(gx, static_cast<size_t>(rows) * size_.input_stride, 0.0f);
    const uint32_t* start = below->start.data();
    multiply(SampledProductArgs{rows, size_.stride, start, start + 1, below->index.data(), g, size_.stride,
                                weight_t_.data(), size_.stride, gx, size_.input_stride},
             scratch.pool);
    return;
  }
  multiply(GemmArgs{rows, size_.input_stride, size_.neurons, g, size_.stride, 1, weight_.data(),
                    size_.input_stride, gx, size_.input_stride, nullptr, false},
           scratch.pool);
}

}  // namespace sonospike
