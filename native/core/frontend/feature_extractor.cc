#include "core/frontend/feature_extractor.h"

#include <cassert>

namespace sonospike {
namespace {

// Data sets have one rate or a few; more than these are made anew each time.
constexpr size_t kMostResamplers = 8;

}  // namespace

FeatureExtractor::FeatureExtractor(const FrontEndOptions& front_end, const ScalingOptions& scaling,
                                   int frames)
    : sample_rate_(front_end.sample_rate), front_end_(front_end), scaling_(scaling), frames_(frames) {}

std::shared_ptr<const Resampler> FeatureExtractor::resampler(int rate) const {
  std::lock_guard lock(mutex_);
  const auto found = resamplers_.find(rate);
  if (found != resamplers_.end()) return found->second;
  auto made = std::make_shared<const Resampler>(rate, sample_rate_);
  if (resamplers_.size() < kMostResamplers) resamplers_.emplace(rate, made);
  return made;
}

std::span<const float> FeatureExtractor::at_own_rate(const float* samples, size_t n, int rate,
                                                     ExtractorWorkspace& workspace) const {
  if (rate == sample_rate_) return {samples, n};
  if (front_end().remove_mean) {
    // The resampler takes what is outside of the clip for zero: an offset would become a click at its ends.
    if (workspace.centred.size() < n) workspace.centred.resize(n);
    subtract_mean(samples, n, workspace.centred.data());
    samples = workspace.centred.data();
  }
  const auto convert = resampler(rate);
  const size_t length = convert->output_length(n);
  if (workspace.resampled.size() < length) workspace.resampled.resize(length);
  convert->process(samples, n, workspace.resampled.data(), workspace.resampler);
  return {workspace.resampled.data(), length};
}

size_t FeatureExtractor::raw(const float* samples, size_t n, int rate, ExtractorWorkspace& workspace) const {
  assert(n > 0);
  const std::span<const float> own = at_own_rate(samples, n, rate, workspace);
  const size_t count = front_end_.frame_count(own.size());
  if (workspace.raw.size() < count * feature_count()) workspace.raw.resize(count * feature_count());
  front_end_.compute(own.data(), own.size(), workspace.raw.data(), workspace.front_end);
  return count;
}

void FeatureExtractor::scale(const float* raw, size_t raw_frames, float* out,
                             ExtractorWorkspace& workspace) const {
  if (scaling_.over_training_set && scaling_.kind != ScalingKind::kNone) {
    assert(training_scaling_.feature_count() == feature_count());
    return apply_scaling(training_scaling_, raw, raw_frames, frames_, out);
  }
  if (scaling_.kind == ScalingKind::kPeak) {
    const auto range = static_cast<float>(front_end().top_db);
    peak_scaling(raw, raw_frames, feature_count(), range, workspace.scaling);
    return apply_scaling(workspace.scaling, raw, raw_frames, frames_, out);
  }
  workspace.statistics.reset(feature_count());
  if (scaling_.kind != ScalingKind::kNone) workspace.statistics.add(raw, raw_frames);
  workspace.statistics.scaling(scaling_.kind, scaling_.pooled, workspace.scaling);
  apply_scaling(workspace.scaling, raw, raw_frames, frames_, out);
}

void FeatureExtractor::extract(const float* samples, size_t n, int rate, float* out,
                               ExtractorWorkspace& workspace) const {
  const size_t count = raw(samples, n, rate, workspace);
  scale(workspace.raw.data(), count, out, workspace);
}

}  // namespace sonospike
