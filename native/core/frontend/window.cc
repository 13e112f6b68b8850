#include "core/frontend/window.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "core/support/buffer.h"

namespace sonospike {

void copy_reflected(const float* samples, size_t n, ptrdiff_t begin, size_t count, float* out) {
  assert(n > 0);
  if (n == 1) {
    std::fill_n(out, count, samples[0]);
    return;
  }
  // There and back again.
  const auto period = static_cast<ptrdiff_t>(2 * (n - 1));
  ptrdiff_t within = begin % period;
  if (within < 0) within += period;
  for (size_t i = 0; i < count; ++i) {
    out[i] = samples[std::min(within, period - within)];
    if (++within == period) within = 0;
  }
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

size_t FrameWindow::workspace_length() const {
  return window_.size() * kLanePad;
}

void FrameWindow::extract(const Kernels& kernels, const float* samples, size_t n, size_t first, int lanes,
                          float* out, float* workspace) const {
  const size_t length = window_.size(), last = frame_count(n) - 1;
  const float* rows[kLanePad];
  for (int lane = 0; lane < lanes; ++lane) {
    const size_t frame = first + lane;
    if (lane > 0 && frame > last) {
      rows[lane] = rows[lane - 1];
      continue;
    }
    const auto start = static_cast<ptrdiff_t>(frame) * hop_length_ - fft_length_ / 2 + window_begin_;
    const bool inside = start >= 0 && start + static_cast<ptrdiff_t>(length) <= static_cast<ptrdiff_t>(n);
    if (!inside) copy_reflected(samples, n, start, length, workspace + lane * length);
    rows[lane] = inside ? samples + start : workspace + lane * length;
  }
  const size_t begin = static_cast<size_t>(window_begin_) * lanes, end = begin + length * lanes;
  std::fill(out, out + begin, 0.0f);
  std::fill(out + end, out + static_cast<size_t>(fft_length_) * lanes, 0.0f);
  kernels.to_lanes({lanes, rows, static_cast<int>(length), window_.data(), out + begin});
}

}  // namespace sonospike
