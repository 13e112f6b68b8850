// Training and evaluation with clips that are as long as they are.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "core/network/recognizer.h"
#include "core/training/trainer.h"
#include "test/allocations.h"
#include "test/training_cases.h"
#include "test/watched_backend.h"

namespace sonospike {
namespace {

using test::WatchedBackend;

constexpr int kClips = 30, kMade = 6, kBatch = 8;
constexpr ClipFrames kShort{7, 1};  // of the tones' 5 to 8 frames
const std::atomic<bool> kNoAbort = false;
const EncodingOptions kRate{EncodingKind::kRate, 3, 0.0f}, kDirect{EncodingKind::kDirect, 1, 0.0f},
    kDelta{EncodingKind::kDelta, 2, 0.1f};

TrainingOptions some_training(bool augmented) {
  TrainingOptions options;
  options.epochs = 2;
  options.batch_size = kBatch;
  options.seed = 12;
  options.optimizer.clip_norm = 1.0f;
  options.loss.spike_cost = 0.1f;
  if (!augmented) return options;
  options.negatives = kMade;
  options.augmentation.emplace();
  options.augmentation->speed = {0.7, 1.4};
  options.augmentation->tempo = {0.8, 1.2};
  options.augmentation->time_masks = 1;
  options.augmentation->time_mask_seconds = 0.02;
  return options;
}

/// Convolutions and adaptive neurons that look back, as the default preset has them.
NetworkOptions network(const EncodingOptions& encoding) {
  NetworkOptions options;
  options.input_channels = Encoder(encoding).channels_of_feature();
  options.inputs = test::kToneFeatures * options.input_channels;
  options.classes = test::kPitches;
  options.layers.resize(2);
  options.layers[0].connection = {ConnectionKind::kConvolution, kLanePad, 3, 2, 3, 1};
  options.layers[0].neurons = output_bands(options.layers[0].connection, test::kToneFeatures) * kLanePad;
  options.layers[0].neuron.adaptive = true;
  options.layers[0].dropout = 0.2f;
  options.layers[1].neurons = 12;
  options.readout.kind = ReadoutKind::kMeanPotential;
  return options;
}

std::shared_ptr<Backend> fresh_backend(int threads, const EncodingOptions& encoding) {
  std::shared_ptr<Backend> backend = make_cpu_backend(network(encoding), threads);
  std::vector<float> parameters(backend->table().size());
  backend->table().initialise(5, parameters.data());
  backend->load_parameters(parameters.data());
  return backend;
}

std::shared_ptr<FeatureStore> store() {
  const test::Tones tones = test::random_tones(kClips, 1);
  auto extractor = std::make_shared<FeatureExtractor>(test::tone_front_end(), test::kToneScaling, kShort);
  auto made = std::make_shared<FeatureStore>(extractor, 2);
  auto clips = tones.clips();
  for (auto& clip : clips) clip.augmented = true;
  made->add(clips);
  return made;
}

/// The parameters and the sums of each epoch.
struct Outcome {
  std::vector<float> parameters;
  std::vector<TrainingPosition> epochs;
};

Outcome finish(Trainer& trainer, int epochs, std::vector<TrainingPosition> done = {}) {
  while (trainer.position().epoch < epochs) {
    REQUIRE(trainer.run_epoch(kNoAbort));
    done.push_back(trainer.finished());
  }
  Outcome outcome{std::vector<float>(trainer.backend().table().size()), std::move(done)};
  trainer.backend().read_parameters(outcome.parameters.data());
  return outcome;
}

void check_same(const Outcome& a, const Outcome& b) {
  CHECK(a.parameters == b.parameters);
  REQUIRE(a.epochs.size() == b.epochs.size());
  for (size_t i = 0; i < a.epochs.size(); ++i) {
    CHECK(a.epochs[i].clips == b.epochs[i].clips);
    CHECK(a.epochs[i].loss == b.epochs[i].loss);
    CHECK(a.epochs[i].correct == b.epochs[i].correct);
    CHECK(a.epochs[i].spikes == b.epochs[i].spikes);
    CHECK(a.epochs[i].steps == b.epochs[i].steps);
  }
}

Outcome train(int threads, const EncodingOptions& encoding, bool augmented) {
  const TrainingOptions options = some_training(augmented);
  Trainer trainer(fresh_backend(threads, encoding), store(), encoding, options, test::first_clips(kClips));
  return finish(trainer, options.epochs);
}

TEST_CASE("variable lengths: 1, 2 and 5 threads give the same bits, augmented or not") {
  for (const EncodingOptions& encoding : {kRate, kDirect, kDelta}) {
    for (bool augmented : {false, true}) {
      const Outcome one = train(1, encoding, augmented);
      check_same(train(2, encoding, augmented), one);
      check_same(train(5, encoding, augmented), one);
      CHECK(one.epochs[0].clips == kClips + (augmented ? kMade : 0));
    }
  }
}

TEST_CASE("variable lengths: stopped after any batch and taken up again it ends with the same bits") {
  for (bool augmented : {false, true}) {
    const TrainingOptions options = some_training(augmented);
    const auto clips = store();
    const auto training = test::first_clips(kClips);
    const Outcome whole = train(2, kRate, augmented);
    const int batches = (kClips + options.negatives + kBatch - 1) / kBatch;
    for (int stop = 1; stop < batches * options.epochs; ++stop) {
      CAPTURE(stop);
      std::atomic<bool> abort = false;
      int steps = 0;
      const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1, kRate));
      watched->on_step = [&](float) { abort = ++steps == stop; };
      Trainer first(watched, clips, kRate, options, training);
      std::vector<TrainingPosition> epochs;
      while (first.run_epoch(abort)) {
        epochs.push_back(first.finished());
        if (abort) break;
      }
      const size_t size = watched->table().size();
      std::vector<float> parameters(size), m(size), v(size);
      int64_t taken = 0;
      watched->read_parameters(parameters.data());
      watched->read_moments(m.data(), v.data(), &taken);
      Trainer second(fresh_backend(2, kRate), clips, kRate, options, training);
      second.backend().load_parameters(parameters.data());
      second.backend().load_moments(m.data(), v.data(), taken);
      second.set_position(first.position());
      check_same(finish(second, options.epochs, epochs), whole);
    }
  }
}

