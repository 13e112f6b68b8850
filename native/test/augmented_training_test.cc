#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>

#include "core/training/trainer.h"
#include "test/allocations.h"
#include "test/training_cases.h"
#include "test/watched_backend.h"

namespace sonospike {
namespace {

using test::WatchedBackend;

constexpr int kClips = 30, kMade = 9;
const std::atomic<bool> kNoAbort = false;
const EncodingOptions kDirect{EncodingKind::kDirect, 1, 0.0f};

TrainingOptions some_training() {
  TrainingOptions options;
  options.epochs = 2;
  options.batch_size = 8;
  options.seed = 11;
  options.negatives = kMade;
  options.augmentation.emplace();
  options.augmentation->speed = {0.8, 1.25};
  options.augmentation->noise_probability = 0.5;
  options.augmentation->snr = {0, 20};
  options.augmentation->frequency_warp = {0.9, 1.1};
  options.augmentation->time_masks = 1;
  options.augmentation->time_mask_seconds = 0.02;
  return options;
}

std::shared_ptr<Backend> fresh_backend(int threads) {
  NetworkOptions network;
  network.inputs = test::kToneFeatures;
  network.classes = test::kPitches;
  network.layers.resize(1);
  network.layers[0].neurons = 16;
  network.readout.kind = ReadoutKind::kLeakyIntegrator;
  std::shared_ptr<Backend> backend = make_cpu_backend(network, threads);
  std::vector<float> parameters(backend->table().size());
  backend->table().initialise(5, parameters.data());
  backend->load_parameters(parameters.data());
  return backend;
}

std::shared_ptr<FeatureStore> store(const ScalingOptions& scaling = test::kToneScaling) {
  return test::augmentable_store(kClips, scaling);
}

std::vector<float> parameters_of(Trainer& trainer) {
  std::vector<float> parameters(trainer.backend().table().size());
  trainer.backend().read_parameters(parameters.data());
  return parameters;
}

std::vector<float> train(int threads, const TrainingOptions& options, const ScalingOptions& scaling) {
  Trainer trainer(fresh_backend(threads), store(scaling), kDirect, options, test::first_clips(kClips));
  while (trainer.position().epoch < options.epochs) REQUIRE(trainer.run_epoch(kNoAbort));
  CHECK(trainer.finished().clips == kClips + kMade);
  CHECK(trainer.finished().correct <= kClips);
  return parameters_of(trainer);
}

TEST_CASE("augmented training: 1, 2 and 5 threads give the same bits, with either scaling") {
  for (const ScalingOptions& scaling :
       {test::kToneScaling, ScalingOptions{ScalingKind::kStandard, true, false}}) {
    const auto one = train(1, some_training(), scaling);
    CHECK(train(2, some_training(), scaling) == one);
    CHECK(train(5, some_training(), scaling) == one);
    TrainingOptions plain = some_training();
    plain.augmentation.reset();
    CHECK(train(2, plain, scaling) != one);
  }
}

/// A backend that says that its work is done elsewhere, so that features are made meanwhile.
std::shared_ptr<WatchedBackend> elsewhere(int threads) {
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(threads));
  watched->elsewhere = true;
  return watched;
}

TEST_CASE("augmented training: features made while a device is at work give the same bits") {
  for (const int batch_size : {1, 8, 13, 39, 64}) {
    CAPTURE(batch_size);
    TrainingOptions options = some_training();
    options.batch_size = batch_size;
    for (const int negatives : {0, kMade}) {
      options.negatives = negatives;
      Trainer before(fresh_backend(2), store(), kDirect, options, test::first_clips(kClips));
      Trainer ahead(elsewhere(2), store(), kDirect, options, test::first_clips(kClips));
      while (before.position().epoch < options.epochs) {
        REQUIRE(before.run_epoch(kNoAbort));
        REQUIRE(ahead.run_epoch(kNoAbort));
        CHECK(ahead.finished().loss == before.finished().loss);
        CHECK(ahead.finished().steps == before.finished().steps);
      }
      CHECK(parameters_of(ahead) == parameters_of(before));
    }
  }
}

TEST_CASE("augmented training: an error at work, or in what is made meanwhile, leaves nothing running") {
  const TrainingOptions options = some_training();
  const auto whole = train(1, options, test::kToneScaling);
  const auto backend = elsewhere(1);
  const auto trainer =
      std::make_unique<Trainer>(backend, store(), kDirect, options, test::first_clips(kClips));
  int calls = 0;
  backend->on_gradient = [&](const Batch&) {
    if (++calls % 2 == 0) throw std::runtime_error("at work");
  };
  int failures = 0;
  while (trainer->position().epoch < options.epochs) {
    try {
      trainer->run_epoch(kNoAbort);
      CHECK(trainer->finished().clips == trainer->clips());
    } catch (const std::runtime_error&) {
      ++failures;
    }
  }
  CHECK(failures == calls / 2);
  CHECK(failures > 5);
  CHECK(parameters_of(*trainer) == whole);

  Trainer other(elsewhere(1), store(), kDirect, options, test::first_clips(kClips));
  {
    // The first batch is drawn here; the one after it on a thread that gets no memory for it.
    const test::MemoryHereOnly here;
    CHECK_THROWS_AS(other.run_epoch(kNoAbort), std::bad_alloc);
  }
  CHECK(other.position().batch == 1);
  CHECK(other.position().clips == options.batch_size);  // what was learned from counts
  while (other.position().epoch < options.epochs) REQUIRE(other.run_epoch(kNoAbort));
  CHECK(parameters_of(other) == whole);
}

void check_stops(bool ahead) {
  const TrainingOptions options = some_training();
  const auto whole = train(2, options, test::kToneScaling);
  const auto clips = store();
  const int batches = (kClips + kMade + 7) / 8;
  for (int stop = 1; stop < batches * options.epochs; ++stop) {
    std::atomic<bool> abort = false;
    int steps = 0;
    const auto watched = elsewhere(2);
    watched->elsewhere = ahead;
    watched->on_step = [&](float) { abort = ++steps == stop; };
    Trainer first(watched, clips, kDirect, options, test::first_clips(kClips));
    CHECK(first.batches() == batches);
    while (first.run_epoch(abort) && !abort) {
    }
    CHECK(steps == stop);
    const auto parameters = parameters_of(first);
    std::vector<float> m(parameters.size()), v(parameters.size());
    int64_t taken = 0;
    first.backend().read_moments(m.data(), v.data(), &taken);
    Trainer second(fresh_backend(1), clips, kDirect, options, test::first_clips(kClips));
    second.backend().load_parameters(parameters.data());
    second.backend().load_moments(m.data(), v.data(), taken);
    second.set_position(first.position());
    while (second.position().epoch < options.epochs) REQUIRE(second.run_epoch(kNoAbort));
    CHECK(parameters_of(second) == whole);
  }
}

TEST_CASE("augmented training: stopped after any batch and taken up again it ends with the same bits") {
  check_stops(false);
  check_stops(true);
}

/// Inputs of an epoch and their labels, in order.
struct Epoch {
  std::vector<std::vector<float>> inputs;
  std::vector<int> labels;
};

Epoch epoch_of(const TrainingOptions& options, const std::shared_ptr<FeatureStore>& clips, int epoch) {
  Epoch seen;
  const auto watched = std::make_shared<WatchedBackend>(fresh_backend(1));
  watched->on_gradient = [&](const Batch& batch) {
    for (int i = 0; i < batch.clips; ++i) {
      seen.inputs.emplace_back(batch.steps * test::kToneFeatures);
      batch.input(i, 0, batch.steps, seen.inputs.back().data(), test::kToneFeatures, 0);
      seen.labels.push_back(batch.labels[i]);
    }
  };
  Trainer trainer(watched, clips, kDirect, options, test::first_clips(kClips));
  TrainingPosition start;
  start.epoch = epoch;
  start.spikes.resize(1);
  trainer.set_position(start);
  trainer.run_epoch(kNoAbort);
  return seen;
}

TEST_CASE("augmented training: a clip comes as the augmenter makes it for the seed and the epoch") {
  const TrainingOptions options = some_training();
  const auto clips = store();
  const Augmenter augmenter(clips->shared_extractor(), *options.augmentation);
  AugmenterWorkspace workspace;
  std::vector<float> out(clips->extractor().size());
  for (int epoch : {0, 5}) {
    const Epoch seen = epoch_of(options, clips, epoch);
    CHECK(std::count(seen.labels.begin(), seen.labels.end(), -1) == kMade);
    for (int clip = 0; clip < kClips; ++clip) {
      const ClipKey key{options.seed, static_cast<uint32_t>(clip), static_cast<uint32_t>(epoch) + 1};
      augmenter.features(clips->samples(clip).data(), clips->samples(clip).size(), key, out.data(),
                         workspace);
      const auto found = std::find(seen.inputs.begin(), seen.inputs.end(), out);
      REQUIRE(found != seen.inputs.end());
      CHECK(seen.labels[found - seen.inputs.begin()] == clips->label(clip));
    }
  }
}

TEST_CASE("evaluation of changed clips: as the augmenter makes each, on any number of threads") {
  const auto clips = store();
  const AugmentationOptions options = *some_training().augmentation;
  const Augmenter augmenter(clips->shared_extractor(), options);
  std::vector<int> asked(300);  // more than go at once
  for (size_t i = 0; i < asked.size(); ++i) asked[i] = static_cast<int>(i * 7 % kClips);
  const auto found = [&](int threads) {
    const auto watched = std::make_shared<WatchedBackend>(fresh_backend(threads));
    std::vector<std::vector<float>> inputs;
    watched->on_forward = [&](const Batch& batch) {
      for (int i = 0; i < batch.clips; ++i) {
        inputs.emplace_back(batch.steps * test::kToneFeatures);
        batch.input(i, 0, batch.steps, inputs.back().data(), test::kToneFeatures, 0);
      }
    };
    const EvaluationResult result = evaluate(*watched, *clips, kDirect, {}, asked, 21, kNoAbort, &augmenter);
    return std::pair{inputs, result.scores};
  };
  const auto [inputs, scores] = found(1);
  REQUIRE(inputs.size() == asked.size());
  AugmenterWorkspace workspace;
  std::vector<float> out(clips->extractor().size());
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto samples = clips->samples(asked[i]);
    augmenter.features(samples.data(), samples.size(), {21, static_cast<uint32_t>(asked[i]), 0xFFFFFFFFu},
                       out.data(), workspace);
    CHECK(inputs[i] == out);
  }
  for (int threads : {2, 5}) {
    const auto [others_inputs, others_scores] = found(threads);
    CHECK(others_inputs == inputs);
    CHECK(others_scores == scores);
  }
}

