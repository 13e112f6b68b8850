#include "core/frontend/window.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace sonospike {

size_t reflected_index(ptrdiff_t index, size_t n) {
  assert(n > 0);
  if (n == 1) return 0;
  const auto period = static_cast<ptrdiff_t>(2 * (n - 1));
  ptrdiff_t within = index % period;
  if (within < 0) within += period;
  return static_cast<size_t>(std::min(within, period - within));
}

FrameWindow::FrameWindow(const FrontEndOptions& options)
    : hop_length_(options.hop_length),
      fft_length_(options.fft_length),
      window_begin_((options.fft_length - options.window_length) / 2) {
  assert(options.hop_length > 0 && options.window_length > 0 && options.window_length <= options.fft_length);
  for (int k = 0; k < options.window_length; ++k) {
    const double angle = 2 * std::numbers::pi * k / options.window_length;
    window_.push_back(static_cast<float>(0.5 - 0.5 * std::cos(angle)));
  }
}

size_t FrameWindow::frame_count(size_t samples) const {
  if (samples == 0) return 0;
  const size_t odd = fft_length_ % 2;
  return 1 + (samples - odd) / static_cast<size_t>(hop_length_);
}

void FrameWindow::extract(const float* samples, size_t n, size_t first, Lanes* out) const {
  const size_t last = frame_count(n) - 1;
  const auto window_end = window_begin_ + static_cast<int>(window_.size());
  std::fill(out, out + window_begin_, Lanes{});
  std::fill(out + window_end, out + fft_length_, Lanes{});
  for (int lane = 0; lane < kLaneCount; ++lane)
    extract_lane(samples, n, std::min(first + lane, last), lane, out);
}

void FrameWindow::extract_lane(const float* samples, size_t n, size_t frame, int lane, Lanes* out) const {
  const auto length = static_cast<ptrdiff_t>(window_.size());
  const auto start = static_cast<ptrdiff_t>(frame) * hop_length_ - fft_length_ / 2 + window_begin_;
  const bool inside = start >= 0 && start + length <= static_cast<ptrdiff_t>(n);
  out += window_begin_;
  if (inside) {
    const float* from = samples + start;
    for (ptrdiff_t k = 0; k < length; ++k) set_lane(out[k], lane, from[k] * window_[k]);
  } else {
    for (ptrdiff_t k = 0; k < length; ++k) {
      set_lane(out[k], lane, samples[reflected_index(start + k, n)] * window_[k]);
    }
  }
}

}  // namespace sonospike
