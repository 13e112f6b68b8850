#include "core/frontend/scaling.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace sonospike {

void ScalingStatistics::reset(int features) {
  assert(features > 0);
  const float infinity = std::numeric_limits<float>::infinity();
  features_.assign(features, Feature{infinity, -infinity, 0, 0});
  frames_ = 0;
}

void ScalingStatistics::add(const float* values, size_t frames) {
  if (frames == 0) return;
  if (frames_ == 0) return take(values, frames);
  ScalingStatistics block(feature_count());
  block.take(values, frames);
  merge(block);
}

/// The first frames. Two passes: the deviations are from their own mean, so that none is lost to
/// cancellation.
void ScalingStatistics::take(const float* values, size_t frames) {
  const int features = feature_count();
  frames_ = frames;
  for (size_t frame = 0; frame < frames; ++frame) {
    for (int f = 0; f < features; ++f) {
      const float value = values[frame * features + f];
      Feature& feature = features_[f];
      feature.min = std::min(feature.min, value);
      feature.max = std::max(feature.max, value);
      feature.mean += value;
    }
  }
  for (Feature& feature : features_) feature.mean /= static_cast<double>(frames);
  for (size_t frame = 0; frame < frames; ++frame) {
    for (int f = 0; f < features; ++f) {
      Feature& feature = features_[f];
      const double deviation = values[frame * features + f] - feature.mean;
      feature.squares += deviation * deviation;
    }
  }
}

void ScalingStatistics::merge(const ScalingStatistics& later) {
  assert(later.feature_count() == feature_count());
  if (later.frames_ == 0) return;
  for (int f = 0; f < feature_count(); ++f) {
    combine(features_[f], static_cast<double>(frames_), later.features_[f],
            static_cast<double>(later.frames_));
  }
  frames_ += later.frames_;
}

void ScalingStatistics::combine(Feature& into, double count, const Feature& other, double other_count) {
  const double total = count + other_count;
  const double difference = other.mean - into.mean;
  into.min = std::min(into.min, other.min);
  into.max = std::max(into.max, other.max);
  into.mean += difference * (other_count / total);
  into.squares += other.squares + difference * difference * (count * other_count / total);
}

/// All features taken as one.
ScalingStatistics::Feature ScalingStatistics::pool() const {
  Feature pooled = features_[0];
  const auto count = static_cast<double>(frames_);
  for (int f = 1; f < feature_count(); ++f) combine(pooled, f * count, features_[f], count);
  return pooled;
}

FeatureScaling ScalingStatistics::scaling(ScalingKind kind, bool pooled) const {
  FeatureScaling result;
  scaling(kind, pooled, result);
  return result;
}

void ScalingStatistics::scaling(ScalingKind kind, bool pooled, FeatureScaling& result) const {
  result.offset.assign(features_.size(), 0.0f);
  result.scale.assign(features_.size(), 1.0f);
  if (frames_ == 0 || kind == ScalingKind::kNone) return;

  const Feature all = pool();
  const double count = static_cast<double>(frames_) * (pooled ? feature_count() : 1);
  for (int f = 0; f < feature_count(); ++f) {
    const Feature& feature = pooled ? all : features_[f];
    if (kind == ScalingKind::kMinMax) {
      const double range = static_cast<double>(feature.max) - feature.min;
      result.offset[f] = feature.min;
      result.scale[f] = static_cast<float>(1 / (range + 1e-8));
    } else {
      result.offset[f] = static_cast<float>(feature.mean);
      result.scale[f] = static_cast<float>(1 / (std::sqrt(feature.squares / count) + 1e-5));
    }
  }
}

void apply_scaling(const FeatureScaling& scaling, const float* values, size_t frames, size_t out_frames,
                   float* out) {
  const int features = scaling.feature_count();
  const size_t kept = std::min(frames, out_frames);
  for (size_t frame = 0; frame < kept; ++frame) {
    for (int f = 0; f < features; ++f) *out++ = (*values++ - scaling.offset[f]) * scaling.scale[f];
  }
  std::fill_n(out, (out_frames - kept) * static_cast<size_t>(features), 0.0f);
}

}  // namespace sonospike
