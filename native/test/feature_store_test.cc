#include "core/training/feature_store.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "test/training_cases.h"

namespace sonospike {
namespace {

using test::kToneFeatures;
using test::kToneFrames;
using test::Tones;

constexpr int kValues = kToneFrames * kToneFeatures;

std::vector<float> features(const FeatureStore& store, int clip) {
  return {store.features(clip), store.features(clip) + kValues};
}

/// Unscaled frames of a clip, by themselves; cut, but not padded.
std::vector<float> raw_frames(const std::vector<float>& samples) {
  const FrontEnd front_end(test::tone_front_end());
  std::vector<float> raw(front_end.frame_count(samples.size()) * kToneFeatures);
  front_end.compute(samples.data(), samples.size(), raw.data());
  raw.resize(std::min<size_t>(raw.size(), kValues));
  return raw;
}

TEST_CASE("feature store: clips keep their order, their labels, and the features they have alone") {
  const Tones tones = test::random_tones(40, 1);
  for (int threads : {1, 2, 5}) {
    auto extractor =
        std::make_shared<FeatureExtractor>(test::tone_front_end(), ScalingOptions{}, ClipFrames{kToneFrames});
    FeatureStore store(extractor, threads);
    store.add(tones.clips(0, 13));
    store.add({});
    store.add(tones.clips(13, 27));
    REQUIRE(store.size() == 40);
    REQUIRE(store.ready());
    ExtractorWorkspace workspace;
    for (int i = 0; i < 40; ++i) {
      std::vector<float> alone(kValues);
      extractor->extract(tones.samples[i].data(), tones.samples[i].size(), 8000, alone.data(), workspace);
      CHECK(features(store, i) == alone);
      CHECK(store.label(i) == tones.labels[i]);
    }
  }
}

TEST_CASE("feature store: statistics are those of the training clips, and scale all clips") {
  const Tones tones = test::random_tones(30, 2);
  const std::vector<int> training = {1, 4, 5, 9, 20, 29};
  const ScalingOptions scaling{ScalingKind::kStandard, true, false};
  const auto store = test::tone_store(tones, scaling);
  CHECK_FALSE(store->ready());
  CHECK(store->open());
  store->fit(training, false);
  REQUIRE(store->ready());
  CHECK_FALSE(store->open());
  for (int f = 0; f < kToneFeatures; ++f) {
    std::vector<double> values;
    for (int clip : training) {
      const auto raw = raw_frames(tones.samples[clip]);
      for (size_t i = f; i < raw.size(); i += kToneFeatures) values.push_back(raw[i]);
    }
    double mean = 0.0, variance = 0.0;
    for (double x : values) mean += x / static_cast<double>(values.size());
    for (double x : values) variance += (x - mean) * (x - mean) / static_cast<double>(values.size());
    for (int clip = 0; clip < 30; ++clip) {
      const auto raw = raw_frames(tones.samples[clip]);
      const auto scaled = features(*store, clip);
      for (size_t i = f; i < raw.size(); i += kToneFeatures) {
        CHECK(std::abs(scaled[i] - (raw[i] - mean) / (std::sqrt(variance) + 1e-5)) <= 2e-4);
      }
      for (size_t i = raw.size() + f; i < kValues; i += kToneFeatures) CHECK(scaled[i] == 0.0f);
    }
  }
}

TEST_CASE("feature store: the statistics are the same on any number of threads, and can be kept") {
  const Tones tones = test::random_tones(30, 3);
  const ScalingOptions scaling{ScalingKind::kMinMax, true, true};
  const auto one = test::tone_store(tones, scaling, 1), five = test::tone_store(tones, scaling, 5);
  one->fit(test::first_clips(20), false);
  five->fit(test::first_clips(20), false);
  const FeatureScaling& fitted = one->extractor().training_scaling();
  CHECK(five->extractor().training_scaling().offset == fitted.offset);
  CHECK(five->extractor().training_scaling().scale == fitted.scale);
  for (int i = 0; i < 30; ++i) CHECK(features(*one, i) == features(*five, i));

  // An evaluation scales other clips with what the training has found.
  auto extractor =
      std::make_shared<FeatureExtractor>(test::tone_front_end(), scaling, ClipFrames{kToneFrames});
  extractor->set_training_scaling(fitted);
  FeatureStore evaluation(extractor, 2);
  evaluation.add(tones.clips(25, 5));
  evaluation.fit({}, true);
  for (int i = 0; i < 5; ++i) CHECK(features(evaluation, i) == features(*one, 25 + i));
}

}  // namespace
}  // namespace sonospike
