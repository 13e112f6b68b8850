#include "core/augmentation/speed.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "core/kernels/kernels.h"

namespace sonospike {
namespace {

constexpr double kZeroCrossings = 8, kRolloff = 0.95, kBucketsPerOctave = 16;

/// `t` in samples from the output's place, `bandwidth` as a part of the Nyquist frequency.
double windowed_sinc(double t, double bandwidth) {
  const double x = std::abs(t) * bandwidth;
  if (x >= kZeroCrossings) return 0.0;
  if (x == 0.0) return bandwidth;
  const double angle = std::numbers::pi * x, window = std::cos(angle / kZeroCrossings / 2);
  return bandwidth * std::sin(angle) / angle * window * window;
}

}  // namespace

SpeedChange::SpeedChange(const Range& range) {
  for (int b = bucket(units(range.min)), last = bucket(units(range.max)); b <= last; ++b) {
    filters_.emplace(b, make_filter(b));
  }
}

int SpeedChange::units(double speed) {
  return static_cast<int>(std::lround(speed * kUnit));
}

size_t SpeedChange::output_length(size_t n, int units) {
  return (n * kUnit + units - 1) / units;
}

int SpeedChange::bucket(int units) {
  const double octaves = std::log2(static_cast<double>(units) / kUnit);
  return std::max(0, static_cast<int>(std::ceil(octaves * kBucketsPerOctave - 1e-9)));
}

SpeedChange::Filter SpeedChange::make_filter(int bucket) {
  const double bandwidth = kRolloff * std::exp2(-bucket / kBucketsPerOctave);
  const int pad = kDotProductPad / 2;
  const int reach = (static_cast<int>(std::ceil(kZeroCrossings / bandwidth)) + pad - 1) / pad * pad;
  Filter filter{reach, std::vector<float>(static_cast<size_t>(kUnit) * 2 * reach)};
  float* weight = filter.weights.data();
  for (int phase = 0; phase < kUnit; ++phase) {
    // The taps are the samples from reach - 1 before the place to reach behind it.
    for (int tap = 1 - reach; tap <= reach; ++tap) {
      *weight++ = static_cast<float>(windowed_sinc(tap - static_cast<double>(phase) / kUnit, bandwidth));
    }
  }
  return filter;
}

void SpeedChange::process(const float* in, size_t n, int units, float* out,
                          std::vector<float>& padded) const {
  constexpr size_t kAtATime = 64;
  const Filter& filter = filters_.at(bucket(units));
  const size_t reach = filter.reach, taps = 2 * reach, count = output_length(n, units);
  padded.assign(n + taps, 0.0f);
  std::copy_n(in, n, padded.data() + reach - 1);
  const float *rows[kAtATime], *weights[kAtATime];
  for (size_t first = 0; first < count; first += kAtATime) {
    const size_t some = std::min(kAtATime, count - first);
    for (size_t i = 0; i < some; ++i) {
      const size_t place = (first + i) * units;
      rows[i] = padded.data() + place / kUnit;
      weights[i] = filter.weights.data() + place % kUnit * taps;
    }
    kernels().dot_products(
        {static_cast<int>(some), rows, weights, static_cast<ptrdiff_t>(taps), out + first});
  }
}

}  // namespace sonospike
