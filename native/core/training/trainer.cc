#include "core/training/trainer.h"

#include <algorithm>

#include "core/support/denormals.h"
#include "core/support/philox.h"

namespace sonospike {
namespace {

constexpr int kMostWorkers = 256;
constexpr int kEvaluationBatch = 256;

Batch make_batch(const FeatureStore& store, const Encoder& encoder, const int* clips, const EncodingKey* keys,
                 int count, const int* labels, std::vector<Buffer<uint32_t>>& scratch) {
  const int frames = store.extractor().frames(), features = store.extractor().feature_count();
  Batch batch;
  batch.clips = count;
  batch.steps = encoder.steps(frames);
  batch.labels = labels;
  batch.input = [=, &store, &encoder, &scratch](int i, float* x, size_t stride, int worker) {
    encoder.encode(store.features(clips[i]), frames, features, keys[i], x, stride, scratch[worker]);
  };
  return batch;
}

}  // namespace

Trainer::Trainer(std::shared_ptr<Backend> backend, std::shared_ptr<const FeatureStore> store,
                 const EncodingOptions& encoding, const TrainingOptions& options, std::vector<int> training)
    : backend_(std::move(backend)),
      store_(std::move(store)),
      encoder_(encoding),
      options_(options),
      training_(std::move(training)) {
  position_.spikes.resize(backend_->options().layers.size());
}

/// Fisher-Yates with the numbers of (seed, epoch).
std::vector<int> Trainer::order(int epoch) const {
  std::vector<int> order = training_;
  for (size_t i = order.size(); i > 1; --i) {
    const auto block = philox(options_.seed, static_cast<uint32_t>(i),
                              static_cast<uint32_t>(RandomStream::kShuffle), 0, static_cast<uint32_t>(epoch));
    const uint64_t random = (static_cast<uint64_t>(block.word[0]) << 32) | block.word[1];
    std::swap(order[i - 1], order[random % i]);
  }
  return order;
}

bool Trainer::run_epoch(const std::atomic<bool>& abort) {
  FlushDenormals flush;
  const std::vector<int> clips = order(position_.epoch);
  std::vector<EncodingKey> keys(options_.batch_size);
  std::vector<int> labels(options_.batch_size);
  std::vector<Buffer<uint32_t>> scratch(kMostWorkers);
  const int64_t total = static_cast<int64_t>(batches()) * options_.epochs;

  for (progress_ = position_.clips; position_.batch < batches(); ++position_.batch) {
    if (abort.load(std::memory_order_relaxed)) return false;
    const int first = position_.batch * options_.batch_size;
    const int count = std::min(options_.batch_size, static_cast<int>(clips.size()) - first);
    for (int i = 0; i < count; ++i) {
      const int clip = clips[first + i];
      keys[i] = {options_.seed, static_cast<uint32_t>(clip), static_cast<uint32_t>(position_.epoch) + 1};
      labels[i] = store_->label(clip);
    }
    const Batch batch =
        make_batch(*store_, encoder_, clips.data() + first, keys.data(), count, labels.data(), scratch);
    const BatchStatistics done = backend_->gradient(batch, options_.loss);
    const int64_t step = static_cast<int64_t>(position_.epoch) * batches() + position_.batch;
    backend_->step(options_.optimizer, learning_rate(options_.schedule, step, total));

    position_.clips += count;
    position_.loss += done.loss;
    position_.correct += done.correct;
    for (size_t k = 0; k < done.spikes.size(); ++k) position_.spikes[k] += done.spikes[k];
    progress_ = position_.clips;
  }
  finished_ = position_;
  position_ = {};
  position_.epoch = finished_.epoch + 1;
  position_.spikes.resize(finished_.spikes.size());
  return true;
}

EvaluationResult evaluate(Backend& backend, const FeatureStore& store, const EncodingOptions& encoding,
                          const LossOptions& loss, const std::vector<int>& clips, uint64_t seed,
                          const std::atomic<bool>& abort) {
  FlushDenormals flush;
  const Encoder encoder(encoding);
  const int classes = backend.options().classes;
  EvaluationResult result;
  result.scores.resize(clips.size() * classes);
  const size_t layers = backend.options().layers.size();
  result.spikes.resize(clips.size() * layers);
  result.statistics.spikes.resize(layers);
  std::vector<EncodingKey> keys(kEvaluationBatch, EncodingKey{seed, 0, 0});
  std::vector<int> labels(kEvaluationBatch);
  std::vector<Buffer<uint32_t>> scratch(kMostWorkers);
  for (size_t first = 0; first < clips.size() && !abort.load(); first += kEvaluationBatch) {
    const int count = static_cast<int>(std::min<size_t>(kEvaluationBatch, clips.size() - first));
    bool labelled = true;
    for (int i = 0; i < count; ++i) {
      labels[i] = store.label(clips[first + i]);
      labelled = labelled && labels[i] >= 0;
    }
    const Batch batch = make_batch(store, encoder, clips.data() + first, keys.data(), count,
                                   labelled ? labels.data() : nullptr, scratch);
    const BatchStatistics part = backend.forward(batch, loss, result.scores.data() + first * classes,
                                                 result.spikes.data() + first * layers);
    result.statistics.loss += part.loss;
    result.statistics.correct += part.correct;
    for (size_t k = 0; k < part.spikes.size(); ++k) result.statistics.spikes[k] += part.spikes[k];
  }
  return result;
}

}  // namespace sonospike
