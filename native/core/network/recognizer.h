#pragma once

#include <memory>
#include <vector>

#include "core/encoding/encoder.h"
#include "core/frontend/feature_extractor.h"
#include "core/network/backend.h"

namespace sonospike {

/// The answer to a clip; pointers stay valid until the next call.
struct Answer {
  const float* scores;   ///< [classes]
  const double* spikes;  ///< [layers]: of all neurons and steps
  int steps;
  HeardFrames heard;
};

/// Everything that one look at a clip can show; pointers stay valid until the next call.
struct Observation {
  const float* scores = nullptr;    ///< [classes]
  const float* features = nullptr;  ///< [frames, features], scaled
  const float* input = nullptr;     ///< [steps, channels]
  NetworkView network;
  int frames = 0, steps = 0;
  HeardFrames heard;
};

/// The whole way from the samples of one clip to its scores, on the calling thread. One call at a time.
class Recognizer {
 public:
  Recognizer(std::shared_ptr<const FeatureExtractor> extractor, const EncodingOptions& encoding,
             std::shared_ptr<Backend> backend);
  Recognizer(const Recognizer&) = delete;
  Recognizer& operator=(const Recognizer&) = delete;

  /// The most that a clip has.
  int steps() const { return encoder_.steps(extractor_->frames()); }
  /// Memory of its workspace; the backend has its own.
  size_t bytes() const {
    const size_t values = features_.capacity() + input_.capacity() + scores_.capacity();
    return values * sizeof(float) + bytes_of(workspace_, scratch_);
  }
  int channels() const { return encoder_.channels(extractor_->feature_count()); }

  /// The spikes of the `rate` encoding depend on `seed` alone. Nothing is allocated once a clip as long has
  /// been seen.
  Answer predict(const float* samples, size_t n, int rate, uint64_t seed);
  /// The same, with all that happens on the way.
  Observation observe(const float* samples, size_t n, int rate, uint64_t seed);

 private:
  void encode(int first, int steps, float* out, size_t stride);

  std::shared_ptr<const FeatureExtractor> extractor_;
  Encoder encoder_;
  std::shared_ptr<Backend> backend_;
  Batch batch_;
  uint64_t seed_ = 0;
  ExtractorWorkspace workspace_;
  EncoderScratch scratch_;
  std::vector<float> features_, input_, scores_;
  std::vector<double> spikes_;
};

}  // namespace sonospike
