#pragma once
// A small task to train on: tones of a few pitches in noise.

#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>
#include <random>
#include <vector>

#include "core/training/feature_store.h"

namespace sonospike::test {

struct Tones {
  std::vector<std::vector<float>> samples;
  std::vector<int> labels;

  std::vector<ClipAudio> clips(size_t first, size_t count) const {
    std::vector<ClipAudio> clips;
    for (size_t i = first; i < first + count; ++i) {
      clips.push_back({samples[i].data(), samples[i].size(), 8000, labels[i]});
    }
    return clips;
  }
  std::vector<ClipAudio> clips() const { return clips(0, samples.size()); }
};

constexpr int kPitches = 3;

/// 0.05 to 0.1 seconds each.
inline Tones random_tones(int count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0.0f, 0.02f);
  Tones tones;
  for (int clip = 0; clip < count; ++clip) {
    const int label = clip % kPitches;
    std::vector<float> samples(400 + random() % 400);
    for (size_t i = 0; i < samples.size(); ++i) {
      const double turns = (500.0 + 900.0 * label) / 8000.0 * static_cast<double>(i);
      samples[i] = 0.1f * static_cast<float>(std::sin(2.0 * std::numbers::pi * turns)) + noise(random);
    }
    tones.samples.push_back(std::move(samples));
    tones.labels.push_back(label);
  }
  return tones;
}

constexpr int kToneFrames = 6;
constexpr int kToneFeatures = 10;

inline FrontEndOptions tone_front_end() {
  FrontEndOptions options;
  options.sample_rate = 8000;
  options.kind = FeatureKind::kLogMel;
  options.window_length = options.fft_length = 200;
  options.hop_length = 100;
  options.mel_bands = kToneFeatures;
  options.max_frequency = 4000;
  return options;
}

// One statistic for all bands: scaled by itself, the band of a steady tone would be noise like the others.
constexpr ScalingOptions kToneScaling{ScalingKind::kMinMax, false, true};

inline std::shared_ptr<FeatureStore> tone_store(const Tones& tones,
                                                const ScalingOptions& scaling = kToneScaling, int threads = 2,
                                                ClipFrames frames = {kToneFrames}) {
  auto extractor = std::make_shared<FeatureExtractor>(tone_front_end(), scaling, frames);
  auto store = std::make_shared<FeatureStore>(extractor, threads);
  store->add(tones.clips());
  return store;
}

inline std::vector<int> first_clips(int count) {
  std::vector<int> clips(count);
  std::iota(clips.begin(), clips.end(), 0);
  return clips;
}

/// A store that has the samples of its clips too.
inline std::shared_ptr<FeatureStore> augmentable_store(int count,
                                                       const ScalingOptions& scaling = kToneScaling,
                                                       ClipFrames frames = {kToneFrames}) {
  const Tones tones = random_tones(count, 1);
  auto extractor = std::make_shared<FeatureExtractor>(tone_front_end(), scaling, frames);
  auto store = std::make_shared<FeatureStore>(extractor, 2);
  auto clips = tones.clips();
  for (auto& clip : clips) clip.augmented = true;
  store->add(clips);
  store->fit(first_clips(count), false);
  return store;
}

}  // namespace sonospike::test
