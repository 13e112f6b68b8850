// Learning rate schedules, and the evaluation of trained networks.
#include <doctest/doctest.h>

#include <cstring>

#include "core/training/trainer.h"
#include "test/training_cases.h"
#include "test/watched_backend.h"

namespace sonospike {
namespace {

const std::atomic<bool> kNoAbort = false;

TEST_CASE("schedule: constant") {
  for (int64_t step : {0, 1, 500, 999})
    CHECK(learning_rate({ScheduleKind::kConstant, 0.01f}, step, 1000) == 0.01f);
}

TEST_CASE("schedule: cosine falls from the rate to the last rate, half way in the middle") {
  const ScheduleOptions options{ScheduleKind::kCosine, 0.01f, 0.3f, 25.0f, 100.0f};
  CHECK(learning_rate(options, 0, 1001) == doctest::Approx(0.01));
  CHECK(learning_rate(options, 500, 1001) == doctest::Approx((0.01 + 0.0001) / 2));
  CHECK(learning_rate(options, 1000, 1001) == doctest::Approx(0.0001));
  for (int step = 1; step <= 1000; ++step) {
    CHECK(learning_rate(options, step, 1001) <= learning_rate(options, step - 1, 1001));
  }
}

TEST_CASE("schedule: one cycle rises from its first rate, is highest after the warm-up, falls to its last") {
  const ScheduleOptions options{ScheduleKind::kOneCycle, 0.01f, 0.3f, 20.0f, 1000.0f};
  CHECK(learning_rate(options, 0, 1001) == doctest::Approx(0.01 / 20));
  CHECK(learning_rate(options, 150, 1001) == doctest::Approx((0.01 / 20 + 0.01) / 2));
  CHECK(learning_rate(options, 300, 1001) == doctest::Approx(0.01));
  CHECK(learning_rate(options, 650, 1001) == doctest::Approx((0.01 + 0.00001) / 2));
  CHECK(learning_rate(options, 1000, 1001) == doctest::Approx(0.00001));
  for (int step = 1; step <= 1000; ++step) {
    const bool rises = learning_rate(options, step, 1001) >= learning_rate(options, step - 1, 1001);
    CHECK(rises == (step <= 300));
  }
}

TEST_CASE("schedule: a single step and extreme warm-ups stay finite") {
  for (ScheduleKind kind : {ScheduleKind::kConstant, ScheduleKind::kCosine, ScheduleKind::kOneCycle}) {
    for (float warmup : {0.0f, 0.5f, 0.99f, 1.0f}) {
      for (int64_t total : {1, 2, 10}) {
        for (int64_t step = 0; step < total; ++step) {
          const float rate = learning_rate({kind, 0.01f, warmup}, step, total);
          CHECK(rate >= 0.0f);
          CHECK(rate <= 0.0100001f);
        }
      }
    }
  }
}

NetworkOptions small_network() {
  NetworkOptions options;
  options.inputs = test::kToneFeatures;
  options.classes = test::kPitches;
  options.layers.resize(2);
  options.layers[1].neurons = test::kPitches;
  return options;
}

struct Evaluated {
  explicit Evaluated(int threads, int clip_count) : backend(make_cpu_backend(small_network(), threads)) {
    std::vector<float> parameters(backend->table().size());
    backend->table().initialise(3, parameters.data());
    backend->load_parameters(parameters.data());
    tones = test::random_tones(clip_count, 4);
  }

  EvaluationResult run(const std::vector<int>& clips, const std::atomic<bool>& abort = kNoAbort) {
    const auto store = test::tone_store(tones);
    return evaluate(*backend, *store, {EncodingKind::kRate, 5, 0.0f}, {}, clips, 8, abort);
  }

