#include "core/frontend/scaling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace sonospike {
namespace {

/// Scaling of a clip with its own statistics.
FeatureScaling clip_scaling(const float* values, size_t frames, int features, ScalingKind kind, bool pooled) {
  ScalingStatistics statistics(features);
  statistics.add(values, frames);
  return statistics.scaling(kind, pooled);
}

constexpr int kFeatures = 3;

/// [frames, kFeatures], each feature with a mean far above its spread.
std::vector<float> random_frames(size_t frames, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> values(frames * kFeatures);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 300.0f * static_cast<float>(i % kFeatures) + normal(random);
  }
  return values;
}

/// Expected result for one group of values that share a statistic.
std::vector<double> plain(const std::vector<float>& x, ScalingKind kind) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  double mean = 0, variance = 0;
  for (float value : x) mean += value / static_cast<double>(x.size());
  for (float value : x) variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
  std::vector<double> result;
  for (float value : x) {
    if (kind == ScalingKind::kMinMax)
      result.push_back((value - *low) / (static_cast<double>(*high) - *low + 1e-8));
    if (kind == ScalingKind::kStandard) result.push_back((value - mean) / (std::sqrt(variance) + 1e-5));
    if (kind == ScalingKind::kNone) result.push_back(value);
  }
  return result;
}

std::vector<float> scaled(const FeatureScaling& scaling, const std::vector<float>& values,
                          size_t out_frames) {
  std::vector<float> out(out_frames * kFeatures, -1);
  apply_scaling(scaling, values.data(), values.size() / kFeatures, out_frames, out.data());
  return out;
}

TEST_CASE("scaling: equals the definitions, per feature and pooled") {
  std::mt19937 random(1);
  for (ScalingKind kind : {ScalingKind::kNone, ScalingKind::kMinMax, ScalingKind::kStandard}) {
    for (size_t frames : {1, 2, 57}) {
      const std::vector<float> values = random_frames(frames, random);
      const auto pooled = scaled(clip_scaling(values.data(), frames, kFeatures, kind, true), values, frames);
      const auto expected = plain(values, kind);
      for (size_t i = 0; i < values.size(); ++i)
        CHECK(pooled[i] == doctest::Approx(expected[i]).epsilon(1e-5));

      const auto single = scaled(clip_scaling(values.data(), frames, kFeatures, kind, false), values, frames);
      for (int f = 0; f < kFeatures; ++f) {
        std::vector<float> column;
        for (size_t i = 0; i < frames; ++i) column.push_back(values[i * kFeatures + f]);
        const auto expected_column = plain(column, kind);
        for (size_t i = 0; i < frames; ++i) {
          CHECK(std::abs(single[i * kFeatures + f] - expected_column[i]) <= 2e-4);
        }
      }
    }
  }
}

TEST_CASE("scaling: a feature that never changes becomes 0") {
  const std::vector<float> values(5 * kFeatures, -7.25f);
  for (ScalingKind kind : {ScalingKind::kMinMax, ScalingKind::kStandard}) {
    const auto out = scaled(clip_scaling(values.data(), 5, kFeatures, kind, false), values, 5);
    CHECK(out == std::vector<float>(5 * kFeatures, 0.0f));
  }
}

TEST_CASE("scaling: cuts, and pads with zeros after scaling") {
  std::mt19937 random(2);
  const std::vector<float> values = random_frames(4, random);
  const FeatureScaling scaling = clip_scaling(values.data(), 4, kFeatures, ScalingKind::kStandard, false);
  const auto whole = scaled(scaling, values, 4), cut = scaled(scaling, values, 2),
             padded = scaled(scaling, values, 6);
  CHECK(std::equal(cut.begin(), cut.end(), whole.begin()));
  CHECK(std::equal(whole.begin(), whole.end(), padded.begin()));
  CHECK(std::all_of(padded.begin() + 4 * kFeatures, padded.end(), [](float value) { return value == 0; }));
}

TEST_CASE("scaling: statistics merged clip by clip are those of all frames") {
  std::mt19937 random(3);
  const std::vector<float> values = random_frames(100, random);
  ScalingStatistics together(kFeatures), merged(kFeatures);
  together.add(values.data(), 100);
  for (size_t first = 0, frames = 1; first < 100;
       first += frames, frames = std::min(frames + 3, 100 - first)) {
    ScalingStatistics clip(kFeatures);
    clip.add(&values[first * kFeatures], frames);
    merged.merge(clip);
  }
  CHECK(merged.frames() == 100);
  for (bool pooled : {false, true}) {
    for (ScalingKind kind : {ScalingKind::kMinMax, ScalingKind::kStandard}) {
      const FeatureScaling a = together.scaling(kind, pooled), b = merged.scaling(kind, pooled);
      for (int f = 0; f < kFeatures; ++f) {
        CHECK(a.offset[f] == doctest::Approx(b.offset[f]).epsilon(1e-6));
        CHECK(a.scale[f] == doctest::Approx(b.scale[f]).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("scaling: without any frame, the identity") {
  const FeatureScaling scaling = ScalingStatistics(kFeatures).scaling(ScalingKind::kStandard, true);
  CHECK(scaling.offset == std::vector<float>(kFeatures, 0.0f));
  CHECK(scaling.scale == std::vector<float>(kFeatures, 1.0f));
}

}  // namespace
}  // namespace sonospike
