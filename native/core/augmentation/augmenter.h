#pragma once

#include <memory>
#include <vector>

#include "core/augmentation/noise.h"
#include "core/augmentation/options.h"
#include "core/augmentation/speed.h"
#include "core/frontend/feature_extractor.h"

namespace sonospike {

/// Of one thread; grows to what the longest clip needs.
struct AugmenterWorkspace {
  ExtractorWorkspace extractor;
  NoiseWorkspace noise;
  std::vector<float> samples, padded, frames, row;
  std::vector<float> made;  // the clip itself, where it is no recording
};

/// From the samples of a clip to scaled features that are those of another take of it: speed, gain, shift and
/// noise, then the front end, then tempo, frequency warp, filter and masks (SpecAugment, Park et al. 2019) on
/// its frames, then the scaling. What is drawn depends on the key alone.
class Augmenter {
 public:
  Augmenter(std::shared_ptr<const FeatureExtractor> extractor, const AugmentationOptions& options);

  /// To out, which has room for the most frames that a clip has, from samples[n] at the rate of the front
  /// end. Returns how many frames. May be called by several threads.
  int features(const float* samples, size_t n, const ClipKey& key, float* out, AugmenterWorkspace& w) const;

  /// The samples as they go to the front end, in workspace.samples.
  void change_samples(const float* samples, size_t n, const ClipKey& key, AugmenterWorkspace& w) const;
  /// Changes `count` frames before the scaling, in workspace.frames. Returns how many there are then.
  size_t change_frames(const float* frames, size_t count, const ClipKey& key, AugmenterWorkspace& w) const;

 private:
  void shift(const ClipKey& key, std::vector<float>& samples) const;
  void mask_some(const ClipKey& key, size_t count, float* frames) const;

  std::shared_ptr<const FeatureExtractor> extractor_;
  AugmentationOptions options_;
  SpeedChange speed_;
};

}  // namespace sonospike
