#include "core/network/recognizer.h"

#include <algorithm>

#include "core/support/denormals.h"

namespace sonospike {

Recognizer::Recognizer(std::shared_ptr<const FeatureExtractor> extractor, const EncodingOptions& encoding,
                       std::shared_ptr<Backend> backend)
    : extractor_(std::move(extractor)), encoder_(encoding), backend_(std::move(backend)) {
  features_.resize(extractor_->size());
}

Observation Recognizer::observe(const float* samples, size_t n, int rate, uint64_t seed, bool keep_input) {
  FlushDenormals flush;
  extractor_->extract(samples, n, rate, features_.data(), workspace_);
  if (keep_input) input_.resize(static_cast<size_t>(steps()) * channels());
  Batch batch;
  batch.clips = 1;
  batch.steps = steps();
  batch.input = [this, seed, keep_input](int, float* x, size_t stride, int) {
    encoder_.encode(features_.data(), extractor_->frames(), extractor_->feature_count(), {seed, 0, 0}, x,
                    stride, scratch_);
    if (!keep_input) return;
    const size_t width = channels();
    for (int t = 0; t < steps(); ++t) std::copy_n(x + stride * t, width, input_.data() + width * t);
  };
  Observation seen;
  seen.scores.resize(backend_->options().classes);
  seen.layers = backend_->observe(batch, seen.scores.data());
  seen.features = features_.data();
  if (keep_input) seen.input = input_.data();
  return seen;
}

}  // namespace sonospike
