#pragma once

#include <cstdint>

#include "core/support/buffer.h"
#include "core/support/draws.h"

namespace sonospike {

enum class EncodingKind { kRate, kLatency, kDelta, kDirect };

struct EncodingOptions {
  EncodingKind kind = EncodingKind::kRate;
  int steps_per_frame = 10;  ///< time steps for each frame
  float threshold =
      0.0f;  ///< delta: the change that sends a spike; latency: values at or below it never spike

  bool operator==(const EncodingOptions&) const = default;
};

/// Belongs to one thread; keeps its memory from call to call.
struct EncoderScratch {
  Buffer<uint32_t> random;
  Buffer<float> values;
  Buffer<uint16_t> bits;

  size_t bytes() const { return bytes_of(random, values, bits); }
};

/// Turns the scaled values of a clip, [frames, features], into the input of every time step, [steps,
/// channels].
///
/// - rate: in each step a spike with probability clamp(x, 0, 1); draws from Philox, keyed by clip and
/// position
/// - latency: at most one spike a frame, in step round((1 - clamp(x, 0, 1)) (steps_per_frame - 1))
/// - delta: send-on-delta. Each feature has a reference, 0 before the first frame. In each step an `up` spike
/// raises it by the threshold while x is at least that far above, a `down` spike lowers it. Channels 2f and
/// 2f + 1 are the up and the down of feature f
/// - direct: x itself, as input current
class Encoder {
 public:
  explicit Encoder(const EncodingOptions& options) : options_(options) {}

  const EncodingOptions& options() const { return options_; }
  int steps(int frames) const { return frames * options_.steps_per_frame; }
  int channels(int features) const { return channels_of_feature() * features; }
  int channels_of_feature() const { return options_.kind == EncodingKind::kDelta ? 2 : 1; }

  /// Writes `steps` steps from `first` on, step first + t to out[t * stride …]; does not touch what lies
  /// beyond the channels.
  void encode(const float* values, int features, int first, int steps, const ClipKey& key, float* out,
              size_t stride, EncoderScratch& scratch) const;

  /// Whether all that comes out is 0 or 1.
  bool spikes() const { return options_.kind != EncodingKind::kDirect; }
  /// The same as bits, where all is 0 or 1: channel c of step first + t is bit c % 16 of bits[t * stride + c
  /// / 16].
  void encode_spikes(const float* values, int features, int first, int steps, const ClipKey& key,
                     uint16_t* bits, size_t stride, EncoderScratch& scratch) const;

 private:
  void rate(const float* values, int features, int first, int steps, const ClipKey& key, uint16_t* bits,
            size_t stride, EncoderScratch& scratch) const;
  void latency(const float*, int, int, int, float*, size_t) const;
  void delta(const float*, int, int, int, float*, size_t) const;
  void direct(const float*, int, int, int, float*, size_t) const;

  EncodingOptions options_;
};

}  // namespace sonospike
