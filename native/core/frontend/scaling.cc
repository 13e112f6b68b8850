#include "core/frontend/scaling.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace sonospike {

void ScalingStatistics::reset(int features) {
  assert(features > 0);
  const float infinity = std::numeric_limits<float>::infinity();
  low_.assign(features, infinity);
  high_.assign(features, -infinity);
  mean_.assign(features, 0.0);
  squares_.assign(features, 0.0);
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
  const size_t features = low_.size();
  frames_ = frames;
  const float* row = values;
  for (size_t frame = 0; frame < frames; ++frame, row += features) {
    for (size_t f = 0; f < features; ++f) {
      low_[f] = std::min(low_[f], row[f]);
      high_[f] = std::max(high_[f], row[f]);
      mean_[f] += row[f];
    }
  }
  for (double& sum : mean_) sum /= static_cast<double>(frames);
  row = values;
  for (size_t frame = 0; frame < frames; ++frame, row += features) {
    for (size_t f = 0; f < features; ++f) {
      const double deviation = row[f] - mean_[f];
      squares_[f] += deviation * deviation;
    }
  }
}

void ScalingStatistics::merge(const ScalingStatistics& later) {
  assert(later.feature_count() == feature_count());
  if (later.frames_ == 0) return;
  for (int f = 0; f < feature_count(); ++f) {
    Feature feature = at(f);
    combine(feature, static_cast<double>(frames_), later.at(f), static_cast<double>(later.frames_));
    low_[f] = feature.low;
    high_[f] = feature.high;
    mean_[f] = feature.mean;
    squares_[f] = feature.squares;
  }
  frames_ += later.frames_;
}

void ScalingStatistics::combine(Feature& into, double count, const Feature& other, double other_count) {
  const double total = count + other_count;
  const double difference = other.mean - into.mean;
  into.low = std::min(into.low, other.low);
  into.high = std::max(into.high, other.high);
  into.mean += difference * (other_count / total);
  into.squares += other.squares + difference * difference * (count * other_count / total);
}

ScalingStatistics::Feature ScalingStatistics::at(int feature) const {
  return {low_[feature], high_[feature], mean_[feature], squares_[feature]};
}

/// All features taken as one.
ScalingStatistics::Feature ScalingStatistics::pool() const {
  Feature pooled = at(0);
  const auto count = static_cast<double>(frames_);
  for (int f = 1; f < feature_count(); ++f) combine(pooled, f * count, at(f), count);
  return pooled;
}

FeatureScaling ScalingStatistics::scaling(ScalingKind kind, bool pooled) const {
  FeatureScaling result;
  scaling(kind, pooled, result);
  return result;
}

void ScalingStatistics::scaling(ScalingKind kind, bool pooled, FeatureScaling& result) const {
  result.offset.assign(low_.size(), 0.0f);
  result.scale.assign(low_.size(), 1.0f);
  result.least = -std::numeric_limits<float>::infinity();
  if (frames_ == 0 || kind == ScalingKind::kNone) return;

  const Feature all = pool();
  const double count = static_cast<double>(frames_) * (pooled ? feature_count() : 1);
  for (int f = 0; f < feature_count(); ++f) {
    const Feature feature = pooled ? all : at(f);
    if (kind == ScalingKind::kMinMax) {
      const double range = static_cast<double>(feature.high) - feature.low;
      result.offset[f] = feature.low;
      result.scale[f] = static_cast<float>(1 / (range + 1e-8));
    } else {
      result.offset[f] = static_cast<float>(feature.mean);
      result.scale[f] = static_cast<float>(1 / (std::sqrt(feature.squares / count) + 1e-5));
    }
  }
}

void peak_scaling(const float* values, size_t frames, int features, float range, FeatureScaling& out) {
  // Only digital silence is as quiet as the least power, -300 dB.
  constexpr float kSilence = -299.0f;
  const size_t count = frames * static_cast<size_t>(features);
  const float peak = count ? *std::max_element(values, values + count) : kSilence;
  out.offset.assign(features, peak <= kSilence ? 0.0f : peak - range);
  out.scale.assign(features, 1.0f / range);
  out.least = 0.0f;
}

void apply_scaling(const FeatureScaling& scaling, const float* values, size_t frames, size_t out_frames,
                   float* out) {
  const int features = scaling.feature_count();
  const size_t kept = std::min(frames, out_frames);
  const float *offset = scaling.offset.data(), *scale = scaling.scale.data(), least = scaling.least;
  for (size_t frame = 0; frame < kept; ++frame, values += features, out += features) {
    for (int f = 0; f < features; ++f) out[f] = std::max((values[f] - offset[f]) * scale[f], least);
  }
  std::fill_n(out, (out_frames - kept) * static_cast<size_t>(features), 0.0f);
}

}  // namespace sonospike
