#include "core/frontend/feature_extractor.h"

#include <algorithm>
#include <cassert>

namespace sonospike {
namespace {

// Data sets have one rate or a few; more than these are made anew each time.
constexpr size_t kMostResamplers = 8;

FrontEndOptions with_floor_of(const ScalingOptions& scaling, FrontEndOptions front_end) {
  if (scaling.kind == ScalingKind::kPeak) front_end.least_power = kLeastPowerBelowPeak;
  return front_end;
}

}  // namespace

FeatureExtractor::FeatureExtractor(const FrontEndOptions& front_end, const ScalingOptions& scaling,
                                   ClipFrames frames)
    : sample_rate_(front_end.sample_rate),
      front_end_(with_floor_of(scaling, front_end)),
      scaling_(scaling),
      frames_(frames) {}

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

/// First of the `most` frames whose sum is the greatest: of the bands in dB, or of the first cepstral
/// coefficient, which stands for that.
size_t FeatureExtractor::loudest(const float* raw, size_t raw_frames) const {
  const size_t features = feature_count(), most = frames_.most;
  const size_t summed = front_end().kind == FeatureKind::kMfcc ? 1 : features;
  const auto level = [&](size_t frame) {
    double sum = 0.0;
    for (size_t f = 0; f < summed; ++f) sum += raw[frame * features + f];
    return sum;
  };
  double now = 0.0;
  for (size_t frame = 0; frame < most; ++frame) now += level(frame);
  double greatest = now;
  size_t found = 0;
  for (size_t frame = most; frame < raw_frames; ++frame) {
    now += level(frame) - level(frame - most);
    if (now > greatest) {
      greatest = now;
      found = frame + 1 - most;
    }
  }
  return found;
}

std::span<const float> FeatureExtractor::heard(const float* raw, size_t raw_frames) const {
  const size_t features = feature_count(), most = frames_.most;
  if (raw_frames <= most) return {raw, raw_frames * features};
  const size_t first = frames_.fixed() ? 0 : loudest(raw, raw_frames);
  return {raw + first * features, most * features};
}

int FeatureExtractor::scale(const float* raw, size_t raw_frames, float* out,
                            ExtractorWorkspace& workspace) const {
  const FeatureScaling* scaling = &workspace.scaling;
  if (scaling_.over_training_set && scaling_.kind != ScalingKind::kNone) {
    assert(training_scaling_.feature_count() == feature_count());
    scaling = &training_scaling_;
  } else if (scaling_.kind == ScalingKind::kPeak) {
    const auto range = static_cast<float>(front_end().top_db);
    peak_scaling(raw, raw_frames, feature_count(), range, workspace.scaling);
  } else {
    workspace.statistics.reset(feature_count());
    if (scaling_.kind != ScalingKind::kNone) workspace.statistics.add(raw, raw_frames);
    workspace.statistics.scaling(scaling_.kind, scaling_.pooled, workspace.scaling);
  }
  const std::span<const float> kept = heard(raw, raw_frames);
  const size_t own = kept.size() / feature_count(), most = frames_.most;
  const size_t count = frames_.fixed() ? most : std::min(own + frames_.tail, most);
  apply_scaling(*scaling, kept.data(), own, count, out);
  return static_cast<int>(count);
}

HeardFrames FeatureExtractor::heard_frames(const float* raw, size_t raw_frames) const {
  return {static_cast<size_t>(heard(raw, raw_frames).data() - raw) / feature_count(), raw_frames};
}

int FeatureExtractor::extract(const float* samples, size_t n, int rate, float* out,
                              ExtractorWorkspace& workspace, HeardFrames* heard) const {
  const size_t count = raw(samples, n, rate, workspace);
  if (heard) *heard = heard_frames(workspace.raw.data(), count);
  return scale(workspace.raw.data(), count, out, workspace);
}

}  // namespace sonospike