TEST_CASE("variable lengths: each clip comes with its own steps, which an epoch sums") {
  const auto clips = store();
  for (const EncodingOptions& encoding : {kRate, kDirect}) {
    const Encoder encoder(encoding);
    int64_t expected = 0;
    std::multiset<int> of_store, seen;
    for (int i = 0; i < kClips; ++i) {
      of_store.insert(encoder.steps(clips->frames(i)));
      expected += encoder.steps(clips->frames(i));
    }
    REQUIRE(*of_store.begin() < *of_store.rbegin());
    const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1, encoding));
    watched->on_gradient = [&](const Batch& batch) {
      CHECK(batch.steps == encoder.steps(kShort.most));
      REQUIRE(batch.steps_of);
      seen.insert(batch.steps_of, batch.steps_of + batch.clips);
    };
    Trainer trainer(watched, clips, encoding, some_training(false), test::first_clips(kClips));
    trainer.run_epoch(kNoAbort);
    CHECK(seen == of_store);
    CHECK(trainer.finished().steps == expected);
  }
  // Clips that are all cut or padded to a number of frames have the steps of that.
  const auto fixed = test::tone_store(test::random_tones(kClips, 1));
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1, kRate));
  watched->on_gradient = [](const Batch& batch) { CHECK(batch.steps_of == nullptr); };
  Trainer trainer(watched, fixed, kRate, some_training(false), test::first_clips(kClips));
  trainer.run_epoch(kNoAbort);
  CHECK(trainer.finished().steps == int64_t{kClips} * kRate.steps_per_frame * test::kToneFrames);
}

