#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/frontend/options.h"

namespace sonospike {

/// A linear map for each feature: (value - offset[feature]) * scale[feature], raised to at least `least`.
struct FeatureScaling {
  std::vector<float> offset;  // [features]
  std::vector<float> scale;   // [features]
  float least = -std::numeric_limits<float>::infinity();

  int feature_count() const { return static_cast<int>(offset.size()); }
};

/// Range, mean and variance of each feature over any number of frames: those of one clip, or of a training
/// set.
///
/// Sums are taken in double precision and combined by the formulas of Chan, Golub and LeVeque (1979). The
/// order of `add` and `merge` changes the last bits: for the same bits on any number of threads, keep one
/// object for each clip (or each fixed group of clips) and merge them in the order of the clips.
class ScalingStatistics {
 public:
  explicit ScalingStatistics(int features = 1) { reset(features); }
  /// Forgets what was seen.
  void reset(int features);

  int feature_count() const { return static_cast<int>(low_.size()); }
  /// Frames seen.
  uint64_t frames() const { return frames_; }

  /// Takes in values[frames, features].
  void add(const float* values, size_t frames);
  /// Takes in all that `later`, of as many features, has seen.
  void merge(const ScalingStatistics& later);

  /// The scaling that the statistics give; the identity if no frame has been seen. A feature that never
  /// changes becomes 0.
  FeatureScaling scaling(ScalingKind kind, bool pooled) const;
  /// The same, to memory that is there.
  void scaling(ScalingKind kind, bool pooled, FeatureScaling& out) const;

 private:
  struct Feature {
    float low;
    float high;
    double mean;
    double squares;  // sum of squared deviations from the mean
  };

  void take(const float* values, size_t frames);
  static void combine(Feature& into, double count, const Feature& other, double other_count);
  Feature at(int feature) const;
  Feature pool() const;

  uint64_t frames_ = 0;
  // [features]; each by itself, so that the loops over them become vector code.
  std::vector<float> low_, high_;
  std::vector<double> mean_, squares_;
};

/// ScalingKind::kPeak of values[frames, features] in dB: 1 is the loudest, 0 is `range` dB below it or less.
/// A clip of digital silence becomes 0 throughout.
void peak_scaling(const float* values, size_t frames, int features, float range, FeatureScaling& out);

/// Scales values[frames, features] and cuts them, or pads them with zeros, to out[out_frames, features].
void apply_scaling(const FeatureScaling& scaling, const float* values, size_t frames, size_t out_frames,
                   float* out);

}  // namespace sonospike
