#include "core/encoding/encoder.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/kernels.h"
#include "core/support/philox.h"

namespace sonospike {
namespace {

constexpr int kMostBlocks = 1024;  // random numbers at a time: 16 KB

}  // namespace

void Encoder::encode(const float* values, int features, int first, int steps, const EncodingKey& key,
                     float* out, size_t stride, Buffer<uint32_t>& scratch) const {
  switch (options_.kind) {
    case EncodingKind::kRate:
      return rate(values, features, first, steps, key, out, stride, scratch);
    case EncodingKind::kLatency:
      return latency(values, features, first, steps, out, stride);
    case EncodingKind::kDelta:
      return delta(values, features, first, steps, out, stride);
    case EncodingKind::kDirect:
      return direct(values, features, first, steps, out, stride);
  }
}

void Encoder::rate(const float* values, int features, int first, int steps, const EncodingKey& key,
                   float* out, size_t stride, Buffer<uint32_t>& scratch) const {
  // Every step takes whole blocks of four words, so that the draw of (step, feature) has a place of its own.
  const int blocks = (features + 3) / 4;
  const int at_once = std::max(1, kMostBlocks / blocks);
  scratch.reserve(static_cast<size_t>(4) * blocks * at_once);
  for (int t = 0; t < steps; ++t, out += stride) {
    const int step = first + t;
    if (t % at_once == 0) {
      kernels().philox_fill(scratch.data(), blocks * std::min(at_once, steps - t),
                            static_cast<uint32_t>(step) * blocks,
                            static_cast<uint32_t>(RandomStream::kEncoding), key.clip, key.epoch, key.seed);
    }
    const uint32_t* words = scratch.data() + static_cast<size_t>(4) * blocks * (t % at_once);
    const float* x = values + static_cast<size_t>(step / options_.steps_per_frame) * features;
    for (int i = 0; i < features; ++i) out[i] = philox_uniform(words[i]) < x[i] ? 1.0f : 0.0f;
  }
}

void Encoder::latency(const float* values, int features, int first, int steps, float* out,
                      size_t stride) const {
  const int repeats = options_.steps_per_frame, end = first + steps;
  for (int t = 0; t < steps; ++t) std::fill_n(out + stride * t, features, 0.0f);
  for (int frame = first / repeats; frame * repeats < end; ++frame) {
    const float* frame_values = values + static_cast<size_t>(frame) * features;
    for (int i = 0; i < features; ++i) {
      const float x = std::clamp(frame_values[i], 0.0f, 1.0f);
      if (!(x > options_.threshold)) continue;  // nor does NaN spike
      const int step =
          frame * repeats + static_cast<int>(std::lround((1.0f - x) * static_cast<float>(repeats - 1)));
      if (step >= first && step < end) out[stride * (step - first) + i] = 1.0f;
    }
  }
}

/// What comes before the first step is gone through without a trace: the references depend on it.
void Encoder::delta(const float* values, int features, int first, int steps, float* out,
                    size_t stride) const {
  const int repeats = options_.steps_per_frame, end = first + steps;
  const float threshold = options_.threshold;
  for (int i = 0; i < features; ++i) {
    float reference = 0.0f;
    float* up = out + i;
    for (int frame = 0; frame * repeats < end; ++frame) {
      const float x = values[static_cast<size_t>(frame) * features + i];
      const int last = std::min((frame + 1) * repeats, end);
      for (int t = frame * repeats; t < last; ++t) {
        const bool rises = x - reference >= threshold, falls = reference - x >= threshold;
        reference += rises ? threshold : falls ? -threshold : 0.0f;
        if (t < first) continue;
        up[0] = rises ? 1.0f : 0.0f;
        up[features] = falls ? 1.0f : 0.0f;
        up += stride;
      }
    }
  }
}

void Encoder::direct(const float* values, int features, int first, int steps, float* out,
                     size_t stride) const {
  for (int t = first; t < first + steps; ++t, out += stride) {
    std::copy_n(values + static_cast<size_t>(t / options_.steps_per_frame) * features, features, out);
  }
}

}  // namespace sonospike
