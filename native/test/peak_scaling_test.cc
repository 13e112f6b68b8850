// Features that neither gain nor an offset changes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/frontend/feature_extractor.h"
#include "test/frontend_reference.h"
#include "test/instruction_sets.h"
#include "test/signals.h"
#include "test/training_cases.h"

namespace sonospike {
namespace {

constexpr ScalingOptions kPeak{ScalingKind::kPeak, false, true};
constexpr int kFrames = 12;

FrontEndOptions front_end(double top_db, bool remove_mean) {
  FrontEndOptions options = test::tone_front_end();
  options.top_db = top_db;
  options.remove_mean = remove_mean;
  return options;
}

std::vector<float> features(const std::vector<float>& samples, const FrontEndOptions& options,
                            int rate = 8000) {
  const FeatureExtractor extractor(options, kPeak, {kFrames});
  ExtractorWorkspace workspace;
  std::vector<float> out(extractor.size(), -1.0f);
  extractor.extract(samples.data(), samples.size(), rate, out.data(), workspace);
  return out;
}

std::vector<float> changed(std::vector<float> samples, float gain, float offset) {
  for (float& x : samples) x = gain * x + offset;
  return samples;
}

double greatest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0.0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max<double>(most, std::abs(a[i] - b[i]));
  return most;
}

TEST_CASE("peak scaling: 1 at the loudest, 0 at top_db below it and after the end") {
  std::mt19937 random(1);
  test::at_every_instruction_set([&](const Kernels&) {
    for (double top_db : {20.0, 60.0}) {
      auto samples = test::noise(700, random);
      std::fill(samples.begin() + 300, samples.end(), 1e-5f);
      const FrontEndOptions options = front_end(top_db, false);
      const auto decibels = test::reference_features(options, samples);
      const double peak = *std::max_element(decibels.begin(), decibels.end());
      std::vector<double> wanted;
      for (double x : decibels) wanted.push_back(std::max(0.0, 1.0 + (x - peak) / top_db));
      wanted.resize(kFrames * test::kToneFeatures, 0.0);
      test::check_near(features(samples, options), wanted, 1e-4);
    }
  });
}

TEST_CASE("peak scaling: a gain changes nothing, and digital silence is zeros") {
  std::mt19937 random(2);
  const auto samples = test::noise(900, random);
  const FrontEndOptions options = front_end(60, false);
  for (float gain : {0.1f, 10.0f})
    CHECK(greatest_difference(features(changed(samples, gain, 0), options), features(samples, options)) <
          1e-4);
  const auto silence = features(std::vector<float>(900, 0.0f), options);
  CHECK(std::all_of(silence.begin(), silence.end(), [](float x) { return x == 0.0f; }));
}

TEST_CASE("peak scaling: silence after the clip is the same as its end") {
  std::mt19937 random(3);
  auto samples = test::noise(800, random);
  samples.insert(samples.end(), 200, 0.0f);
  const auto one = features(samples, front_end(60, false));
  samples.insert(samples.end(), 400, 0.0f);
  CHECK(features(samples, front_end(60, false)) == one);
}

TEST_CASE(
    "front end: without its mean a clip with an offset gives the features of one without, at any rate") {
  std::mt19937 random(4);
  auto samples = test::noise(1600, random);
  double mean = 0.0;
  for (float x : samples) mean += x / 1600.0;
  samples = changed(samples, 1.0f, static_cast<float>(-mean));
  for (int rate : {8000, 11025, 16000}) {
    const auto plain = features(samples, front_end(60, false), rate);
    const auto shifted = changed(samples, 1.0f, 0.3f);
    CHECK(greatest_difference(features(shifted, front_end(60, true), rate), plain) < 2e-3);
    CHECK(greatest_difference(features(shifted, front_end(60, false), rate), plain) > 0.05);
  }
}

}  // namespace
}  // namespace sonospike
