#include "core/training/trainer.h"

#include <algorithm>
#include <exception>
#include <future>

#include "core/support/denormals.h"
#include "core/support/philox.h"

namespace sonospike {
namespace {

constexpr int kEvaluationBatch = 256;
constexpr uint32_t kEvaluationEpoch = 0xFFFFFFFFu;  // of what augments a clip that is not trained on
constexpr double kEvaluationWork = 4e9;             // multiplications that one thread does in about a second

/// `features(i)` gives those of clip i of the batch, `encoded` has them too; `steps`: how long each is.
template <typename Features>
Batch make_batch(const FeatureStore& store, const Encoder& encoder, Features features, const int* steps,
                 const EncodedClips& encoded, int count, const int* labels,
                 std::vector<EncoderScratch>& scratch) {
  const int width = encoded.features;
  const ClipKey* keys = encoded.keys;
  Batch batch;
  batch.encoded = &encoded;
  batch.clips = count;
  batch.steps = encoder.steps(store.extractor().frames());
  if (!store.extractor().clip_frames().fixed()) batch.steps_of = steps;
  batch.labels = labels;
  if (encoder.spikes()) {
    batch.spikes = [=, &encoder, &scratch](int i, int first, int steps, uint16_t* bits, size_t stride,
                                           int worker) {
      encoder.encode_spikes(features(i), width, first, steps, keys[i], bits, stride, scratch[worker]);
    };
    return batch;
  }
  batch.input = [=, &encoder, &scratch](int i, int first, int steps, float* x, size_t stride, int worker) {
    encoder.encode(features(i), width, first, steps, keys[i], x, stride, scratch[worker]);
  };
  return batch;
}

std::unique_ptr<NegativeMaker> make_negatives(const FeatureStore& store, const std::vector<int>& training) {
  const FrontEndOptions& front_end = store.extractor().front_end();
  const double rate = front_end.sample_rate;
  std::vector<LabelledClip> words;
  for (int clip : training) {
    if (store.label(clip) >= 0) words.push_back({store.samples(clip), store.label(clip)});
  }
  return std::make_unique<NegativeMaker>(rate, store.extractor().frames() * front_end.hop_length / rate,
                                         std::move(words));
}

/// Does something, as far as it can be done, where an exception leaves the block.
template <typename Work>
class OnFailure {
 public:
  explicit OnFailure(Work work) : work_(work), before_(std::uncaught_exceptions()) {}
  ~OnFailure() {
    if (std::uncaught_exceptions() == before_) return;
    try {
      work_();
    } catch (...) {  // the exception that is on its way tells more
    }
  }

