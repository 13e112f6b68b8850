#pragma once

#include <span>
#include <vector>

#include "core/frontend/feature_extractor.h"
#include "core/support/thread_pool.h"

namespace sonospike {

/// A clip as it comes in: mono samples at their own rate.
struct ClipAudio {
  const float* samples;
  size_t count;
  int rate;
  int label;               ///< below 0: none of the words
  bool augmented = false;  ///< keep its samples, from which a training makes others
};

/// The scaled features of a set of clips, computed once, in parallel, and kept in memory.
///
/// With statistics of the training set the clips are added unscaled; `fit` takes the statistics and scales
/// all.
class FeatureStore {
 public:
  FeatureStore(std::shared_ptr<FeatureExtractor> extractor, int threads);

  /// Adds clips in order, while the store is open. One call at a time.
  void add(const std::vector<ClipAudio>& clips);
  /// Takes the scaling from the clips at `training` where the options ask for the training set's, and scales
  /// all clips. Needed before `features`; does nothing where there is nothing to do. `keep`: scale with what
  /// the extractor has already (an evaluation).
  void fit(const std::vector<int>& training, bool keep);

  int size() const { return static_cast<int>(labels_.size()); }
  bool ready() const { return raw_.empty(); }
  /// Whether clips can be added: not once `fit` has scaled those with the statistics of a training set.
  bool open() const { return !fitted_; }
  int label(int clip) const { return labels_[clip]; }
  /// [frames(clip), features]
  const float* features(int clip) const { return features_[clip].data(); }
  /// Identifies a clip's features among those of all stores of the process; not 0.
  uint64_t identity(int clip) const { return (number_ << 32) + static_cast<uint32_t>(clip); }
  int frames(int clip) const {
    return static_cast<int>(features_[clip].size() / extractor_->feature_count());
  }
  /// Which of a clip's own frames its features are.
  const HeardFrames& heard(int clip) const { return heard_[clip]; }
  /// At the rate of the front end; empty unless they were to be kept.
  std::span<const float> samples(int clip) const { return samples_[clip]; }
  const FeatureExtractor& extractor() const { return *extractor_; }
  std::shared_ptr<const FeatureExtractor> shared_extractor() const { return extractor_; }

 private:
  bool needs_fit() const {
    return extractor_->scaling().over_training_set && extractor_->scaling().kind != ScalingKind::kNone;
  }

  std::shared_ptr<FeatureExtractor> extractor_;
  uint64_t number_;  // of the store, from 1
  ThreadPool pool_;
  std::vector<ExtractorWorkspace> workspaces_;
  std::vector<int> labels_;
  std::vector<std::vector<float>> features_;
  std::vector<HeardFrames> heard_;
  std::vector<std::vector<float>> samples_;  // [clip]: of those that are to be kept
  bool fitted_ = false;
  std::vector<std::vector<float>> raw_;  // [clip]: unscaled frames, until `fit`
};

}  // namespace sonospike
