#include "core/network/recognizer.h"

#include "core/support/denormals.h"

namespace sonospike {

Recognizer::Recognizer(std::shared_ptr<const FeatureExtractor> extractor, const EncodingOptions& encoding,
                       std::shared_ptr<Backend> backend)
    : extractor_(std::move(extractor)), encoder_(encoding), backend_(std::move(backend)) {
  const NetworkOptions& network = backend_->options();
  features_.resize(extractor_->size());
  scores_.resize(network.classes);
  spikes_.resize(network.layers.size());
  batch_.clips = 1;
  if (encoder_.spikes()) {
    batch_.spikes = [this](int, int first, int steps, uint16_t* bits, size_t stride, int) {
      encoder_.encode_spikes(features_.data(), extractor_->feature_count(), first, steps, {seed_, 0, 0}, bits,
                             stride, scratch_);
    };
  } else {
    batch_.input = [this](int, int first, int steps, float* x, size_t stride, int) {
      encode(first, steps, x, stride);
    };
  }
}

void Recognizer::encode(int first, int steps, float* out, size_t stride) {
  encoder_.encode(features_.data(), extractor_->feature_count(), first, steps, {seed_, 0, 0}, out, stride,
                  scratch_);
}

Answer Recognizer::predict(const float* samples, size_t n, int rate, uint64_t seed) {
  FlushDenormals flush;
  HeardFrames heard;
  const int frames = extractor_->extract(samples, n, rate, features_.data(), workspace_, &heard);
  batch_.steps = encoder_.steps(frames);
  seed_ = seed;
  backend_->forward(batch_, scores_.data(), spikes_.data());
  return {scores_.data(), spikes_.data(), batch_.steps, heard};
}

Observation Recognizer::observe(const float* samples, size_t n, int rate, uint64_t seed) {
  FlushDenormals flush;
  Observation seen;
  const size_t raw_frames = extractor_->raw(samples, n, rate, workspace_);
  const float* raw = workspace_.raw.data();
  seen.heard = extractor_->heard(raw, raw_frames, workspace_);
  seen.frames = extractor_->scale(raw, seen.heard, features_.data(), workspace_);
  seen.steps = batch_.steps = encoder_.steps(seen.frames);
  seed_ = seed;
  seen.network = backend_->observe(batch_, scores_.data());
  input_.resize(static_cast<size_t>(seen.steps) * channels());
  encode(0, seen.steps, input_.data(), channels());
  seen.scores = scores_.data();
  seen.features = features_.data();
  seen.input = input_.data();
  return seen;
}

}  // namespace sonospike
