// Clips that are as long as they are: how many frames they have, and which of a long one.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "core/training/feature_store.h"
#include "test/frontend_reference.h"
#include "test/instruction_sets.h"
#include "test/signals.h"
#include "test/training_cases.h"

namespace sonospike {
namespace {

constexpr int kMost = 12;
constexpr float kUntouched = -77.0f;
constexpr ScalingOptions kAsTheyAre{ScalingKind::kNone, false, false};

FrontEndOptions front_end(FeatureKind kind) {
  FrontEndOptions options = test::tone_front_end();
  options.kind = kind;
  options.coefficients = 4;
  return options;
}

/// What `scale` makes of raw frames.
struct Scaled {
  int frames;
  std::vector<float> values;  // [most, features]
};

Scaled scaled(const FeatureExtractor& extractor, const std::vector<float>& raw) {
  ExtractorWorkspace workspace;
  Scaled made{0, std::vector<float>(extractor.size(), kUntouched)};
  made.frames =
      extractor.scale(raw.data(), raw.size() / extractor.feature_count(), made.values.data(), workspace);
  return made;
}

/// So few different levels that many windows are equally loud, and sums that are exact.
std::vector<float> random_frames(size_t frames, int features, std::mt19937& random) {
  std::vector<float> raw(frames * features);
  for (float& x : raw) x = -static_cast<float>(random() % 3);
  return raw;
}

/// First frame of the loudest window of `most` frames, every sum taken by itself.
template <typename Values>
size_t plain_loudest(const Values& raw, FeatureKind kind, size_t features, size_t most) {
  const size_t summed = kind == FeatureKind::kMfcc ? 1 : features;
  std::vector<double> sums;
  for (size_t first = 0; (first + most) * features <= raw.size(); ++first) {
    double sum = 0.0;
    for (size_t frame = first; frame < first + most; ++frame) {
      for (size_t f = 0; f < summed; ++f) sum += raw[frame * features + f];
    }
    sums.push_back(sum);
  }
  return std::max_element(sums.begin(), sums.end()) - sums.begin();  // the first of several
}

TEST_CASE("clip frames: a clip has its own and those of the tail, which are zeros, but at most so many") {
  std::mt19937 random(1);
  for (FeatureKind kind : {FeatureKind::kMfcc, FeatureKind::kLogMel}) {
    for (int tail : {0, 1, 5, 40}) {
      const FeatureExtractor extractor(front_end(kind), kAsTheyAre, {kMost, tail});
      const int features = extractor.feature_count();
      for (int own = 1; own <= kMost; ++own) {
        const std::vector<float> raw = random_frames(own, features, random);
        std::vector<float> wanted = raw;
        wanted.resize(std::min(own + tail, kMost) * features, 0.0f);
        const Scaled made = scaled(extractor, raw);
        CHECK(made.frames == std::min(own + tail, kMost));
        wanted.resize(extractor.size(), kUntouched);
        CHECK(made.values == wanted);
      }
    }
  }
}

TEST_CASE("clip frames: of a longer clip the loudest are taken, the first of several that are as loud") {
  std::mt19937 random(2);
  int later = 0;
  for (FeatureKind kind : {FeatureKind::kMfcc, FeatureKind::kLogMel}) {
    for (int round = 0; round < 300; ++round) {
      const FeatureExtractor extractor(front_end(kind), kAsTheyAre, {kMost, round % 3});
      const FeatureExtractor fixed(front_end(kind), kAsTheyAre, {kMost});
      const size_t features = extractor.feature_count();
      const std::vector<float> raw =
          random_frames(kMost + 1 + random() % 40, static_cast<int>(features), random);
      const size_t first = plain_loudest(raw, kind, features, kMost);
      const auto from = raw.begin() + first * features;
      const Scaled made = scaled(extractor, raw);
      CHECK(made.frames == kMost);
      const HeardFrames heard = extractor.heard_frames(raw.data(), raw.size() / features);
      CHECK(heard.first == first);
      CHECK(heard.own == raw.size() / features);
      CHECK(fixed.heard_frames(raw.data(), raw.size() / features).first == 0);
      CHECK(made.values == std::vector<float>(from, from + kMost * features));
      CHECK(scaled(fixed, raw).values == std::vector<float>(raw.begin(), raw.begin() + kMost * features));
      later += first > 0;
    }
  }
  CHECK(later > 400);
}

/// A word of `length` samples in a clip of noise that is 40 dB quieter.
std::vector<float> word_in_noise(size_t before, size_t length, size_t after, std::mt19937& random) {
  std::vector<float> samples = test::noise(before + length + after, random);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i < before || i >= before + length) samples[i] *= 0.01f;
  }
  return samples;
}

