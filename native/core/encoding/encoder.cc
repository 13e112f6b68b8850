#include "core/encoding/encoder.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/kernels/kernels.h"
#include "core/support/philox.h"

namespace sonospike {
namespace {

constexpr int kMostBlocks = 1024;  // random numbers at a time: 16 KB

}  // namespace

void Encoder::encode(const float* values, int features, int first, int steps, const ClipKey& key, float* out,
                     size_t stride, EncoderScratch& scratch) const {
  switch (options_.kind) {
    case EncodingKind::kRate: {
      const int words = pad_lanes(features) / kLanePad;
      scratch.bits.reserve(static_cast<size_t>(steps) * words);
      rate(values, features, first, steps, key, scratch.bits.data(), words, scratch);
      const uint16_t* bits = scratch.bits.data();
      for (int t = 0; t < steps; ++t, bits += words, out += stride) {
        for (int i = 0; i < features; ++i) out[i] = bits[i / kLanePad] >> i % kLanePad & 1 ? 1.0f : 0.0f;
      }
      return;
    }
    case EncodingKind::kLatency:
      return latency(values, features, first, steps, out, stride);
    case EncodingKind::kDelta:
      return delta(values, features, first, steps, out, stride);
    case EncodingKind::kDirect:
      return direct(values, features, first, steps, out, stride);
  }
}

void Encoder::encode_spikes(const float* values, int features, int first, int steps, const ClipKey& key,
                            uint16_t* bits, size_t stride, EncoderScratch& scratch) const {
  assert(spikes());
  if (options_.kind == EncodingKind::kRate) {
    return rate(values, features, first, steps, key, bits, stride, scratch);
  }
  const int width = pad_lanes(channels(features));
  scratch.values.resize(static_cast<size_t>(steps) * width);
  encode(values, features, first, steps, key, scratch.values.data(), width, scratch);
  for (int t = 0; t < steps; ++t)
    kernels().spike_bits(scratch.values.data() + static_cast<size_t>(t) * width, width, bits + stride * t);
}

void Encoder::rate(const float* values, int features, int first, int steps, const ClipKey& key,
                   uint16_t* bits, size_t stride, EncoderScratch& scratch) const {
  // Every step takes whole blocks of four words, so that the draw of (step, feature) has a place of its own.
  const int blocks = (features + 3) / 4, repeats = options_.steps_per_frame, width = pad_lanes(features);
  const int at_once = std::max(1, kMostBlocks / blocks);
  scratch.random.reserve(static_cast<size_t>(4) * blocks * at_once + kLanePad);
  scratch.values.reserve(width);
  std::fill_n(scratch.values.data(), width, -1.0f);
  for (int t = 0; t < steps;) {
    const int drawn = std::min(at_once, steps - t);
    kernels().philox_fill(scratch.random.data(), blocks * drawn, static_cast<uint32_t>(first + t) * blocks,
                          static_cast<uint32_t>(RandomStream::kEncoding), key.clip, key.epoch, key.seed);
    for (const int end = t + drawn, start = t; t < end;) {
      const int frame = (first + t) / repeats;
      const int count = std::min((frame + 1) * repeats - first, end) - t;
      std::copy_n(values + static_cast<size_t>(frame) * features, features, scratch.values.data());
      kernels().rate_spikes(
          {count, width / kLanePad, scratch.random.data() + static_cast<size_t>(4) * blocks * (t - start),
           4 * blocks, scratch.values.data(), bits + stride * t, static_cast<ptrdiff_t>(stride)});
      t += count;
    }
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
    float* up = out + 2 * i;
    for (int frame = 0; frame * repeats < end; ++frame) {
      const float x = values[static_cast<size_t>(frame) * features + i];
      const int last = std::min((frame + 1) * repeats, end);
      for (int t = frame * repeats; t < last; ++t) {
        const bool rises = x - reference >= threshold, falls = reference - x >= threshold;
        reference += rises ? threshold : falls ? -threshold : 0.0f;
        if (t < first) continue;
        up[0] = rises ? 1.0f : 0.0f;
        up[1] = falls ? 1.0f : 0.0f;
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
