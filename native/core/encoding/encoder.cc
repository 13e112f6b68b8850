#include "core/encoding/encoder.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/kernels.h"
#include "core/support/philox.h"

namespace sonospike {

void Encoder::encode(const float* values, int frames, int features, const EncodingKey& key, float* out,
                     size_t stride, Buffer<uint32_t>& scratch) const {
  switch (options_.kind) {
    case EncodingKind::kRate:
      return rate(values, frames, features, key, out, stride, scratch);
    case EncodingKind::kLatency:
      return latency(values, frames, features, out, stride);
    case EncodingKind::kDelta:
      return delta(values, frames, features, out, stride);
    case EncodingKind::kDirect:
      return direct(values, frames, features, out, stride);
  }
}

void Encoder::rate(const float* values, int frames, int features, const EncodingKey& key, float* out,
                   size_t stride, Buffer<uint32_t>& scratch) const {
  // Every step takes whole blocks of four words, so that the draw of (step, feature) has a place of its own.
  const int blocks = (features + 3) / 4, repeats = options_.steps_per_frame;
  scratch.reserve(static_cast<size_t>(4) * blocks * repeats);
  for (int frame = 0; frame < frames; ++frame, values += features) {
    kernels().philox_fill(scratch.data(), blocks * repeats, static_cast<uint32_t>(frame) * blocks * repeats,
                          static_cast<uint32_t>(RandomStream::kEncoding), key.clip, key.epoch, key.seed);
    for (int step = 0; step < repeats; ++step, out += stride) {
      const uint32_t* words = scratch.data() + static_cast<size_t>(4) * blocks * step;
      for (int i = 0; i < features; ++i) out[i] = philox_uniform(words[i]) < values[i] ? 1.0f : 0.0f;
    }
  }
}

void Encoder::latency(const float* values, int frames, int features, float* out, size_t stride) const {
  const int repeats = options_.steps_per_frame;
  for (int frame = 0; frame < frames; ++frame, values += features, out += stride * repeats) {
    for (int step = 0; step < repeats; ++step) std::fill_n(out + stride * step, features, 0.0f);
    for (int i = 0; i < features; ++i) {
      const float x = std::clamp(values[i], 0.0f, 1.0f);
      if (!(x > options_.threshold)) continue;  // nor does NaN spike
      const long step = std::lround((1.0f - x) * static_cast<float>(repeats - 1));
      out[stride * step + i] = 1.0f;
    }
  }
}

void Encoder::delta(const float* values, int frames, int features, float* out, size_t stride) const {
  const float threshold = options_.threshold;
  for (int i = 0; i < features; ++i) {
    float reference = 0.0f;
    float* up = out + i;
    for (int frame = 0; frame < frames; ++frame) {
      const float x = values[static_cast<size_t>(frame) * features + i];
      for (int step = 0; step < options_.steps_per_frame; ++step, up += stride) {
        const bool rises = x - reference >= threshold, falls = reference - x >= threshold;
        up[0] = rises ? 1.0f : 0.0f;
        up[features] = falls ? 1.0f : 0.0f;
        reference += rises ? threshold : falls ? -threshold : 0.0f;
      }
    }
  }
}

void Encoder::direct(const float* values, int frames, int features, float* out, size_t stride) const {
  for (int frame = 0; frame < frames; ++frame, values += features) {
    for (int step = 0; step < options_.steps_per_frame; ++step, out += stride)
      std::copy_n(values, features, out);
  }
}

}  // namespace sonospike
