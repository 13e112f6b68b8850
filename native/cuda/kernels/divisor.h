#pragma once

#include <cstdint>

#include "cuda/device/portable.h"

namespace sonospike::cuda {

/// Division by a number that stays the same: a multiplication and a shift, where a GPU takes some twenty
/// instructions to divide. (Granlund and Montgomery, "Division by invariant integers using multiplication",
/// PLDI 1994.)
class Divisor {
 public:
  Divisor() = default;
  /// `by`: at least 1.
  explicit Divisor(int by) {
    int bits = 0;
    while ((int64_t{1} << bits) < by) ++bits;
    shift_ = 31 + bits;
    factor_ = static_cast<uint32_t>(((uint64_t{1} << shift_) + by - 1) / by);
  }
  /// n / by, of 0 <= n < 2^31.
  SONOSPIKE_BOTH int of(int n) const {
    return static_cast<int>(static_cast<uint64_t>(static_cast<uint32_t>(n)) * factor_ >> shift_);
  }

 private:
  uint32_t factor_ = 0;
  int shift_ = 0;
};

}  // namespace sonospike::cuda
