#pragma once

#include "core/support/buffer.h"

namespace sonospike {

/// The spikes of a group of clips as lists, for products that cost nothing where nothing spiked. A row is a
/// time step of a clip. Products give the same bits as the dense ones.
class SpikeTrain {
 public:
  /// Forgets what was there. Rows to come have `stride` floats, of which the first `width` are in use.
  void clear(int width, int stride);
  /// Takes in rows, whose floats from `width` on must be zero. Values other than 0 and 1 make the train
  /// unusable.
  void append(const float* s, int rows);

  int rows() const { return rows_; }
  /// Whether all values were 0 or 1.
  bool binary() const { return binary_; }
  /// Whether an event-driven product of the rows so far is faster than the dense one.
  bool sparse() const;

  /// out[rows, n] = bias + S B for `rows` rows from `first` on, or out += S B where there is no bias. B
  /// [width, n].
  void multiply(int first, int rows, const float* b, int n, const float* bias, float* out) const;
  /// out[width, n] += S^T D over the first `rows` rows. D [rows, n].
  void multiply_transposed(int rows, const float* d, int n, float* out);

 private:
  void transpose();

  int rows_ = 0, width_ = 0, stride_ = 0;
  bool binary_ = true, transposed_ = false;
  Buffer<uint16_t> bits_;
  Buffer<uint32_t> start_, index_;                           // inputs that spiked, row by row
  Buffer<uint32_t> start_by_input_, end_by_input_, row_of_;  // rows in which an input spiked, input by input
};

/// What a layer reads: values, and the same as events where that is faster.
struct LayerInput {
  const float* x;      ///< [steps, clips, stride]
  SpikeTrain* events;  ///< or null
};

}  // namespace sonospike
