#pragma once

#include <memory>
#include <vector>

#include "core/encoding/encoder.h"
#include "core/frontend/feature_extractor.h"
#include "core/network/backend.h"

namespace sonospike {

/// Everything that one look at a clip can show; pointers stay valid until the next call.
struct Observation {
  std::vector<float> scores;         ///< [classes]
  const float* features = nullptr;   ///< [frames, features], scaled
  const float* input = nullptr;      ///< [steps, channels]; only where asked for
  std::vector<ActivityView> layers;  ///< [steps, neurons] each
};

/// The whole way from the samples of one clip to its scores, on the calling thread. One call at a time.
class Recognizer {
 public:
  Recognizer(std::shared_ptr<const FeatureExtractor> extractor, const EncodingOptions& encoding,
             std::shared_ptr<Backend> backend);

  int steps() const { return encoder_.steps(extractor_->frames()); }
  int channels() const { return encoder_.channels(extractor_->feature_count()); }

  /// The spikes of the `rate` encoding depend on `seed` alone. `keep_input`: the observation shows the input.
  Observation observe(const float* samples, size_t n, int rate, uint64_t seed, bool keep_input);

 private:
  std::shared_ptr<const FeatureExtractor> extractor_;
  Encoder encoder_;
  std::shared_ptr<Backend> backend_;
  ExtractorWorkspace workspace_;
  Buffer<uint32_t> scratch_;
  std::vector<float> features_, input_;
};

}  // namespace sonospike
