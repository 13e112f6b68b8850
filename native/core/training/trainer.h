#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/augmentation/augmenter.h"
#include "core/augmentation/negatives.h"
#include "core/encoding/encoder.h"
#include "core/network/backend.h"
#include "core/training/feature_store.h"
#include "core/training/schedule.h"

namespace sonospike {

struct TrainingOptions {
  int epochs = 10;
  int batch_size = 32;
  uint64_t seed = 0;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  LossOptions loss;
  std::optional<AugmentationOptions> augmentation;  ///< the clips' samples must be in the store
  /// Clips of each epoch that are made anew and are no word (`NegativeMaker`): they have the label -1. The
  /// clips' samples must be in the store.
  int negatives = 0;
};

/// Where a training stands, and the sums of the epoch in hand. With the parameters and Adam's moments it is
/// all that is needed to go on to the same bits.
struct TrainingPosition {
  int epoch = 0;      ///< from 0
  int batch = 0;      ///< of the epoch, from 0
  int64_t clips = 0;  ///< of the epoch so far
  double loss = 0.0;
  int64_t correct = 0;
  std::vector<double> spikes;  ///< of each layer
  int64_t steps = 0;           ///< of all clips so far
};

struct EvaluationResult {
  BatchStatistics statistics;
  std::vector<float> scores;   ///< [clips, classes]
  std::vector<double> spikes;  ///< [clips, layers]
  std::vector<int> steps;      ///< [clips]
  int labelled = 0;            ///< clips that have a label, which loss and right answers are of
  bool complete = true;        ///< false: cut short
};

/// Trains a network on the clips of a store. The order of the clips, how each is changed and its spikes
/// depend on the seed, the epoch and the clip alone.
class Trainer {
 public:
  Trainer(std::shared_ptr<Backend> backend, std::shared_ptr<const FeatureStore> store,
          const EncodingOptions& encoding, const TrainingOptions& options, std::vector<int> training);

  /// Works on from `position()` to the end of the epoch, or to the end of the batch in hand once `abort` is
  /// set. Returns whether the epoch is complete; the position then stands at the start of the next one, and
  /// `finished()` has the sums of the one that ended.
  bool run_epoch(const std::atomic<bool>& abort);

  const TrainingPosition& position() const { return position_; }
  void set_position(const TrainingPosition& position) { position_ = position; }
  const TrainingPosition& finished() const { return finished_; }

  /// Clips of an epoch, with those that are made.
  int clips() const { return static_cast<int>(training_.size()) + options_.negatives; }
  int batches() const { return (clips() + options_.batch_size - 1) / options_.batch_size; }
  /// Clips of the epoch that are done; may be read from another thread.
  int64_t progress() const { return progress_.load(std::memory_order_relaxed); }

  Backend& backend() { return *backend_; }

 private:
  /// A batch that is drawn and augmented, but not yet learned from.
  struct PreparedBatch {
    const int* clips = nullptr;  // [keys.size()]
    std::vector<ClipKey> keys;
    std::vector<int> labels, steps;
    std::vector<float> features;  // [clips, most frames, features] where they are not those of the store
  };

  std::vector<int> order(int epoch) const;
  void draw(const std::vector<int>& clips, int batch, PreparedBatch& prepared);
  int make_features(const ClipKey& key, float* out, AugmenterWorkspace& workspace) const;
  std::function<BatchStatistics()> learn(const PreparedBatch& prepared, std::vector<EncoderScratch>& scratch);
  void add_up(int clips, const BatchStatistics& done);
  /// Numbers after those of the store are of clips that are made.
  bool made(int clip) const { return clip >= store_->size(); }

  std::shared_ptr<Backend> backend_;
  std::shared_ptr<const FeatureStore> store_;
  Encoder encoder_;
  TrainingOptions options_;
  std::vector<int> training_;
  std::unique_ptr<Augmenter> augmenter_;
  std::unique_ptr<NegativeMaker> negatives_;
  std::unique_ptr<ThreadPool> pool_;
  std::vector<AugmenterWorkspace> workspaces_;
  PreparedBatch
      prepared_[2];  // of the batch in hand, and of the one after it where the host has time for that
  TrainingPosition position_, finished_;
  std::atomic<int64_t> progress_{0};
};

/// Scores of some clips of a store. Every clip is encoded as if it were alone (clip 0 of epoch 0), so that it
/// gets the scores that a prediction with the same seed gives. The loss is summed over the clips that have a
/// label. Stops early once `abort` is set.
///
/// `augmenter`: changes every clip first, as drawn for (seed, clip); the clips' samples must be in the store.
EvaluationResult evaluate(Backend& backend, const FeatureStore& store, const EncodingOptions& encoding,
                          const LossOptions& loss, const std::vector<int>& clips, uint64_t seed,
                          const std::atomic<bool>& abort, const Augmenter* augmenter = nullptr);

}  // namespace sonospike
