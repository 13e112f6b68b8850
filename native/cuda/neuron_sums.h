#pragma once

#include <vector>

#include "cuda/kernels/parameters.h"

namespace sonospike::cuda {

/// Gradients that every clip has of its own, which are summed over the clips for all layers at once.
class NeuronSums {
 public:
  explicit NeuronSums(Device& device) : device_(device), room_(device) {}

  /// Makes room for `size` values in all. What there was is forgotten.
  void begin(size_t size) {
    room_.reserve(size);
    used_ = 0;
    sums_.clear();
  }
  /// The next `size` of them.
  float* take(size_t size) {
    float* const taken = room_.data() + used_;
    used_ += size;
    return taken;
  }
  /// To be done at the end, when `in` has been written.
  void add(const RowSum& sum) { sums_.push_back(sum); }
  /// `add`: to what is there.
  void end(bool add) const { sum_rows(device_, sums_, add); }
  void free() { room_.free(); }

 private:
  Device& device_;
  DeviceArray<float> room_;
  size_t used_ = 0;
  std::vector<RowSum> sums_;
};

}  // namespace sonospike::cuda
