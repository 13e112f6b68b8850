// Trainings whose batches the device is given as graphs, which must not change a bit.
#include <doctest/doctest.h>

#include "test/backends.h"
#include "test/training_cases.h"

#if !defined(SONOSPIKE_CUDA)
#include <atomic>
#include <stdexcept>

#include "core/training/trainer.h"
#include "cuda/device/graph.h"
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