TEST_CASE("variable lengths: an augmented clip comes as long as the augmenter makes it") {
  const TrainingOptions options = some_training(true);
  const auto clips = store();
  const Augmenter augmenter(clips->shared_extractor(), *options.augmentation);
  std::multiset<std::vector<float>> seen, made;
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1, kDirect));
  watched->on_gradient = [&](const Batch& batch) {
    for (int i = 0; i < batch.clips; ++i) {
      if (batch.labels[i] < 0) continue;
      std::vector<float> input(static_cast<size_t>(batch.steps_of[i]) * test::kToneFeatures);
      batch.input(i, 0, batch.steps_of[i], input.data(), test::kToneFeatures, 0);
      seen.insert(std::move(input));
    }
  };
  Trainer trainer(watched, clips, kDirect, options, test::first_clips(kClips));
  trainer.run_epoch(kNoAbort);
  AugmenterWorkspace workspace;
  for (uint32_t clip = 0; clip < kClips; ++clip) {
    const auto samples = clips->samples(static_cast<int>(clip));
    std::vector<float> out(clips->extractor().size());
    const int frames =
        augmenter.features(samples.data(), samples.size(), {options.seed, clip, 1}, out.data(), workspace);
    out.resize(static_cast<size_t>(frames) * test::kToneFeatures);
    made.insert(std::move(out));
  }
  CHECK(seen == made);
}

TEST_CASE("variable lengths: a prediction and an evaluation give a clip the same bits, and its own steps") {
  const test::Tones tones = test::random_tones(kClips, 1);
  const auto clips = store();
  for (const EncodingOptions& encoding : {kRate, kDirect, kDelta}) {
    const auto backend = fresh_backend(3, encoding);
    const size_t layers = backend->options().layers.size();
    const Encoder encoder(encoding);
    const auto found = evaluate(*backend, *clips, encoding, {}, test::first_clips(kClips), 9, kNoAbort);
    Recognizer recognizer(clips->shared_extractor(), encoding, backend);
    int64_t steps = 0;
    for (int i = 0; i < kClips; ++i) {
      const auto& samples = tones.samples[i];
      const Answer answer = recognizer.predict(samples.data(), samples.size(), 8000, 9);
      CHECK(answer.steps == encoder.steps(clips->frames(i)));
      CHECK(found.steps[i] == answer.steps);
      CHECK(std::equal(answer.scores, answer.scores + test::kPitches, &found.scores[i * test::kPitches]));
      CHECK(std::equal(answer.spikes, answer.spikes + layers, &found.spikes[i * layers]));
      const std::vector<float> scores(answer.scores, answer.scores + test::kPitches);
      const Observation seen = recognizer.observe(samples.data(), samples.size(), 8000, 9);
      CHECK(std::equal(scores.begin(), scores.end(), seen.scores));
      CHECK(seen.frames == clips->frames(i));
      CHECK(seen.steps == answer.steps);
      steps += answer.steps;
    }
    CHECK(found.statistics.steps == steps);
  }
}

TEST_CASE("variable lengths: lengths that change from clip to clip allocate nothing") {
  const test::Tones tones = test::random_tones(12, 7);
  const auto extractor =
      std::make_shared<FeatureExtractor>(test::tone_front_end(), test::kToneScaling, ClipFrames{20, 2});
  for (const EncodingOptions& encoding : {kRate, kDirect}) {
    Recognizer recognizer(extractor, encoding, fresh_backend(1, encoding));
    const auto predict_all = [&] {
      for (const auto& samples : tones.samples) recognizer.predict(samples.data(), samples.size(), 8000, 1);
    };
    predict_all();
    const int64_t before = test::allocations();
    predict_all();
    const int64_t during = test::allocations() - before;  // CHECK allocates itself
    CHECK(during == 0);
  }
}

}  // namespace
}  // namespace sonospike