  std::unique_ptr<Backend> backend;
  test::Tones tones;
};

TEST_CASE("evaluation: a clip has the scores that it has alone, on any number of threads") {
  constexpr int kClips = 300;  // more than one batch
  const auto all = test::first_clips(kClips);
  Evaluated one(1, kClips), five(5, kClips);
  CHECK(one.backend->workers() == 1);
  CHECK(five.backend->workers() == 5);
  const EvaluationResult together = one.run(all), threaded = five.run(all);
  CHECK(together.scores == threaded.scores);
  CHECK(together.spikes == threaded.spikes);
  CHECK(together.statistics.loss == threaded.statistics.loss);
  double loss = 0.0;
  int correct = 0;
  for (int clip : {0, 1, 17, 255, 256, 299}) {
    const EvaluationResult alone = one.run({clip});
    CHECK(std::memcmp(alone.scores.data(), &together.scores[clip * test::kPitches], 3 * sizeof(float)) == 0);
    CHECK(alone.spikes == std::vector<double>(&together.spikes[clip * 2], &together.spikes[clip * 2 + 2]));
  }
  for (int clip = 0; clip < kClips; ++clip) {
    float unused[test::kPitches];
    const float* score = &together.scores[clip * test::kPitches];
    loss +=
        clip_loss(ReadoutKind::kSpikeCount, {}, score, test::kPitches, one.tones.labels[clip], 1.0f, unused);
    correct += best_class(score, test::kPitches) == one.tones.labels[clip];
  }
  CHECK(together.statistics.loss == doctest::Approx(loss));
  CHECK(together.statistics.correct == correct);
}

TEST_CASE("evaluation: clips without a label have scores, but no loss") {
  Evaluated labelled(2, 20), unlabelled(2, 20);
  unlabelled.tones.labels.assign(20, -1);
  const auto all = test::first_clips(20);
  const EvaluationResult result = unlabelled.run(all);
  CHECK(result.scores == labelled.run(all).scores);
  CHECK(result.statistics.loss == 0.0);
  CHECK(result.statistics.correct == 0);
}

TEST_CASE("evaluation: of nothing, and aborted") {
  Evaluated evaluated(2, 20);
  CHECK(evaluated.run({}).scores.empty());
  const std::atomic<bool> abort = true;
  const EvaluationResult aborted = evaluated.run(test::first_clips(20), abort);
  CHECK_FALSE(aborted.complete);
  CHECK(aborted.statistics.spikes == std::vector<double>(2, 0.0));
}

TEST_CASE("evaluation: stops after the batch in hand") {
  const test::Tones tones = test::random_tones(3, 4);
  const auto store = test::tone_store(tones);
  test::WatchedBackend backend(make_cpu_backend(small_network(), 1));
  std::atomic<bool> abort = false;
  int batches = 0;
  backend.on_forward = [&](const Batch&) { abort = ++batches == 2; };
  const auto run = [&](size_t clips) {
    abort = false;
    batches = 0;
    return evaluate(backend, *store, {EncodingKind::kRate, 5, 0.0f}, {}, std::vector<int>(clips, 1), 8,
                    abort);
  };
  CHECK_FALSE(run(1000).complete);
  CHECK(batches == 2);
  CHECK(run(300).complete);  // there was nothing left to stop
}

TEST_CASE("evaluation: batches of a large network are smaller, and change no sum") {
  const test::Tones tones = test::random_tones(3, 4);
  const auto store = test::tone_store(tones);
  NetworkOptions options = small_network();
  options.layers.insert(options.layers.begin(), LayerOptions{});
  options.layers[0].neurons = options.layers[1].neurons = 1500;
  test::WatchedBackend backend(make_cpu_backend(options, 2));
  std::vector<float> parameters(backend.table().size());
  backend.table().initialise(3, parameters.data());
  backend.load_parameters(parameters.data());
  std::vector<int> sizes;
  backend.on_forward = [&](const Batch& batch) { sizes.push_back(batch.clips); };
  std::vector<int> clips(100);
  for (size_t i = 0; i < clips.size(); ++i) clips[i] = static_cast<int>(i % 3);
  const auto result = evaluate(backend, *store, {EncodingKind::kRate, 5, 0.0f}, {}, clips, 8, kNoAbort);
  REQUIRE(sizes.size() >= 2);
  CHECK(sizes[0] < 100);
  double loss = 0.0;
  for (int clip : clips) {
    loss +=
        evaluate(backend, *store, {EncodingKind::kRate, 5, 0.0f}, {}, {clip}, 8, kNoAbort).statistics.loss;
  }
  CHECK(result.statistics.loss == loss);
}

}  // namespace
}  // namespace sonospike
