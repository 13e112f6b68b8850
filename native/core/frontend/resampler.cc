#include "core/frontend/resampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/kernels/kernels.h"

namespace sonospike {
namespace {

constexpr double kZeroCrossings = 6;
constexpr double kRolloff = 0.99;
constexpr int64_t kMaxTableWeights = 1 << 20;
// Rates divided by their greatest common divisor up to which whole periods lie on the lanes.
constexpr int64_t kMaxPeriod = 1024;
// Values of a lane at a time, unless the period is long: the stretches then stay in the second-level cache.
constexpr int64_t kStretch = 1024;
constexpr int64_t kMinPeriods = 8;

/// in[start] ... in[start + length - 1], zero outside of in[n]: where they are, or copied to `copy`.
const float* padded_row(const float* in, int64_t n, int64_t start, int64_t length, float* copy) {
  if (start >= 0 && start + length <= n) return in + start;
  const int64_t begin = std::clamp<int64_t>(-start, 0, length);
  const int64_t end = std::clamp<int64_t>(n - start, begin, length);
  std::fill(copy, copy + begin, 0.0f);
  if (begin < end) std::copy(in + start + begin, in + start + end, copy + begin);
  std::fill(copy + end, copy + length, 0.0f);
  return copy;
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
  row_length_ = (taps_ + kDotProductPad - 1) / kDotProductPad * kDotProductPad;

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
  ResamplerWorkspace workspace;
  process(in, n, out, workspace);
}

void Resampler::process(const float* in, size_t n, float* out, ResamplerWorkspace& workspace) const {
  if (from_ == to_) {
    std::copy_n(in, n, out);
  } else if (n > 0 && std::max(from_, to_) <= kMaxPeriod) {
    process_periods(in, n, out, workspace);
  } else {
    process_outputs(in, n, out);
  }
}

/// `from_` input samples and `to_` output samples are a period. Each lane takes a stretch of the clip, some
/// periods long.
void Resampler::process_periods(const float* in, size_t n, float* out, ResamplerWorkspace& workspace) const {
  const Kernels& k = kernels();
  const int64_t lanes = k.lanes_for(kLanePad);
  const auto count = static_cast<int64_t>(output_length(n));
  const int64_t periods = (count + to_ - 1) / to_;
  const int64_t most = lanes * std::max(kMinPeriods, kStretch / std::max(from_, to_));
  const int64_t turns = (periods + most - 1) / most;
  const int64_t stretch = (periods + turns * lanes - 1) / (turns * lanes);
  const int64_t in_length = (stretch - 1) * from_ + (to_ - 1) * from_ / to_ + taps_;
  const int64_t out_length = stretch * to_;
  workspace.edges.reserve(static_cast<size_t>(lanes * in_length));
  workspace.in.reserve(static_cast<size_t>(lanes * in_length));
  workspace.out.reserve(static_cast<size_t>(lanes * out_length));

  for (int64_t done = 0; done < count; done += lanes * out_length) {
    const float* rows[kLanePad];
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const int64_t start = (done / to_ + lane * stretch) * from_ + first_tap_;
      rows[lane] = padded_row(in, static_cast<int64_t>(n), start, in_length,
                              workspace.edges.data() + lane * in_length);
    }
    k.to_lanes({static_cast<int>(lanes), rows, static_cast<int>(in_length), nullptr, workspace.in.data()});
    k.resample({static_cast<int>(stretch), static_cast<int>(from_), static_cast<int>(to_),
                static_cast<int>(taps_), weights_.data(), row_length_, workspace.in.data(),
                workspace.out.data()});
    const int64_t whole = std::min(lanes, (count - done) / out_length);
    k.from_lanes({static_cast<int>(lanes), static_cast<int>(whole), static_cast<int>(out_length),
                  workspace.out.data(), lanes, out + done, out_length});
    if (whole == lanes) continue;
    const int64_t last = done + whole * out_length;
    for (int64_t i = last; i < count; ++i) out[i] = workspace.out[(i - last) * lanes + whole];
  }
}

/// One output sample after the other.
void Resampler::process_outputs(const float* in, size_t n, float* out) const {
  constexpr int kAtATime = 64;
  const float *rows[kAtATime], *weights[kAtATime];
  const Kernels& k = kernels();
  const auto samples = static_cast<int64_t>(n);
  const size_t count = output_length(n);
  const int64_t whole_step = from_ / to_;
  const int64_t phase_step = from_ % to_;
  // The position of the output sample is start - first_tap_ + phase / to_.
  int64_t start = first_tap_;
  int64_t phase = 0;
  int waiting = 0;
  for (size_t i = 0; i < count; ++i) {
    const bool inside = start >= 0 && start + row_length_ <= samples && !weights_.empty();
    if (inside) {
      rows[waiting] = in + start;
      weights[waiting++] = &weights_[static_cast<size_t>(phase * row_length_)];
    } else {
      out[i] = bounded_sum(in, samples, start, phase);
    }
    start += whole_step;
    phase += phase_step;
    if (phase >= to_) {
      phase -= to_;
      ++start;
    }
    // Outputs inside of the clip are neighbours.
    if (waiting == kAtATime || (waiting > 0 && (!inside || i + 1 == count))) {
      k.dot_products({waiting, rows, weights, row_length_, out + i + inside - waiting});
      waiting = 0;
    }
  }
}

}  // namespace sonospike
