// Batches that the device is given as graphs, which must not change a bit.
#include <doctest/doctest.h>

#include "cuda/device/graph.h"
#include "cuda/kernels/index.h"
#include "test/backends.h"
#include "test/training_cases.h"

namespace sonospike {
namespace {

using test::NetworkCase;

struct Learned {
  std::vector<float> gradient;
  BatchStatistics statistics;
};

Learned learn(Backend& backend, const Batch& batch, const LossOptions& loss) {
  Learned learned;
  learned.statistics = backend.gradient(batch, loss);
  learned.gradient.resize(backend.table().size());
  backend.read_gradient(learned.gradient.data());
  return learned;
}

TEST_CASE("cuda: graphs: what is launched can be recorded") {
  cuda::Device device(0);
  device.use();
  const std::vector<int> first_row{0, 3, 5};
  cuda::DeviceArray<int> first(device), step_of(device), clip_of(device);
  first.upload(first_row.data(), first_row.size());
  step_of.reserve(5);
  clip_of.reserve(5);
  cuda::Graph graph(device);
  CHECK(graph.record([&] { cuda::index_rows(device, first.data(), 2, step_of.data(), clip_of.data()); }));
  graph.launch();
  std::vector<int> found(5);
  clip_of.download(found.data());
  CHECK(found == std::vector<int>{0, 0, 0, 1, 1});
}

TEST_CASE("cuda: graphs: batches that come again, with other clips, have the bits of the first time") {
  for (uint32_t seed = 0; seed < test::gpu_networks(16); ++seed) {
    CAPTURE(seed);
    const test::Spikes spikes = seed % 4 < 2 ? test::Spikes::kHard : test::Spikes::kSoft;
    NetworkCase c = seed % 2 ? test::narrow_case(9700 + seed, spikes)
                             : test::CaseMaker(9700 + seed).make(spikes, {3, 40, 30, 40, 1, true});
    test::CaseMaker(seed).add_clips(c, 6 - static_cast<int>(c.clips.size()) % 2);
    const int half = static_cast<int>(c.clips.size()) / 2;
    const auto fresh = [&] {
      auto backend = test::make_gpu_backend(c.options, 1);
      backend->load_parameters(c.parameters.data());
      return backend;
    };
    const Batch batches[] = {c.batch(0, half), c.batch(half, half)};
    const Learned expected[] = {learn(*fresh(), batches[0], c.loss), learn(*fresh(), batches[1], c.loss)};
    const auto backend = fresh();
    for (int time = 0; time < 6; ++time) {
      const Learned found = learn(*backend, batches[time % 2], c.loss);
      CHECK(found.gradient == expected[time % 2].gradient);
      CHECK(found.statistics.loss == expected[time % 2].statistics.loss);
      CHECK(found.statistics.spikes == expected[time % 2].statistics.spikes);
    }
  }
}

}  // namespace
}  // namespace sonospike

#if !defined(SONOSPIKE_CUDA)
#include <atomic>
#include <stdexcept>

#include "core/training/trainer.h"
#include "cuda/device/launch.h"

