// What the CUDA backend is fed with: copies to the device, inputs that stay there, features made ahead.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <random>

#include "core/training/trainer.h"
#include "test/backends.h"
#include "test/training_cases.h"
#include "test/watched_backend.h"
#if !defined(SONOSPIKE_CUDA)
#include "cuda/device/launch.h"
#endif

namespace sonospike {
namespace {

using test::NetworkCase;

const std::atomic<bool> kNoAbort{false};

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

NetworkCase soft_case(uint32_t seed) {
  test::CaseMaker maker(seed);
  NetworkCase c = maker.make(test::Spikes::kSoft, {3, 40, 40, 30, 10, true});
  for (LayerOptions& layer : c.options.layers) layer.neuron.spike = SpikeKind::kSoft;
  maker.vary_lengths(c);
  return c;
}

struct Gradients {
  BatchStatistics statistics;
  std::vector<float> parameters, inputs;
};

Gradients gradients_of(Backend& backend, const NetworkCase& c, const Batch& batch) {
  Gradients found;
  found.statistics = backend.gradient(batch, c.loss);
  found.parameters.resize(backend.table().size());
  found.inputs.assign(c.clips.size() * batch.steps * c.options.inputs, -1.0f);
  backend.read_gradient(found.parameters.data());
  backend.read_input_gradient(found.inputs.data());
  return found;
}

bool same(const Gradients& a, const Gradients& b) {
  return a.statistics.loss == b.statistics.loss && same_bits(a.parameters, b.parameters) &&
         same_bits(a.inputs, b.inputs);
}

TEST_CASE("cuda: the gradient to the inputs is that of the CPU, and 0 beyond the end of a clip") {
  for (uint32_t seed = 0; seed < test::gpu_networks(20); ++seed) {
    CAPTURE(seed);
    const NetworkCase c = seed % 4 ? soft_case(8600 + seed) : test::narrow_case(seed, test::Spikes::kSoft);
    const auto gpu = test::make_gpu_backend(c.options, 1);
    const auto cpu = make_cpu_backend(c.options, 1);
    Batch batch = c.batch();
    batch.of_input = true;
    batch.steps = c.steps + 2;  // as of a training, which knows the most that there may be
    if (c.lengths.empty()) batch.steps = c.steps;
    gpu->load_parameters(c.parameters.data());
    cpu->load_parameters(c.parameters.data());
    const Gradients ours = gradients_of(*gpu, c, batch), theirs = gradients_of(*cpu, c, batch);
    double difference = 0.0, norm = 0.0;
    for (size_t i = 0; i < theirs.inputs.size(); ++i) {
      difference += std::pow(ours.inputs[i] - theirs.inputs[i], 2);
      norm += std::pow(theirs.inputs[i], 2);
    }
    CHECK(difference <= 1e-8 * norm);
  }
}

TEST_CASE("cuda: inputs that are there already are not made again, and give the same bits") {
  for (uint32_t seed = 0; seed < test::gpu_networks(12); ++seed) {
    CAPTURE(seed);
    const NetworkCase c = soft_case(8700 + seed);
    const auto backend = test::make_gpu_backend(c.options, 1);
    backend->load_parameters(c.parameters.data());
    Batch batch = c.batch();
    batch.of_input = true;
    int made = 0;
    batch.input = [&made, make = batch.input](auto... arguments) {
      ++made;
      make(arguments...);
    };
    const Gradients first = gradients_of(*backend, c, batch);
    CHECK(made == static_cast<int>(c.clips.size()));
    batch.same_inputs = true;
    for (int i = 0; i < 2; ++i) CHECK(same(gradients_of(*backend, c, batch), first));
    CHECK(made == static_cast<int>(c.clips.size()));
    batch.same_inputs = false;
    CHECK(same(gradients_of(*backend, c, batch), first));
    CHECK(made == 2 * static_cast<int>(c.clips.size()));
  }
}

TEST_CASE("cuda: what is uploaded arrives, in pieces of all sizes and however many wait") {
  cuda::Device device(0);
  std::mt19937 random(4);
  std::vector<char> sent(size_t{40} << 20);
  for (size_t i = 0; i < sent.size(); i += 4) {
    const uint32_t word = random();
    std::memcpy(&sent[i], &word, 4);
  }
  cuda::DeviceArray<char> array(device);
  array.reserve(sent.size());
  const size_t sizes[] = {1, 100, 4096, size_t{1} << 20, (size_t{4} << 20) - 1, size_t{9} << 20};
  for (size_t at = 0, size; at < sent.size(); at += size) {
    size = std::min(sent.size() - at, sizes[random() % 6]);
    if (random() % 2) {
      device.upload(array.data() + at, sent.data() + at, size);
      continue;
    }
    char* const staged = static_cast<char*>(device.stage(size));
    std::copy_n(sent.data() + at, size, staged);
    const size_t part = random() % (size + 1);
    device.send(array.data() + at, staged, part);
    device.send(array.data() + at + part, staged + part, size - part);
    if (random() % 8 == 0) device.synchronize();
  }
  std::vector<char> arrived(sent.size());
  array.download(arrived.data());
  CHECK(arrived == sent);
}

/// What a training has taken: a store whose clips have lengths of their own, changed or not.
struct Training {
  std::shared_ptr<FeatureStore> store =
      test::augmentable_store(30, test::kToneScaling, ClipFrames{test::kToneFrames, 1});
  TrainingOptions options;
  EncodingOptions encoding{EncodingKind::kRate, 4};

