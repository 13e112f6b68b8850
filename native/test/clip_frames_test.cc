// Clips of their own length: how many frames they have, and which frames of a clip are heard.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
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

/// What the extractor makes of raw frames.
struct Scaled {
  int frames;
  std::vector<float> values;  // [most, features]
  HeardFrames heard;
};

Scaled scaled(const FeatureExtractor& extractor, const std::vector<float>& raw) {
  ExtractorWorkspace workspace;
  const size_t frames = raw.size() / extractor.feature_count();
  Scaled made{0, std::vector<float>(extractor.size(), kUntouched), {}};
  made.heard = extractor.heard(raw.data(), frames, workspace);
  made.frames = extractor.scale(raw.data(), made.heard, made.values.data(), workspace);
  return made;
}

/// Frames whose bands, or whose first coefficient, differ by less than a word does from its surroundings.
std::vector<float> random_frames(size_t frames, int features, std::mt19937& random) {
  std::vector<float> raw(frames * features);
  for (float& x : raw) x = -static_cast<float>(random() % 3);
  return raw;
}

/// FeatureExtractor::heard by its definition, for frames of 12.5 ms: 12 frames are 0.15 s, and 13 are more
/// than 0.16 s.
HeardFrames plain_heard(const std::vector<double>& raw, const FrontEndOptions& options, size_t most) {
  const size_t features = options.feature_count(), frames = raw.size() / features;
  std::vector<double> levels(frames, 0.0);
  for (size_t frame = 0; frame < frames; ++frame) {
    if (options.kind == FeatureKind::kMfcc) {
      levels[frame] = raw[frame * features] / std::sqrt(options.mel_bands);
    } else {
      for (size_t f = 0; f < features; ++f) levels[frame] += raw[frame * features + f] / features;
    }
  }
  size_t first = 0;
  double greatest = -std::numeric_limits<double>::infinity();
  for (size_t from = 0; from + most <= frames; ++from) {
    const double sum = std::accumulate(levels.begin() + from, levels.begin() + from + most, 0.0);
    // Windows that differ by rounding alone count as equal: the first is taken.
    if (sum > greatest + 1e-9) {
      greatest = sum;
      first = from;
    }
  }
  std::vector<double> sorted = levels;
  std::sort(sorted.begin(), sorted.end());
  const double background = sorted[(frames - 1) / 10],
               range = sorted[frames - std::min<size_t>(frames, 6)] - background;
  if (frames <= most && range < 5) return {0, frames, frames};
  size_t last = first + std::min(frames, most) - 1;
  const auto quiet = [&](size_t frame) { return levels[frame] < background + 0.4 * range; };
  while (first < last && quiet(first)) ++first;
  while (last > first && quiet(last)) --last;
  if (frames <= most && first < 14 && frames - 1 - last < 25) return {0, frames, frames};
  const size_t length = last - first + 1;
  const size_t before = std::min({size_t{6}, first, (most - length) / 2});
  const size_t kept = std::min({before + length + 18, frames - (first - before), most});
  const size_t end = first - before + kept;
  size_t beyond = 0;
  for (size_t frame = 0; frame < frames; ++frame)
    beyond += (frame < first - before || frame >= end) && !quiet(frame);
  return {first - before, kept, frames, beyond >= std::min<size_t>(frames, 6)};
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

/// Raw frames of a background with `words` louder stretches at any place.
std::vector<double> frames_with_words(size_t frames, int words, const FrontEndOptions& options,
                                      std::mt19937& random) {
  const size_t features = options.feature_count();
  std::uniform_real_distribution<float> noise(-3, 3);
  std::vector<double> raw(frames * features);
  for (double& x : raw) x = noise(random) - 60;
  for (int word = 0; word < words; ++word) {
    const size_t length = 1 + random() % 40, from = random() % frames;
    const auto louder = static_cast<float>(random() % 40);
    for (size_t i = from * features; i < std::min(frames, from + length) * features; ++i) raw[i] += louder;
  }
  for (double& x : raw) x = static_cast<float>(x);
  return raw;
}

TEST_CASE("clip frames: of a long clip, or one with much quiet, the word is taken, as by the definition") {
  constexpr size_t kLongest = 80;
  std::mt19937 random(2);
  int cut = 0, whole = 0, more = 0;
  for (FeatureKind kind : {FeatureKind::kMfcc, FeatureKind::kLogMel}) {
    const FrontEndOptions options = front_end(kind);
    const FeatureExtractor fixed(options, kAsTheyAre, {kLongest});
    for (int round = 0; round < 600; ++round) {
      CAPTURE(round);
      const FeatureExtractor extractor(options, kAsTheyAre, {kLongest, round % 3});
      const size_t features = extractor.feature_count(), frames = 1 + random() % (4 * kLongest);
      const std::vector<double> values = frames_with_words(frames, round % 4, options, random);
      const std::vector<float> raw(values.begin(), values.end());
      const HeardFrames wanted = plain_heard(values, options, kLongest);
      const Scaled made = scaled(extractor, raw);
      CHECK(made.heard.first == wanted.first);
      CHECK(made.heard.count == wanted.count);
      CHECK(made.heard.own == frames);
      CHECK(made.heard.more == wanted.more);
      more += made.heard.more;
      CHECK(made.frames == std::min(wanted.count + round % 3, kLongest));
      const auto from = raw.begin() + wanted.first * features;
      CHECK(std::equal(from, from + wanted.count * features, made.values.begin()));
      const Scaled begin = scaled(fixed, raw);
      CHECK(begin.heard.first == 0);
      CHECK(begin.heard.count == std::min(frames, kLongest));
      CHECK(std::equal(raw.begin(), raw.begin() + begin.heard.count * features, begin.values.begin()));
      ++(frames <= kLongest && wanted.count == frames ? whole : cut);
    }
  }
  CHECK(cut > 300);
  CHECK(whole > 100);
  CHECK(more > 100);
}

TEST_CASE("clip frames: a click is no word") {
  const FrontEndOptions options = front_end(FeatureKind::kLogMel);
  const size_t features = options.feature_count();
  const FeatureExtractor extractor(options, kAsTheyAre, {80, 3});
  std::vector<float> raw(80 * features, -50.0f);
  std::fill_n(raw.begin() + 2 * features, 4 * features, 20.0f);   // the click
  std::fill_n(raw.begin() + 50 * features, 20 * features, 0.0f);  // the word
  const Scaled made = scaled(extractor, raw);
  CHECK(made.heard.first == 0);
  CHECK(made.heard.count == 80);
}

TEST_CASE("clip frames: silence around a word changes what is heard of it by no frame") {
  const FrontEndOptions options = front_end(FeatureKind::kLogMel);
  const size_t features = options.feature_count();
  const FeatureExtractor extractor(options, kAsTheyAre, {80, 3});
  for (size_t before : {20, 80, 300}) {
    for (size_t after : {30, 80, 300}) {
      CAPTURE(before);
      CAPTURE(after);
      std::vector<float> raw((before + 32 + after) * features, -50.0f);
      std::fill_n(raw.begin() + before * features, 32 * features, 0.0f);
      const Scaled made = scaled(extractor, raw);
      CHECK(made.heard.first == before - 6);
      CHECK(made.heard.count == 6 + 32 + 18);
    }
  }
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
      const HeardFrames heard = plain_heard(decibels, options, kMost);
      const auto from = wanted.begin() + heard.first * features;
      wanted = {from, from + heard.count * features};
      wanted.resize(std::min<size_t>(heard.count + tail, kMost) * features, 0.0);
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