namespace sonospike {
namespace {

namespace emulation = cuda::emulation;

const std::atomic<bool> kNoAbort{false};
constexpr int kClips = 30, kBatch = 7, kEpochs = 4;
constexpr int kBatches = (kClips + kBatch - 1) / kBatch;

struct WithoutGraphs {
  WithoutGraphs() { emulation::refuse_graphs(true); }
  ~WithoutGraphs() { emulation::refuse_graphs(false); }
};

struct LittleMemory {
  explicit LittleMemory(size_t bytes) { emulation::set_memory(bytes); }
  ~LittleMemory() { emulation::set_memory(size_t{1} << 30); }
};

/// All that a training shows.
struct Course {
  std::vector<float> values;    // gradients and parameters after every epoch
  std::vector<double> figures;  // of every epoch and evaluation
  bool operator==(const Course&) const = default;
};

using Between = std::function<void(Backend&, int epoch)>;

/// Trains, with a look at everything and `between` after every epoch.
Course train(const NetworkOptions& network, const Between& between = {},
             ClipFrames frames = {test::kToneFrames}) {
  const std::shared_ptr<Backend> backend = test::make_gpu_backend(network, 1);
  const auto store = test::tone_store(test::random_tones(kClips, 1), test::kToneScaling, 1, frames);
  TrainingOptions options;
  options.epochs = kEpochs;
  options.batch_size = kBatch;
  options.seed = 5;
  options.schedule = {ScheduleKind::kOneCycle, 0.01f};
  options.optimizer.clip_norm = 1.0f;
  options.loss = {0.1f, 0.1f};
  const EncodingOptions encoding{EncodingKind::kRate, 5};
  Trainer trainer(backend, store, encoding, options, test::first_clips(kClips));
  std::vector<float> values(backend->table().size());
  backend->table().initialise(9, values.data());
  backend->load_parameters(values.data());
  Course course;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const bool complete = trainer.run_epoch(kNoAbort);
    REQUIRE(complete);
    const TrainingPosition& done = trainer.finished();
    course.figures.insert(course.figures.end(), {done.loss, static_cast<double>(done.correct)});
    course.figures.insert(course.figures.end(), done.spikes.begin(), done.spikes.end());
    const EvaluationResult found =
        evaluate(*backend, *store, encoding, options.loss, test::first_clips(kClips - epoch), 3, kNoAbort);
    course.figures.insert(course.figures.end(), found.scores.begin(), found.scores.end());
    backend->read_gradient(values.data());
    course.values.insert(course.values.end(), values.begin(), values.end());
    backend->read_parameters(values.data());
    course.values.insert(course.values.end(), values.begin(), values.end());
    if (between) between(*backend, epoch);
  }
  return course;
}

/// Networks that go all ways through the backend, by a number below 5.
NetworkOptions network_of(int kind) {
  LayerOptions layer;
  layer.neurons = 24;
  layer.constrain = true;
  layer.dropout = 0.2f;
  NetworkOptions options{test::kToneFeatures, test::kPitches, {layer, layer}, {ReadoutKind::kMeanPotential}};
  LayerOptions& first = options.layers[0];
  LayerOptions& last = options.layers[1];
  switch (kind) {
    case 0:
      break;  // narrow, as it is
    case 1:
      for (LayerOptions& each : options.layers) {
        each.neuron.spike = SpikeKind::kSoft;
        each.dropout = 0.0f;
      }
      last.neurons = test::kPitches;
      options.readout.kind = ReadoutKind::kSpikeCount;
      break;
    case 2:
      first.neurons = 40;
      first.neuron.adaptive = true;
      options.readout.kind = ReadoutKind::kLeakyIntegrator;
      break;
    case 3:
      last.recurrent = true;
      last.dropout = 0.0f;
      break;
    default:
      first.connection = {ConnectionKind::kConvolution, 16, 3, 2, 3, 1};
      first.neurons = 5 * 16;
  }
  return options;
}

TEST_CASE("cuda: graphs: a training has the same bits with them as without" *
          doctest::skip(test::kWatchedGpu)) {
  for (int kind = 0; kind < 5; ++kind) {
    CAPTURE(kind);
    const NetworkOptions network = network_of(kind);
    const int before = emulation::graphs_launched();
    const Course with = train(network);
    // Whole batches come again in the first epoch, or in the second if an evaluation has moved the memory;
    // the last ones from the third epoch on.
    CHECK(emulation::graphs_launched() - before >= (kEpochs - 1) * (kBatches - 1) - 2);
    const WithoutGraphs none;
    const int then = emulation::graphs_launched();
    const Course without = train(network);
    CHECK(emulation::graphs_launched() == then);
    CHECK(with == without);
  }
}

TEST_CASE("cuda: graphs: batches of other lengths that have as many steps in all share one") {
  const ClipFrames frames{test::kToneFrames, 1};
  const int before = emulation::graphs_launched();
  const Course with = train(network_of(0), {}, frames);
  CHECK(emulation::graphs_launched() > before);
  const WithoutGraphs none;
  CHECK(train(network_of(0), {}, frames) == with);
}

/// A batch of another kind than those of the training: of one clip, with values, with and without a gradient
/// of its input.
void ask_for_something_else(Backend& backend, int) {
  const NetworkOptions& options = backend.options();
  const std::vector<float> input(3 * options.inputs, 0.5f);
  const int label = 1;
  Batch batch;
  batch.clips = 1;
  batch.steps = 3;
  batch.labels = &label;
  batch.input = [&](int, int first, int steps, float* x, size_t stride, int) {
    for (int t = 0; t < steps; ++t)
      std::copy_n(&input[(first + t) * options.inputs], options.inputs, x + t * stride);
  };
  for (int time = 0; time < 6; ++time) {
    batch.of_input = time % 2;
    backend.gradient(batch, {});
  }
}

/// Half of the memory is gone for an evaluation of many clips, so that all that was allocated moves.
void take_memory(Backend& backend, int epoch) {
  if (epoch != 1) return;
  const LittleMemory little(emulation::memory_in_use());
  std::vector<float> scores(200 * backend.options().classes);
  std::vector<double> spikes(200 * backend.options().layers.size());
  Batch batch;
  batch.clips = 200;
  batch.steps = 60;
  batch.input = [&](int, int, int steps, float* x, size_t stride, int) {
    for (int t = 0; t < steps; ++t) std::fill_n(x + t * stride, backend.options().inputs, 0.3f);
  };
  backend.forward(batch, scores.data(), spikes.data());
}

TEST_CASE("cuda: graphs: whatever comes between the batches does not get into them" *
          doctest::skip(test::kWatchedGpu)) {
  for (int kind = 0; kind < 5; ++kind) {
    CAPTURE(kind);
    const NetworkOptions network = network_of(kind);
    const Course expected = train(network);
    for (const Between& between : {Between(ask_for_something_else), Between(take_memory)}) {
      const int before = emulation::graphs_launched();
      CHECK(train(network, between) == expected);
      CHECK(emulation::graphs_launched() > before);
    }
  }
}

TEST_CASE("cuda: what a batch counted can be asked for after others have begun, or never") {
  const NetworkCase c = test::narrow_case(4, test::Spikes::kHard);
  const auto network = [&] {
    auto backend = test::make_gpu_backend(c.options, 1);
    backend->load_parameters(c.parameters.data());
    return backend;
  };
  const auto at_once = network(), later = network();
  std::vector<BatchStatistics> expected;
  std::vector<std::function<BatchStatistics()>> waiting;
  for (int i = 0; i < 6; ++i) {
    expected.push_back(at_once->gradient(c.batch(), c.loss));
    at_once->step({}, 0.01f);
    waiting.push_back(later->start_gradient(c.batch(), c.loss));
    later->step({}, 0.01f);
    if (i == 2) waiting[1] = {};
  }
  for (int i = 5; i >= 0; --i) {
    if (i == 1) continue;
    const BatchStatistics found = waiting[i]();
    CHECK(found.loss == expected[i].loss);
    CHECK(found.correct == expected[i].correct);
    CHECK(found.spikes == expected[i].spikes);
    CHECK(found.steps == expected[i].steps);
  }
  const auto last = later->start_gradient(c.batch(), c.loss);
  emulation::lose();
  CHECK_THROWS_AS(last(), DeviceError);
  emulation::restore();
}

TEST_CASE(
    "cuda: graphs: a device that is lost is told as such, and nothing is recorded that cannot be done") {
  const NetworkOptions network = network_of(1);
  CHECK_THROWS_AS(train(network,
                        [](Backend&, int epoch) {
                          if (epoch == 1) emulation::lose();
                        }),
                  DeviceError);
  emulation::restore();

  cuda::Device device(0);
  cuda::DeviceArray<float> there(device);
  there.reserve(4);
  cuda::Graph graph(device);
  CHECK_THROWS_AS(graph.record([&] { there.reserve(8); }), std::logic_error);
  there.reserve(4);
  CHECK_THROWS_AS(graph.record([&] { device.synchronize(); }), std::logic_error);
  const float value = 1.0f;
  CHECK_THROWS_AS(graph.record([&] { there.upload(&value, 1); }), std::logic_error);
  device.synchronize();  // and afterwards it can
}

}  // namespace
}  // namespace sonospike
#endif
