#include "core/frontend/resampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>

#include "core/frontend/lanes.h"

namespace sonospike {
namespace {

constexpr double kZeroCrossings = 6;
constexpr double kRolloff = 0.99;
constexpr int64_t kMaxTableWeights = 1 << 20;
// Two vectors a turn, so that one addition need not wait for the one before it.
constexpr int64_t kTapsPerTurn = 2 * kLaneCount;

Lanes load(const float* from) {
  Lanes value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

float sum_of_lanes(const Lanes& value) {
  float sum = 0;
  for (int lane = 0; lane < kLaneCount; ++lane) sum += get_lane(value, lane);
  return sum;
}

}  // namespace

Resampler::Resampler(int from_hz, int to_hz) {
  assert(from_hz > 0 && to_hz > 0);
  const int divisor = std::gcd(from_hz, to_hz);
  from_ = from_hz / divisor;
  to_ = to_hz / divisor;
  bandwidth_ = kRolloff * static_cast<double>(std::min(from_, to_)) / static_cast<double>(from_);

  // Room for every phase: positions from 0 up to, but without, 1.
  const auto reach = static_cast<int64_t>(std::ceil(kZeroCrossings / bandwidth_));
  first_tap_ = 1 - reach;
  taps_ = 2 * reach;
  row_length_ = (taps_ + kTapsPerTurn - 1) / kTapsPerTurn * kTapsPerTurn;

  if (from_ == to_ || row_length_ > kMaxTableWeights / to_) return;
  weights_.assign(static_cast<size_t>(to_ * row_length_), 0.0f);
  for (int64_t phase = 0; phase < to_; ++phase) {
    float* row = &weights_[static_cast<size_t>(phase * row_length_)];
    for (int64_t tap = 0; tap < taps_; ++tap) row[tap] = static_cast<float>(weight(phase, tap));
  }
}

size_t Resampler::output_length(size_t n) const {
  const auto from = static_cast<size_t>(from_);
  return (n * static_cast<size_t>(to_) + from - 1) / from;
}

/// The filter at the distance between input sample `tap` of the filter and the output's position.
double Resampler::weight(int64_t phase, int64_t tap) const {
  const double position = static_cast<double>(phase) / static_cast<double>(to_);
  const double t = (static_cast<double>(first_tap_ + tap) - position) * bandwidth_;
  if (std::abs(t) >= kZeroCrossings) return 0;
  if (t == 0) return bandwidth_;
  const double angle = std::numbers::pi * t;
  const double window = std::cos(angle / kZeroCrossings / 2);
  return bandwidth_ * std::sin(angle) / angle * window * window;
}

/// One output sample from in[row_length_].
float Resampler::inner_sum(const float* in, int64_t phase) const {
  const float* row = &weights_[static_cast<size_t>(phase * row_length_)];
  Lanes even{}, odd{};
  for (int64_t tap = 0; tap < row_length_; tap += kTapsPerTurn) {
    even += load(in + tap) * load(row + tap);
    odd += load(in + tap + kLaneCount) * load(row + tap + kLaneCount);
  }
  return sum_of_lanes(even + odd);
}

/// One output sample whose first tap is at in[start], from those taps that lie within in[n].
float Resampler::bounded_sum(const float* in, int64_t n, int64_t start, int64_t phase) const {
  const int64_t begin = std::max<int64_t>(0, -start);
  const int64_t end = std::min(taps_, n - start);
  double sum = 0;
  if (weights_.empty()) {
    for (int64_t tap = begin; tap < end; ++tap) sum += weight(phase, tap) * in[start + tap];
  } else {
    const float* row = &weights_[static_cast<size_t>(phase * row_length_)];
    for (int64_t tap = begin; tap < end; ++tap) sum += static_cast<double>(row[tap]) * in[start + tap];
  }
  return static_cast<float>(sum);
}

void Resampler::process(const float* in, size_t n, float* out) const {
  if (from_ == to_) {
    std::copy_n(in, n, out);
    return;
  }
  const auto samples = static_cast<int64_t>(n);
  const size_t count = output_length(n);
  const int64_t whole_step = from_ / to_;
  const int64_t phase_step = from_ % to_;
  // The position of the output sample is start - first_tap_ + phase / to_.
  int64_t start = first_tap_;
  int64_t phase = 0;
  for (size_t i = 0; i < count; ++i) {
    const bool inside = start >= 0 && start + row_length_ <= samples;
    out[i] =
        inside && !weights_.empty() ? inner_sum(in + start, phase) : bounded_sum(in, samples, start, phase);
    start += whole_step;
    phase += phase_step;
    if (phase >= to_) {
      phase -= to_;
      ++start;
    }
  }
}

}  // namespace sonospike