TEST_CASE("clip frames: from samples on, scaled by the peak of the whole clip, as the definitions have it") {
  const ScalingOptions peak{ScalingKind::kPeak, false, true};
  FrontEndOptions options = front_end(FeatureKind::kLogMel);
  options.top_db = 50;
  const int tail = 3, features = options.feature_count();
  const FeatureExtractor extractor(options, peak, {kMost, tail});
  test::at_every_instruction_set([&](const Kernels&) {
    std::mt19937 random(3);
    for (const auto& [before, after] : {std::pair{0, 0}, {0, 900}, {2500, 0}, {1300, 1700}}) {
      CAPTURE(before);
      const std::vector<float> samples = word_in_noise(before, 700, after, random);
      const std::vector<double> decibels = test::reference_features(options, samples);
      const double loudest = *std::max_element(decibels.begin(), decibels.end());
      std::vector<double> wanted;
      for (double x : decibels) wanted.push_back(std::max(0.0, 1.0 + (x - loudest) / options.top_db));
      const size_t own = wanted.size() / features;
      if (own > kMost) {
        const auto from = wanted.begin() + plain_loudest(decibels, options.kind, features, kMost) * features;
        wanted = {from, from + kMost * features};
      }
      wanted.resize(std::min<size_t>(own + tail, kMost) * features, 0.0);
      ExtractorWorkspace workspace;
      std::vector<float> out(extractor.size());
      const int frames = extractor.extract(samples.data(), samples.size(), 8000, out.data(), workspace);
      out.resize(static_cast<size_t>(frames) * features);
      test::check_near(out, wanted, 1e-3);
    }
  });
}

constexpr ClipFrames kShort{7, 1};  // of the tones' 5 to 8 frames

TEST_CASE("feature store: a clip has as many frames as alone, on any number of threads") {
  const test::Tones tones = test::random_tones(40, 4);
  for (int threads : {1, 2, 5}) {
    const auto store = test::tone_store(tones, test::kToneScaling, threads, kShort);
    const FeatureExtractor& extractor = store->extractor();
    ExtractorWorkspace workspace;
    std::vector<int> seen(kShort.most + 1);
    for (int i = 0; i < 40; ++i) {
      std::vector<float> alone(extractor.size());
      const auto& samples = tones.samples[i];
      const int frames = extractor.extract(samples.data(), samples.size(), 8000, alone.data(), workspace);
      REQUIRE(store->frames(i) == frames);
      CHECK(std::equal(alone.begin(), alone.begin() + frames * test::kToneFeatures, store->features(i)));
      ++seen[frames];
    }
    CHECK(seen[6] > 0);
    CHECK(seen[7] > 0);
  }
}

TEST_CASE("feature store: statistics of a training set are those of the frames that are heard") {
  const test::Tones tones = test::random_tones(20, 5);
  const ScalingOptions scaling{ScalingKind::kMinMax, true, true};
  const auto store = test::tone_store(tones, scaling, 2, kShort);
  store->fit(test::first_clips(20), false);
  const FeatureExtractor raw(test::tone_front_end(), kAsTheyAre, {kShort.most, 0});
  ExtractorWorkspace workspace;
  float least = std::numeric_limits<float>::infinity(), greatest = -least;
  std::vector<std::vector<float>> heard;
  for (const auto& samples : tones.samples) {
    std::vector<float> out(raw.size());
    out.resize(raw.extract(samples.data(), samples.size(), 8000, out.data(), workspace) *
               test::kToneFeatures);
    least = std::min(least, *std::min_element(out.begin(), out.end()));
    greatest = std::max(greatest, *std::max_element(out.begin(), out.end()));
    heard.push_back(std::move(out));
  }
  for (int i = 0; i < 20; ++i) {
    const size_t values = static_cast<size_t>(store->frames(i)) * test::kToneFeatures;
    REQUIRE(heard[i].size() <= values);
    for (size_t k = 0; k < heard[i].size(); ++k)
      CHECK(store->features(i)[k] ==
            doctest::Approx((heard[i][k] - least) / (greatest - least)).epsilon(1e-4));
    for (size_t k = heard[i].size(); k < values; ++k) CHECK(store->features(i)[k] == 0.0f);
  }
}

}  // namespace
}  // namespace sonospike
