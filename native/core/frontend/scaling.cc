#include "core/frontend/scaling.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace sonospike {

ScalingStatistics::ScalingStatistics(int features) {
  assert(features > 0);
  const float infinity = std::numeric_limits<float>::infinity();
  features_.assign(features, Feature{infinity, -infinity, 0, 0});
}

void ScalingStatistics::add(const float* values, size_t frames) {
  if (frames == 0) return;
  const size_t features = features_.size();
  // Each in an array of its own, so that the compiler makes vector code of the loops.
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> low(features, infinity), high(features, -infinity);
  std::vector<double> mean(features), squares(features);
  // Two passes: the deviations are from the block's own mean, so that none is lost to cancellation.
  const float* row = values;
  for (size_t frame = 0; frame < frames; ++frame, row += features) {
    for (size_t f = 0; f < features; ++f) {
      low[f] = std::min(low[f], row[f]);
      high[f] = std::max(high[f], row[f]);
      mean[f] += row[f];
    }
  }
  for (double& sum : mean) sum /= static_cast<double>(frames);
  row = values;
  for (size_t frame = 0; frame < frames; ++frame, row += features) {
    for (size_t f = 0; f < features; ++f) {
      const double deviation = row[f] - mean[f];
      squares[f] += deviation * deviation;
    }
  }
  for (size_t f = 0; f < features; ++f) {
    combine(features_[f], static_cast<double>(frames_), {low[f], high[f], mean[f], squares[f]},
            static_cast<double>(frames));
  }
  frames_ += frames;
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
  result.offset.assign(features_.size(), 0.0f);
  result.scale.assign(features_.size(), 1.0f);
  if (frames_ == 0 || kind == ScalingKind::kNone) return result;

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
  return result;
}

FeatureScaling clip_scaling(const float* values, size_t frames, int features, ScalingKind kind, bool pooled) {
  ScalingStatistics statistics(features);
  if (kind != ScalingKind::kNone) statistics.add(values, frames);
  return statistics.scaling(kind, pooled);
}

void apply_scaling(const FeatureScaling& scaling, const float* values, size_t frames, size_t out_frames,
                   float* out) {
  const int features = scaling.feature_count();
  const size_t kept = std::min(frames, out_frames);
  const float *offset = scaling.offset.data(), *scale = scaling.scale.data();
  for (size_t frame = 0; frame < kept; ++frame, values += features, out += features) {
    for (int f = 0; f < features; ++f) out[f] = (values[f] - offset[f]) * scale[f];
  }
  std::fill_n(out, (out_frames - kept) * static_cast<size_t>(features), 0.0f);
}

}  // namespace sonospike
