#include "core/training/trainer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "test/training_cases.h"
#include "test/watched_backend.h"

namespace sonospike {
namespace {

using test::WatchedBackend;

constexpr int kClips = 50;
const std::atomic<bool> kNoAbort = false;
const EncodingOptions kRate{EncodingKind::kRate, 4, 0.0f};

NetworkOptions small_network() {
  NetworkOptions options;
  options.inputs = test::kToneFeatures;
  options.classes = test::kPitches;
  options.layers.resize(2);
  options.layers[0].neurons = 20;
  options.layers[0].neuron.adaptive = true;
  options.layers[1].neurons = 12;
  options.layers[1].recurrent = true;
  options.readout.kind = ReadoutKind::kLeakyIntegrator;
  return options;
}

TrainingOptions some_training() {
  TrainingOptions options;
  options.epochs = 3;
  options.batch_size = 16;
  options.seed = 99;
  options.optimizer.clip_norm = 1.0f;
  options.schedule = {ScheduleKind::kOneCycle, 0.02f};
  return options;
}

std::shared_ptr<Backend> fresh_backend(int threads) {
  std::shared_ptr<Backend> backend = make_cpu_backend(small_network(), threads);
  std::vector<float> parameters(backend->table().size());
  backend->table().initialise(5, parameters.data());
  backend->load_parameters(parameters.data());
  return backend;
}

/// All that a checkpoint holds.
struct Checkpoint {
  std::vector<float> parameters, m, v;
  int64_t steps = 0;
  TrainingPosition position;
};

Checkpoint save(Trainer& trainer) {
  const size_t size = trainer.backend().table().size();
  Checkpoint saved{std::vector<float>(size), std::vector<float>(size), std::vector<float>(size), 0,
                   trainer.position()};
  trainer.backend().read_parameters(saved.parameters.data());
  trainer.backend().read_moments(saved.m.data(), saved.v.data(), &saved.steps);
  return saved;
}

void restore(const Checkpoint& saved, Trainer& trainer) {
  trainer.backend().load_parameters(saved.parameters.data());
  trainer.backend().load_moments(saved.m.data(), saved.v.data(), saved.steps);
  trainer.set_position(saved.position);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// What a training ends with: its last checkpoint and the sums of each epoch.
struct Outcome {
  Checkpoint end;
  std::vector<TrainingPosition> epochs;
};

void check_same(const Outcome& a, const Outcome& b) {
  CHECK(same_bits(a.end.parameters, b.end.parameters));
  CHECK(same_bits(a.end.m, b.end.m));
  CHECK(same_bits(a.end.v, b.end.v));
  CHECK(a.end.steps == b.end.steps);
  REQUIRE(a.epochs.size() == b.epochs.size());
  for (size_t i = 0; i < a.epochs.size(); ++i) {
    CHECK(a.epochs[i].loss == b.epochs[i].loss);
    CHECK(a.epochs[i].correct == b.epochs[i].correct);
    CHECK(a.epochs[i].clips == b.epochs[i].clips);
    CHECK(a.epochs[i].spikes == b.epochs[i].spikes);
  }
}

Outcome finish(Trainer& trainer, const TrainingOptions& options, std::vector<TrainingPosition> epochs = {}) {
  while (trainer.position().epoch < options.epochs) {
    REQUIRE(trainer.run_epoch(kNoAbort));
    epochs.push_back(trainer.finished());
  }
  return {save(trainer), epochs};
}

std::shared_ptr<FeatureStore> store() {
  return test::tone_store(test::random_tones(kClips, 1));
}

Outcome train(int threads, const TrainingOptions& options) {
  Trainer trainer(fresh_backend(threads), store(), kRate, options, test::first_clips(kClips));
  return finish(trainer, options);
}

TEST_CASE("trainer: the loss goes down and the tones are told apart") {
  for (bool decoupled : {false, true}) {
    TrainingOptions options = some_training();
    options.epochs = 12;
    options.optimizer.decoupled_decay = decoupled;
    const auto backend = fresh_backend(2);
    const auto clips = store();
    Trainer trainer(backend, clips, kRate, options, test::first_clips(kClips));
    const Outcome outcome = finish(trainer, options);
    CHECK(outcome.epochs.back().loss < 0.5 * outcome.epochs.front().loss);
    CHECK(outcome.epochs.back().clips == kClips);
    const auto all = test::first_clips(kClips);
    const EvaluationResult result = evaluate(*backend, *clips, kRate, {}, all, 3, kNoAbort);
    CHECK(result.statistics.correct >= kClips * 9 / 10);
  }
}

TEST_CASE("trainer: 1, 2 and 5 threads give the same bits") {
  const TrainingOptions options = some_training();
  const Outcome one = train(1, options);
  check_same(train(2, options), one);
  check_same(train(5, options), one);
  TrainingOptions other = options;
  other.seed = 100;
  CHECK_FALSE(same_bits(train(1, other).end.parameters, one.end.parameters));
}

TEST_CASE("trainer: stopped after any batch and taken up again by another, it ends with the same bits") {
  const TrainingOptions options = some_training();
  const Outcome whole = train(2, options);
  const auto clips = store();
  const int batches = (kClips + 15) / 16;
  for (int stop = 1; stop < batches * options.epochs; ++stop) {
    CAPTURE(stop);
    std::atomic<bool> abort = false;
    int steps = 0;
    const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1));
    watched->on_step = [&](float) { abort = ++steps == stop; };
    watched->elsewhere = stop % 2 == 0;
    Trainer first(watched, clips, kRate, options, test::first_clips(kClips));
    std::vector<TrainingPosition> epochs;
    while (first.run_epoch(abort)) {
      epochs.push_back(first.finished());
      if (abort) break;
    }
    CHECK(steps == stop);
    CHECK(first.position().epoch * batches + first.position().batch == stop);
    Trainer second(fresh_backend(2), clips, kRate, options, test::first_clips(kClips));
    restore(save(first), second);
    check_same(finish(second, options, epochs), whole);
  }
}

/// Clips of each batch, found by the input that they give.
std::vector<std::vector<int>> batches_of_epoch(const FeatureStore& store, const TrainingOptions& options,
                                               const std::vector<int>& training, int epoch) {
  std::vector<std::vector<int>> batches;
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1));
  watched->on_gradient = [&](const Batch& batch) {
    batches.emplace_back();
    std::vector<float> x(batch.steps * test::kToneFeatures);
    for (int i = 0; i < batch.clips; ++i) {
      batch.input(i, 0, batch.steps, x.data(), test::kToneFeatures, 0);
      int clip = 0;
      while (clip < store.size() &&
             std::memcmp(x.data(), store.features(clip), x.size() * sizeof(float)) != 0)
        ++clip;
      REQUIRE(clip < store.size());
      CHECK(batch.labels[i] == store.label(clip));
      batches.back().push_back(clip);
    }
  };
  const std::shared_ptr<const FeatureStore> shared(&store, [](const FeatureStore*) {});
  Trainer trainer(watched, shared, {EncodingKind::kDirect, 1, 0.0f}, options, training);
  TrainingPosition start;
  start.epoch = epoch;
  start.spikes.resize(2);
  trainer.set_position(start);
  trainer.run_epoch(kNoAbort);
  CHECK(trainer.progress() == static_cast<int64_t>(training.size()));
  return batches;
}

