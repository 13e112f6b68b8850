#pragma once

#include <cmath>
#include <cstdint>

#include "core/support/philox.h"

namespace sonospike {

/// Names the random numbers of one clip in one epoch.
struct ClipKey {
  uint64_t seed = 0;
  uint32_t clip = 0;
  uint32_t epoch = 0;
};

struct Range {
  double min, max;

  /// True where every number in the range is `value`.
  bool only(double value) const { return min == value && max == value; }
};

/// Numbers drawn one after the other for one purpose (`part`) of a stream: those of different parts do not
/// depend on how many the others have drawn.
class Draws {
 public:
  Draws(const ClipKey& key, RandomStream stream, uint32_t part)
      : key_(key), stream_(static_cast<uint32_t>(stream) | part << 8) {}

  uint32_t word() {
    const uint32_t place = next_++;
    if (place % 4 == 0) block_ = philox(key_.seed, place / 4, stream_, key_.clip, key_.epoch);
    return block_.word[place % 4];
  }
  /// In [0, 1).
  double uniform() { return word() * 0x1p-32; }
  double uniform(const Range& range) { return range.min + (range.max - range.min) * uniform(); }
  /// For a range above 0: ratios to both sides of 1 are equally likely.
  double log_uniform(const Range& range) { return range.min * std::pow(range.max / range.min, uniform()); }
  /// In [0, n).
  int below(int n) {
    return static_cast<int>(static_cast<uint64_t>(word()) * static_cast<uint64_t>(n) >> 32);
  }

  const ClipKey& key() const { return key_; }
  /// The second word of the Philox counter.
  uint32_t stream() const { return stream_; }

 private:
  ClipKey key_;
  uint32_t stream_, next_ = 0;
  PhiloxBlock block_{};
};

}  // namespace sonospike