  explicit Training(bool augments) {
    options.epochs = 2;
    options.batch_size = 8;
    options.seed = 3;
    if (!augments) return;
    options.negatives = 5;
    options.augmentation.emplace();
    options.augmentation->speed = {0.8, 1.25};
    options.augmentation->time_masks = 1;
    options.augmentation->time_mask_seconds = 0.02;
  }

  NetworkOptions network() const {
    LayerOptions layer;
    layer.neurons = 40;  // not narrow
    layer.dropout = 0.2f;
    return {test::kToneFeatures, test::kPitches, {layer, layer}, {ReadoutKind::kMeanPotential}};
  }

  Trainer trainer(std::shared_ptr<Backend> backend) const {
    std::vector<float> parameters(backend->table().size());
    backend->table().initialise(9, parameters.data());
    backend->load_parameters(parameters.data());
    return Trainer(backend, store, encoding, options, test::first_clips(store->size()));
  }

  /// Parameters after all epochs.
  std::vector<float> result(std::shared_ptr<Backend> backend) const {
    Trainer training = trainer(backend);
    while (training.position().epoch < options.epochs) REQUIRE(training.run_epoch(kNoAbort));
    std::vector<float> parameters(backend->table().size());
    backend->read_parameters(parameters.data());
    return parameters;
  }
};

TEST_CASE("cuda: features made while the device is at work give the same bits") {
  const Training training(true);
  const auto watched = [&](bool ahead) {
    const auto backend =
        std::make_shared<test::WatchedBackend>(test::make_gpu_backend(training.network(), 2));
    CHECK(backend->works_elsewhere());
    backend->elsewhere = ahead;
    return backend;
  };
  const auto expected = training.result(watched(false));
  CHECK(same_bits(training.result(watched(true)), expected));
  // And where it is stopped after its first batch, and goes on.
  std::atomic<bool> abort = false;
  const auto stopped = watched(true);
  stopped->on_step = [&](float) { abort = true; };
  Trainer trainer = training.trainer(stopped);
  CHECK_FALSE(trainer.run_epoch(abort));
  CHECK(trainer.position().batch == 1);
  stopped->on_step = [](float) {};
  while (trainer.position().epoch < training.options.epochs) REQUIRE(trainer.run_epoch(kNoAbort));
  std::vector<float> parameters(expected.size());
  stopped->read_parameters(parameters.data());
  CHECK(same_bits(parameters, expected));
}

#if !defined(SONOSPIKE_CUDA)
TEST_CASE("cuda: memory that is written before the device has read it is noticed here") {
  cuda::Device device(0);
  cuda::DeviceArray<char> array(device);
  array.reserve(8);
  char* const staged = static_cast<char*>(device.stage(8));
  std::fill_n(staged, 8, 'a');
  device.send(array.data(), staged, 8);
  staged[3] = 'b';
  CHECK_THROWS_AS(device.synchronize(), std::logic_error);
  staged[3] = 'a';
  device.synchronize();
}

/// Copies to the device of every batch of a training.
std::vector<size_t> copies_of(const Training& training) {
  const auto backend = std::make_shared<test::WatchedBackend>(test::make_gpu_backend(training.network(), 1));
  Trainer trainer = training.trainer(backend);
  std::vector<size_t> copies;
  size_t before = 0;
  backend->on_gradient = [&](const Batch&) { before = cuda::emulation::copies(); };
  backend->on_step = [&](float) { copies.push_back(cuda::emulation::copies() - before); };
  while (trainer.position().epoch < training.options.epochs) trainer.run_epoch(kNoAbort);
  return copies;
}

TEST_CASE("cuda: a batch goes to the device in one copy, and in two where features of it are to stay") {
  for (const size_t copies : copies_of(Training(true))) CHECK(copies == 1);
  const Training plain(false);
  const std::vector<size_t> found = copies_of(plain);
  const size_t batches = found.size() / plain.options.epochs;
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == (i < batches ? 2 : 1));
}

TEST_CASE("cuda: where memory runs out on the way, features are not taken for those that are there" *
          doctest::skip(test::kWatchedGpu)) {
  const Training plain(false);
  const auto backend = test::make_gpu_backend(plain.network(), 1);
  const auto scores = [&](Backend& of) {
    return evaluate(of, *plain.store, plain.encoding, {}, test::first_clips(plain.store->size()), 5, kNoAbort)
        .scores;
  };
  const std::vector<float> none(backend->table().size(), 0.1f);
  backend->load_parameters(none.data());
  const auto fresh = test::make_gpu_backend(plain.network(), 1);
  fresh->load_parameters(none.data());
  const auto expected = scores(*fresh);
  int failures = 0;
  for (size_t more = 0; more < (size_t{4} << 20); more += size_t{64} << 10) {
    cuda::emulation::set_memory(cuda::emulation::memory_in_use() + more);
    try {
      const auto found = scores(*backend);
      CHECK(same_bits(found, expected));
    } catch (const DeviceError&) {
      ++failures;
    }
    cuda::emulation::set_memory(size_t{1} << 30);
  }
  CHECK(failures > 3);
  CHECK(same_bits(scores(*backend), expected));
}
#endif

}  // namespace
}  // namespace sonospike