 private:
  Work work_;
  int before_;
};

}  // namespace

Trainer::Trainer(std::shared_ptr<Backend> backend, std::shared_ptr<const FeatureStore> store,
                 const EncodingOptions& encoding, const TrainingOptions& options, std::vector<int> training)
    : backend_(std::move(backend)),
      store_(std::move(store)),
      encoder_(encoding),
      options_(options),
      training_(std::move(training)) {
  position_.spikes.resize(backend_->options().layers.size());
  if (!options_.augmentation && options_.negatives == 0) return;
  augmenter_ = std::make_unique<Augmenter>(store_->shared_extractor(),
                                           options_.augmentation.value_or(AugmentationOptions{}));
  if (options_.negatives > 0) negatives_ = make_negatives(*store_, training_);
  pool_ = std::make_unique<ThreadPool>(backend_->workers());
  workspaces_.resize(pool_->size());
}

/// Fisher-Yates with the numbers of (seed, epoch).
std::vector<int> Trainer::order(int epoch) const {
  std::vector<int> order = training_;
  for (int i = 0; i < options_.negatives; ++i) order.push_back(store_->size() + i);
  for (size_t i = order.size(); i > 1; --i) {
    const auto block = philox(options_.seed, static_cast<uint32_t>(i),
                              static_cast<uint32_t>(RandomStream::kShuffle), 0, static_cast<uint32_t>(epoch));
    const uint64_t random = (static_cast<uint64_t>(block.word[0]) << 32) | block.word[1];
    std::swap(order[i - 1], order[random % i]);
  }
  return order;
}

/// Batch `batch` of the clips of an epoch, which must stay where they are; augmented.
void Trainer::draw(const std::vector<int>& clips, int batch, PreparedBatch& prepared) {
  const int first = batch * options_.batch_size;
  const int count = std::min(options_.batch_size, static_cast<int>(clips.size()) - first);
  prepared.clips = clips.data() + first;
  prepared.keys.resize(count);
  prepared.labels.resize(count);
  prepared.steps.resize(count);
  for (int i = 0; i < count; ++i) {
    const int clip = prepared.clips[i];
    prepared.keys[i] = {options_.seed, static_cast<uint32_t>(clip),
                        static_cast<uint32_t>(position_.epoch) + 1};
    prepared.labels[i] = made(clip) ? -1 : store_->label(clip);
    if (!augmenter_) prepared.steps[i] = encoder_.steps(store_->frames(clip));
  }
  if (!augmenter_) return;
  const size_t size = store_->extractor().size();
  prepared.features.resize(count * size);
  pool_->run(count, [&](int i, int worker) {
    prepared.steps[i] = encoder_.steps(
        make_features(prepared.keys[i], prepared.features.data() + i * size, workspaces_[worker]));
  });
}

int Trainer::make_features(const ClipKey& key, float* out, AugmenterWorkspace& workspace) const {
  const int clip = static_cast<int>(key.clip);
  if (made(clip)) {
    negatives_->make(key, workspace.made, workspace.noise);
    return augmenter_->features(workspace.made.data(), workspace.made.size(), key, out, workspace);
  }
  if (!options_.augmentation) {
    const int frames = store_->frames(clip);
    std::copy_n(store_->features(clip), static_cast<size_t>(frames) * store_->extractor().feature_count(),
                out);
    return frames;
  }
  const auto samples = store_->samples(clip);
  return augmenter_->features(samples.data(), samples.size(), key, out, workspace);
}

std::function<BatchStatistics()> Trainer::learn(const PreparedBatch& prepared,
                                                std::vector<EncoderScratch>& scratch) {
  const auto features = [&](int i) {
    return augmenter_ ? prepared.features.data() + i * store_->extractor().size()
                      : store_->features(prepared.clips[i]);
  };
  const auto identity = [&](int i) { return augmenter_ ? 0 : store_->identity(prepared.clips[i]); };
  const EncodedClips encoded{encoder_.options(), store_->extractor().feature_count(), features, identity,
                             prepared.keys.data()};
  Batch batch = make_batch(*store_, encoder_, features, prepared.steps.data(), encoded,
                           static_cast<int>(prepared.keys.size()), prepared.labels.data(), scratch);
  batch.keys = prepared.keys.data();
  return backend_->start_gradient(batch, options_.loss);
}

/// Sums of the batches that were learned from.
void Trainer::add_up(int clips, const BatchStatistics& done) {
  position_.clips += clips;
  position_.loss += done.loss;
  position_.correct += done.correct;
  position_.steps += done.steps;
  for (size_t k = 0; k < done.spikes.size(); ++k) position_.spikes[k] += done.spikes[k];
  progress_ = position_.clips;
}

bool Trainer::run_epoch(const std::atomic<bool>& abort) {
  FlushDenormals flush;
  const std::vector<int> clips = order(position_.epoch);
  std::vector<EncoderScratch> scratch(backend_->workers());
  const int64_t total = static_cast<int64_t>(batches()) * options_.epochs;
  const bool ahead = augmenter_ && backend_->works_elsewhere();
  // Draws the batch after the one in hand while the device is at work. However this function is left, it ends
  // first.
  std::future<void> next;
  // Tells what came of the batch before the one in hand: a device is asked when it has the next one.
  std::function<void()> collect = [] {};

  // What a batch gave that is learned from counts also where the next one fails.
  const OnFailure collected([&] { collect(); });
  for (progress_ = position_.clips; position_.batch < batches(); ++position_.batch) {
    if (abort.load(std::memory_order_relaxed)) {
      collect();
      return false;
    }
    PreparedBatch& prepared = prepared_[position_.batch % 2];
    if (next.valid()) {
      next.get();
    } else {
      draw(clips, position_.batch, prepared);
    }
    if (ahead && position_.batch + 1 < batches()) {
      const int batch = position_.batch + 1;
      // Deferred where the system gives no more threads.
      next = std::async(std::launch::async | std::launch::deferred,
                        [this, &clips, batch] { draw(clips, batch, prepared_[batch % 2]); });
    }
    const std::function<BatchStatistics()> statistics = learn(prepared, scratch);
    const int64_t step = static_cast<int64_t>(position_.epoch) * batches() + position_.batch;
    backend_->step(options_.optimizer, learning_rate(options_.schedule, step, total));
    collect();
    collect = [this, statistics, count = static_cast<int>(prepared.keys.size())] {
      add_up(count, statistics());
    };
    if (backend_->works_elsewhere()) continue;
    collect();
    collect = [] {};
  }
  collect();
  finished_ = position_;
  position_ = {};
  position_.epoch = finished_.epoch + 1;
  position_.spikes.resize(finished_.spikes.size());
  return true;
}

namespace {

/// Clips between two looks at the abort flag: about a second of work at the most.
int evaluation_batch(const Backend& backend, int steps) {
  const double clip = static_cast<double>(backend.table().size()) * steps;  // multiplications
  return static_cast<int>(std::clamp(kEvaluationWork / clip, 1.0, double{kEvaluationBatch}));
}

/// Sums over the clips one by one, so that they do not depend on the batches.
void add_up(const Backend& backend, const FeatureStore& store, const LossOptions& loss,
            const std::vector<int>& clips, EvaluationResult& result) {
  const NetworkOptions& network = backend.options();
  const size_t classes = network.classes, layers = network.layers.size();
  std::vector<float> unused(classes);
  for (size_t i = 0; i < clips.size(); ++i) {
    result.statistics.steps += result.steps[i];
    for (size_t k = 0; k < layers; ++k) result.statistics.spikes[k] += result.spikes[i * layers + k];
    const int label = store.label(clips[i]);
    if (label < 0) continue;
    ++result.labelled;
    const float* scores = result.scores.data() + i * classes;
    result.statistics.loss +=
        clip_loss(network.readout.kind, loss, scores, network.classes, label, 1.0f, unused.data());
    result.statistics.correct += best_class(scores, network.classes) == label;
  }
}

/// To out, of the size of the extractor. Returns how many frames it has.
int change_clip(const Augmenter& augmenter, const FeatureStore& store, int clip, uint64_t seed, float* out,
                AugmenterWorkspace& workspace) {
  const auto samples = store.samples(clip);
  return augmenter.features(samples.data(), samples.size(),
                            {seed, static_cast<uint32_t>(clip), kEvaluationEpoch}, out, workspace);
}

}  // namespace

EvaluationResult evaluate(Backend& backend, const FeatureStore& store, const EncodingOptions& encoding,
                          const LossOptions& loss, const std::vector<int>& clips, uint64_t seed,
                          const std::atomic<bool>& abort, const Augmenter* augmenter) {
  FlushDenormals flush;
  const Encoder encoder(encoding);
  const size_t classes = backend.options().classes, layers = backend.options().layers.size();
  EvaluationResult result;
  result.scores.resize(clips.size() * classes);
  result.spikes.resize(clips.size() * layers);
  result.statistics.spikes.resize(layers);
  result.steps.resize(clips.size());
  const size_t size = store.extractor().size();
  const size_t most = evaluation_batch(backend, encoder.steps(store.extractor().frames()));
  ThreadPool pool(augmenter ? backend.workers() : 1);
  std::vector<AugmenterWorkspace> workspaces(pool.size());
  std::vector<float> changed(augmenter ? std::min(most, clips.size()) * size : 0);
  const std::vector<ClipKey> keys(most, ClipKey{seed, 0, 0});
  std::vector<EncoderScratch> scratch(backend.workers());
  for (size_t first = 0; first < clips.size(); first += most) {
    if (abort.load(std::memory_order_relaxed)) {
      result.complete = false;
      return result;
    }
    const int count = static_cast<int>(std::min(most, clips.size() - first));
    pool.run(count, [&](int i, int worker) {
      const int clip = clips[first + i];
      const int frames = augmenter ? change_clip(*augmenter, store, clip, seed, changed.data() + i * size,
                                                 workspaces[worker])
                                   : store.frames(clip);
      result.steps[first + i] = encoder.steps(frames);
    });
    const auto features = [&](int i) {
      return augmenter ? changed.data() + i * size : store.features(clips[first + i]);
    };
    const auto identity = [&](int i) { return augmenter ? 0 : store.identity(clips[first + i]); };
    const EncodedClips encoded{encoding, store.extractor().feature_count(), features, identity, keys.data()};
    const Batch batch =
        make_batch(store, encoder, features, result.steps.data() + first, encoded, count, nullptr, scratch);
    backend.forward(batch, result.scores.data() + first * classes, result.spikes.data() + first * layers);
  }
  add_up(backend, store, loss, clips, result);
  return result;
}

}  // namespace sonospike