TEST_CASE("training with negatives alone: recordings come as they are, what is made is new in every epoch") {
  TrainingOptions options = some_training();
  options.augmentation.reset();
  const auto clips = store();
  std::vector<std::vector<float>> made;
  for (int epoch : {0, 1}) {
    const Epoch seen = epoch_of(options, clips, epoch);
    int recordings = 0;
    for (size_t i = 0; i < seen.inputs.size(); ++i) {
      if (seen.labels[i] < 0) {
        made.push_back(seen.inputs[i]);
        continue;
      }
      for (int clip = 0; clip < kClips; ++clip)
        recordings += std::equal(seen.inputs[i].begin(), seen.inputs[i].end(), clips->features(clip));
    }
    CHECK(recordings == kClips);
  }
  REQUIRE(made.size() == 2 * kMade);
  int same = 0;
  for (int i = 0; i < kMade; ++i) same += std::count(made.begin() + kMade, made.end(), made[i]);
  CHECK(same <= kMade);  // digital silence, at most
}

TEST_CASE("feature store: kept samples are those of the front end's rate, and change no features") {
  const test::Tones tones = test::random_tones(4, 2);
  for (int rate : {8000, 16000}) {
    auto extractor = std::make_shared<FeatureExtractor>(test::tone_front_end(), test::kToneScaling,
                                                        ClipFrames{test::kToneFrames});
    FeatureStore kept(extractor, 1), plain(extractor, 1);
    auto clips = tones.clips();
    for (auto& clip : clips) clip.rate = rate;
    plain.add(clips);
    for (auto& clip : clips) clip.augmented = true;
    kept.add(clips);
    for (int i = 0; i < 4; ++i) {
      CHECK(plain.samples(i).empty());
      CHECK(kept.samples(i).size() == (tones.samples[i].size() * 8000 + rate - 1) / rate);
      CHECK(std::equal(kept.features(i), kept.features(i) + extractor->size(), plain.features(i)));
    }
  }
}

TEST_CASE(
    "loss of a clip that is no word: least where all classes are equally likely, gradient as by "
    "differences") {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(0.1f, 2.0f);
  for (ReadoutKind readout : {ReadoutKind::kSpikeCount, ReadoutKind::kLeakyIntegrator}) {
    std::vector<float> score(4), grad(4), unused(4);
    for (float& x : score) x = uniform(random);
    const LossOptions options{0.1f};
    const double loss = clip_loss(readout, options, score.data(), 4, -1, 1.0f, grad.data());
    for (int c = 0; c < 4; ++c) {
      auto moved = score;
      moved[c] += 1e-3f;
      const double there = clip_loss(readout, options, moved.data(), 4, -1, 1.0f, unused.data());
      CHECK(std::abs((there - loss) / 1e-3 - grad[c]) < 0.01);
    }
    const std::vector<float> even(4, 0.25f);
    const double least = clip_loss(readout, options, even.data(), 4, -1, 1.0f, grad.data());
    CHECK(least == doctest::Approx(std::log(4)));
  }
}

}  // namespace
}  // namespace sonospike
