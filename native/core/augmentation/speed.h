#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "core/support/draws.h"

namespace sonospike {

/// Plays a clip faster or slower, as a tape: band-limited interpolation by a sinc under a Hann window that
/// reaches 8 zero crossings to each side, cut off at 0.95 of the lower of the Nyquist frequencies before and
/// after, or up to 1/16 octave below that. Samples outside of the clip are zero.
///
/// Speeds are multiples of 1/512, so that every place between two samples has its filter in a table.
class SpeedChange {
 public:
  static constexpr int kUnit = 512;

  /// Makes the tables for speeds in `range`, which lies in [0.5, 2].
  explicit SpeedChange(const Range& range);

  /// The speed in units of 1/512.
  static int units(double speed);
  /// ceil(n / speed)
  static size_t output_length(size_t n, int units);

  /// To out[output_length(n, units)], sample m from position m * speed. `padded` is memory to work in. May be
  /// called by several threads.
  void process(const float* in, size_t n, int units, float* out, std::vector<float>& padded) const;

 private:
  struct Filter {
    int reach;                   // taps to each side
    std::vector<float> weights;  // [kUnit, taps]
  };
  static int bucket(int units);
  static Filter make_filter(int bucket);

  std::map<int, Filter> filters_;  // by bucket: 1/16 octaves of speed above 1
};

}  // namespace sonospike