TEST_CASE("trainer: every epoch sees each training clip once, in an order of its own") {
  const auto clips = store();
  std::vector<int> training;
  for (int i = 0; i < kClips; i += 2) training.push_back(i);
  std::vector<std::vector<int>> orders;
  for (int epoch = 0; epoch < 4; ++epoch) {
    std::vector<int> order;
    for (const auto& batch : batches_of_epoch(*clips, some_training(), training, epoch)) {
      CHECK(batch.size() == (order.empty() ? 16 : 9));
      order.insert(order.end(), batch.begin(), batch.end());
    }
    CHECK(std::is_permutation(order.begin(), order.end(), training.begin(), training.end()));
    CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
    for (const auto& other : orders) CHECK(order != other);
    orders.push_back(order);
  }
}

/// Inputs of all clips in the first `epochs` epochs, in the order in which they come. Clips 7 and
/// 8 sound the same.
std::vector<std::vector<uint16_t>> inputs_of(const std::vector<int>& training, int epochs) {
  std::vector<std::vector<uint16_t>> inputs;
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1));
  watched->on_gradient = [&](const Batch& batch) {
    for (int i = 0; i < batch.clips; ++i) {
      inputs.emplace_back(batch.steps * pad_lanes(test::kToneFeatures) / kLanePad);
      batch.spikes(i, 0, batch.steps, inputs.back().data(), pad_lanes(test::kToneFeatures) / kLanePad, 0);
    }
  };
  test::Tones tones = test::random_tones(kClips, 1);
  tones.samples[8] = tones.samples[7];
  TrainingOptions options = some_training();
  options.batch_size = 2;
  Trainer trainer(watched, test::tone_store(tones), kRate, options, training);
  for (int epoch = 0; epoch < epochs; ++epoch) trainer.run_epoch(kNoAbort);
  return inputs;
}

TEST_CASE("trainer: a clip gets other random spikes in every epoch, whatever it is trained with") {
  const auto inputs = inputs_of({7}, 3);
  REQUIRE(inputs.size() == 3);
  CHECK(inputs[0] != inputs[1]);
  CHECK(inputs[1] != inputs[2]);
  CHECK(inputs[0] != inputs[2]);
  const auto among_others = inputs_of({1, 7, 9, 12, 30}, 1);
  CHECK(std::count(among_others.begin(), among_others.end(), inputs[0]) == 1);
  const auto twins = inputs_of({7, 8}, 1);
  CHECK(twins[0] != twins[1]);
}

TEST_CASE("trainer: all orders of the clips are equally likely") {
  std::map<std::vector<int>, int> seen;
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1));
  watched->on_gradient = [&](const Batch& batch) { ++seen[{batch.labels, batch.labels + batch.clips}]; };
  Trainer trainer(watched, store(), {EncodingKind::kDirect, 1, 0.0f}, some_training(), {0, 1, 2});
  constexpr int kEpochs = 3000;
  for (int epoch = 0; epoch < kEpochs; ++epoch) trainer.run_epoch(kNoAbort);
  CHECK(seen.size() == 6);
  double chi_squared = 0.0;
  for (const auto& [order, count] : seen) chi_squared += (count - 500.0) * (count - 500.0) / 500.0;
  CHECK(chi_squared < 20.5);  // exceeded by chance once in a thousand seeds, and this one is fixed
}

TEST_CASE("trainer: the learning rate goes through the whole schedule once") {
  TrainingOptions options = some_training();
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1));
  std::vector<float> rates;
  watched->on_step = [&](float rate) { rates.push_back(rate); };
  Trainer trainer(watched, store(), kRate, options, test::first_clips(kClips));
  finish(trainer, options);
  REQUIRE(rates.size() == 12);
  for (int i = 0; i < 12; ++i) CHECK(rates[i] == learning_rate(options.schedule, i, 12));
}

}  // namespace
}  // namespace sonospike
