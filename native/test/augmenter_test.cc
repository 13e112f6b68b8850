#include "core/augmentation/augmenter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "test/signals.h"
#include "test/training_cases.h"

namespace sonospike {
namespace {

constexpr int kFrames = 40, kBands = test::kToneFeatures, kClips = 2000;

std::shared_ptr<FeatureExtractor> extractor(ScalingKind kind = ScalingKind::kPeak) {
  FrontEndOptions front_end = test::tone_front_end();
  front_end.top_db = 60;
  return std::make_shared<FeatureExtractor>(front_end, ScalingOptions{kind, false, true},
                                            ClipFrames{kFrames});
}

AugmentationOptions everything() {
  AugmentationOptions options;
  options.speed = {0.8, 1.25};
  options.gain = {-20, 6};
  options.shift = {-0.01, 0.05};
  options.silence_after = {0, 0.05};
  options.noise_probability = 0.5;
  options.snr = {5, 30};
  options.tempo = {0.8, 1.2};
  options.frequency_warp = {0.9, 1.1};
  options.filter = {-6, 6};
  options.time_masks = 2;
  options.time_mask_seconds = 0.1;
  options.frequency_masks = 2;
  options.frequency_mask_bands = 3;
  return options;
}

std::vector<float> clip() {
  std::mt19937 random(1);
  return test::noise(2400, random);
}

std::vector<float> features(const AugmentationOptions& options, const ClipKey& key) {
  const Augmenter augmenter(extractor(), options);
  AugmenterWorkspace workspace;
  std::vector<float> out(kFrames * kBands);
  const auto samples = clip();
  augmenter.features(samples.data(), samples.size(), key, out.data(), workspace);
  return out;
}

/// Calls see(samples) with the changed samples of `kClips` clips.
template <typename See>
void for_samples(const AugmentationOptions& options, const std::vector<float>& samples, See see) {
  const Augmenter augmenter(extractor(), options);
  AugmenterWorkspace workspace;
  for (uint32_t i = 0; i < kClips; ++i) {
    augmenter.change_samples(samples.data(), samples.size(), {3, i, 1}, workspace);
    see(workspace.samples);
  }
}

TEST_CASE("augmenter: options that change nothing give the features of the clip") {
  ExtractorWorkspace workspace;
  std::vector<float> plain(kFrames * kBands);
  const auto samples = clip();
  extractor()->extract(samples.data(), samples.size(), 8000, plain.data(), workspace);
  CHECK(features({}, {1, 2, 3}) == plain);
}

TEST_CASE("augmenter: seed, clip and epoch each give another take, and the same ones the same") {
  const auto once = features(everything(), {1, 2, 3});
  CHECK(features(everything(), {1, 2, 3}) == once);
  CHECK(features(everything(), {2, 2, 3}) != once);
  CHECK(features(everything(), {1, 3, 3}) != once);
  CHECK(features(everything(), {1, 2, 4}) != once);
  for (float x : once) CHECK((x >= 0.0f && x <= 1.0f));
}

TEST_CASE("augmenter: each option alone changes the features") {
  const AugmentationOptions all = everything();
  const auto plain = features({}, {1, 2, 3});
  const auto changes = [&](auto set) {
    AugmentationOptions options;
    set(options);
    for (uint32_t epoch = 0; epoch < 20; ++epoch) {
      if (features(options, {1, 2, epoch}) != plain) return true;
    }
    return false;
  };
  CHECK(changes([&](auto& o) { o.speed = all.speed; }));
  CHECK(changes([&](auto& o) { o.gain = {20, 40}; }));  // far enough to be clipped
  CHECK(changes([&](auto& o) { o.shift = all.shift; }));
  CHECK(changes([&](auto& o) { o.noise_probability = 0.5, o.snr = all.snr; }));
  CHECK(changes([&](auto& o) { o.tempo = all.tempo; }));
  CHECK(changes([&](auto& o) { o.frequency_warp = all.frequency_warp; }));
  CHECK(changes([&](auto& o) { o.filter = all.filter; }));
  CHECK(changes([&](auto& o) { o.time_masks = 1, o.time_mask_seconds = 0.1; }));
  CHECK(changes([&](auto& o) { o.frequency_masks = 1, o.frequency_mask_bands = 3; }));
}

TEST_CASE("augmenter: a change does not draw anew because another is switched off") {
  AugmentationOptions speed;
  speed.speed = {0.5, 2};
  AugmentationOptions both = speed;
  both.gain = {-40, -40};
  std::vector<size_t> alone, with_gain;
  for_samples(speed, clip(), [&](const auto& x) { alone.push_back(x.size()); });
  for_samples(both, clip(), [&](const auto& x) { with_gain.push_back(x.size()); });
  CHECK(alone == with_gain);
}

TEST_CASE("augmenter: speeds are spread evenly over the logarithm of their range") {
  AugmentationOptions options;
  options.speed = {0.5, 2};
  std::vector<double> octaves;
  for_samples(options, clip(), [&](const auto& x) { octaves.push_back(std::log2(2400.0 / x.size())); });
  std::sort(octaves.begin(), octaves.end());
  for (int i = 0; i < kClips; ++i) CHECK(std::abs(octaves[i] - (2.0 * i / kClips - 1)) < 0.08);
}

TEST_CASE("augmenter: gain in dB, evenly spread; what is beyond full scale is clipped") {
  AugmentationOptions options;
  options.gain = {-20, 6};
  std::vector<double> decibels;
  for_samples(options, {0.1f}, [&](const auto& x) { decibels.push_back(20 * std::log10(x[0] / 0.1)); });
  std::sort(decibels.begin(), decibels.end());
  for (int i = 0; i < kClips; ++i) CHECK(std::abs(decibels[i] - (26.0 * i / kClips - 20)) < 1.2);
  options.gain = {20, 20};
  for_samples(options, {0.5f, -0.5f, 0.0625f}, [](const auto& x) {
    CHECK(x == std::vector<float>{1.0f, -1.0f, 0.625f});
  });
}

TEST_CASE("augmenter: a shift puts silence before the clip or cuts its start") {
  AugmentationOptions options;
  options.shift = {-0.01, 0.02};
  const auto samples = clip();
  double sum = 0.0;
  for_samples(options, samples, [&](const auto& x) {
    const int by = static_cast<int>(x.size()) - 2400;
    REQUIRE((by >= -80 && by <= 160));
    sum += by;
    const auto zeros = std::find_if(x.begin(), x.end(), [](float v) { return v != 0.0f; }) - x.begin();
    CHECK(zeros == std::max(0, by));
    CHECK(std::equal(x.begin() + std::max(0, by), x.end(), samples.begin() + std::max(0, -by)));
  });
  CHECK(std::abs(sum / kClips - 40) < 5);
  options.shift = {-1, -1};
  for_samples(options, samples, [](const auto& x) { CHECK(x.size() == 1); });
}

TEST_CASE("augmenter: silence comes after the clip, as long as is drawn, apart from the shift") {
  AugmentationOptions options;
  options.silence_after = {0.01, 0.03};
  const auto samples = clip();
  double sum = 0.0;
  for_samples(options, samples, [&](const auto& x) {
    const int more = static_cast<int>(x.size()) - 2400;
    REQUIRE((more >= 80 && more <= 240));
    sum += more;
    CHECK(std::equal(samples.begin(), samples.end(), x.begin()));
    CHECK(std::all_of(x.begin() + 2400, x.end(), [](float v) { return v == 0.0f; }));
  });
  CHECK(std::abs(sum / kClips - 160) < 5);
  options.shift = {0.02, 0.02};
  for_samples(options, samples,
              [&](const auto& x) { CHECK(std::equal(samples.begin(), samples.end(), x.begin() + 160)); });
}

TEST_CASE(
    "augmenter: noise as often as asked for, at the ratios asked for, over the silence before the clip too") {
  AugmentationOptions options;
  options.noise_probability = 0.3;
  options.snr = {5, 25};
  options.shift = {0.05, 0.05};
  const auto samples = clip();
  std::vector<float> padded(400, 0.0f);
  padded.insert(padded.end(), samples.begin(), samples.end());
  int noisy = 0;
  double least = 1e9, most = -1e9;
  for_samples(options, samples, [&](const std::vector<float>& x) {
    if (x == padded) return;
    ++noisy;
    std::vector<float> noise(x.size());
    for (size_t i = 0; i < x.size(); ++i) noise[i] = x[i] - padded[i];
    CHECK(rms(noise.data(), 400) > 0.0);
    const double snr =
        20 * std::log10(active_rms(padded.data(), padded.size()) / rms(noise.data(), noise.size()));
    least = std::min(least, snr);
    most = std::max(most, snr);
  });
  CHECK(std::abs(noisy / static_cast<double>(kClips) - 0.3) < 0.04);
  CHECK((least > 4.95 && least < 6));
  CHECK((most < 25.05 && most > 24));
}

TEST_CASE("augmenter: masks are of the widths asked for, at most so many, and silent") {
  AugmentationOptions options;
  options.time_masks = 1;
  options.time_mask_seconds = 0.1;  // 8 frames
  const Augmenter in_time(extractor(), options);
  options = {};
  options.frequency_masks = 1;
  options.frequency_mask_bands = 3;
  const Augmenter in_bands(extractor(), options);
  const std::vector<float> frames(30 * kBands, -20.0f);
  AugmenterWorkspace workspace;
  std::vector<int> widths(9), heights(4);
  const auto masked = [&] { return std::count(workspace.frames.begin(), workspace.frames.end(), -80.0f); };
  for (uint32_t i = 0; i < kClips; ++i) {
    in_time.change_frames(frames.data(), 30, {1, i, 0}, workspace);
    REQUIRE(masked() % kBands == 0);
    ++widths.at(masked() / kBands);
    in_bands.change_frames(frames.data(), 30, {1, i, 0}, workspace);
    REQUIRE(masked() % 30 == 0);
    ++heights.at(masked() / 30);
  }
  // Half of the clips have no mask, the others one of any width.
  for (int width = 1; width <= 8; ++width) CHECK(std::abs(widths[width] - kClips / 18) < 45);
  for (int height = 1; height <= 3; ++height) CHECK(std::abs(heights[height] - kClips / 8) < 60);
}

}  // namespace
}  // namespace sonospike
