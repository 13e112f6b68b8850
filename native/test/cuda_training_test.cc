// The CUDA backend at work: inputs that it encodes, trainings, little memory, a device that fails.
#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <limits>

#include "core/training/trainer.h"
#include "test/backends.h"
#include "test/network_cases.h"
#include "test/training_cases.h"
#if !defined(SONOSPIKE_CUDA)
#include "cuda/device/launch.h"
#endif

namespace sonospike {
namespace {

using test::NetworkCase;

const std::atomic<bool> kNoAbort{false};

/// Frames of values at, near and beyond the ends of what encodings take.
std::vector<float> odd_frames(int frames, int features, test::CaseMaker& maker) {
  std::vector<float> values(static_cast<size_t>(frames) * features);
  const float odd[] = {0.0f, 1.0f, -3.0f, 2.0f, 0.5f, std::numeric_limits<float>::quiet_NaN()};
  for (float& x : values)
    x = maker.between(0, 4) == 0 ? odd[maker.between(0, 5)] : maker.uniform(-0.2f, 1.2f);
  return values;
}

TEST_CASE("cuda: inputs encoded on the device have the bits of the CPU's, kept there or not") {
  test::CaseMaker maker(1);
  cuda::Device device(0);
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    const EncodingOptions encoding{static_cast<EncodingKind>(round % 4), maker.between(1, 12),
                                   maker.flip() ? 0.0f : maker.uniform(0.01f, 0.4f)};
    const Encoder encoder(encoding);
    const int features = maker.between(1, 70), clips = maker.between(1, 6);
    const int channels = encoder.channels(features);
    cuda::ClipInputs inputs(device, channels, 1);
    std::vector<std::vector<float>> values;
    std::vector<ClipKey> keys;
    std::vector<int> steps;
    for (int i = 0; i < clips; ++i) {
      const int frames = maker.between(1, 9);
      values.push_back(odd_frames(frames, features, maker));
      keys.push_back({static_cast<uint64_t>(round) << 30, static_cast<uint32_t>(maker.between(0, 1000)), 3});
      steps.push_back(encoder.steps(frames));
    }
    const EncodedClips encoded{encoding, features, [&](int clip) { return values[clip].data(); },
                               [&](int clip) -> uint64_t { return clip % 2 ? 0 : 1 + clip; }, keys.data()};
    Batch batch;
    batch.clips = clips;
    batch.steps_of = steps.data();
    batch.steps = *std::max_element(steps.begin(), steps.end());
    batch.encoded = &encoded;
    for (int time = 0; time < 2; ++time) {
      const int first = maker.between(0, clips - 1), count = maker.between(1, clips - first);
      inputs.load(batch, first, count);
      inputs.encode();
      const cuda::Sent sent = inputs.input();
      const size_t rows = inputs.clips().rows;
      std::vector<float> seen(sent.bits ? 0 : rows * channels);
      std::vector<uint32_t> bits(sent.bits ? rows * sent.words : 0);
      if (sent.bits) {
        device.download(bits.data(), sent.bits, bits.size() * sizeof bits[0]);
      } else {
        device.download(seen.data(), sent.values, seen.size() * sizeof seen[0]);
      }
      const cuda::Sent host{channels, sent.words, sent.bits ? nullptr : seen.data(),
                            sent.bits ? bits.data() : nullptr};
      size_t row = 0;
      int differences = 0;
      for (int clip = first; clip < first + count; ++clip) {
        std::vector<float> expected(static_cast<size_t>(steps[clip]) * channels);
        EncoderScratch scratch;
        encoder.encode(values[clip].data(), features, 0, steps[clip], keys[clip], expected.data(), channels,
                       scratch);
        for (int t = 0; t < steps[clip]; ++t, ++row) {
          for (int i = 0; i < channels; ++i) {
            const float ours = host.at(row, i), theirs = expected[static_cast<size_t>(t) * channels + i];
            differences += std::memcmp(&ours, &theirs, sizeof ours) != 0;
          }
        }
      }
      CHECK(differences == 0);
    }
  }
}

NetworkOptions tone_network(SpikeKind spike) {
  LayerOptions layer;
  layer.neurons = 24;
  layer.neuron.spike = spike;
  layer.constrain = true;
  if (spike != SpikeKind::kSoft) layer.dropout = 0.2f;
  return {test::kToneFeatures, test::kPitches, {layer, layer}, {ReadoutKind::kMeanPotential}};
}

TrainingOptions tone_training() {
  TrainingOptions options;
  options.epochs = 4;
  options.batch_size = 7;
  options.seed = 5;
  options.schedule.rate = 0.01f;
  options.optimizer.clip_norm = 1.0f;
  options.optimizer.decoupled_decay = true;
  options.optimizer.weight_decay = 0.01f;
  options.loss.spike_cost = 0.1f;
  return options;
}

struct Trained {
  std::vector<float> parameters, m, v;
  int64_t steps = 0;
  std::vector<TrainingPosition> epochs;
};

/// Epochs [position, options.epochs) on a backend that takes up what another has left.
Trained train(std::shared_ptr<Backend> backend, const FeatureStore& store, int end,
              const Trained& before = {}) {
  const TrainingOptions options = tone_training();
  std::vector<int> clips = test::first_clips(store.size());
  Trainer trainer(backend, {std::shared_ptr<void>(), &store}, {EncodingKind::kRate, 5}, options, clips);
  Trained after = before;
  after.parameters.resize(backend->table().size());
  if (before.epochs.empty()) {
    backend->table().initialise(9, after.parameters.data());
    backend->load_parameters(after.parameters.data());
    const std::vector<float> none(after.parameters.size());
    backend->load_moments(none.data(), none.data(), 0);
  } else {
    backend->load_parameters(before.parameters.data());
    backend->load_moments(before.m.data(), before.v.data(), before.steps);
    TrainingPosition position;
    position.epoch = before.epochs.back().epoch + 1;
    position.spikes.resize(backend->options().layers.size());
    trainer.set_position(position);
  }
  while (trainer.position().epoch < end) {
    REQUIRE(trainer.run_epoch(kNoAbort));
    after.epochs.push_back(trainer.finished());
  }
  after.m.resize(after.parameters.size());
  after.v.resize(after.parameters.size());
  backend->read_parameters(after.parameters.data());
  backend->read_moments(after.m.data(), after.v.data(), &after.steps);
  return after;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0.0, size = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

TEST_CASE("cuda: a training goes as on the CPU, and goes on where the other has stopped" *
          doctest::skip(test::kWatchedGpu)) {
  for (const SpikeKind spike : {SpikeKind::kSoft, SpikeKind::kFastSigmoid}) {
    CAPTURE(static_cast<int>(spike));
    const NetworkOptions options = tone_network(spike);
    for (const ClipFrames frames : {ClipFrames{test::kToneFrames}, ClipFrames{test::kToneFrames, 1}}) {
      const auto store = test::tone_store(test::random_tones(30, 1), test::kToneScaling, 1, frames);
      const std::shared_ptr<Backend> cpu = make_cpu_backend(options, 1),
                                     gpu = test::make_gpu_backend(options, 1);
      const Trained on_cpu = train(cpu, *store, 4), on_gpu = train(gpu, *store, 4);
      const Trained first = train(gpu, *store, 2), both = train(cpu, *store, 4, first);
      // Hard spikes that fall on the other side of the threshold change what comes after a little.
      const double tolerance = spike == SpikeKind::kSoft ? 1e-4 : 0.03;
      CHECK(distance(on_gpu.parameters, on_cpu.parameters) < tolerance);
      CHECK(distance(both.parameters, on_cpu.parameters) < tolerance);
      CHECK(on_gpu.steps == on_cpu.steps);
      for (size_t i = 0; i < on_cpu.epochs.size(); ++i) {
        CHECK(on_gpu.epochs[i].steps == on_cpu.epochs[i].steps);
        CHECK(on_gpu.epochs[i].loss == doctest::Approx(on_cpu.epochs[i].loss).epsilon(tolerance));
        CHECK(both.epochs[i].loss == doctest::Approx(on_cpu.epochs[i].loss).epsilon(tolerance));
      }
      const auto again = train(test::make_gpu_backend(options, 3), *store, 4);
      CHECK(std::memcmp(again.parameters.data(), on_gpu.parameters.data(),
                        again.parameters.size() * sizeof(float)) == 0);
    }
  }
}

struct Results {
  std::vector<float> scores, gradient;
  std::vector<double> spikes;
  BatchStatistics statistics;
};

Results ask(Backend& backend, const NetworkCase& c) {
  Results r;
  r.scores.resize(c.clips.size() * c.options.classes);
  r.spikes.resize(c.clips.size() * c.options.layers.size());
  r.gradient.resize(backend.table().size());
  backend.forward(c.batch(), r.scores.data(), r.spikes.data());
  r.statistics = backend.gradient(c.batch(), c.loss);
  backend.read_gradient(r.gradient.data());
  return r;
}

Results ask_gpu(const NetworkCase& c) {
  const auto backend = test::make_gpu_backend(c.options, 1);
  backend->load_parameters(c.parameters.data());
  return ask(*backend, c);
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

NetworkCase case_of(uint32_t seed, const test::CaseLimits& limits = {3, 40, 40, 30, 10, true}) {
  test::CaseMaker maker(seed);
  NetworkCase c = maker.make(seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft, limits);
  maker.vary_lengths(c);
  for (int& label : c.labels) label = maker.between(-1, c.options.classes - 1);
  return c;
}

TEST_CASE("cuda: clips that are no word, of all lengths, are learned from as on the CPU") {
  for (uint32_t seed = 0; seed < test::gpu_networks(20); ++seed) {
    CAPTURE(seed);
    NetworkCase c = case_of(6000 + 2 * seed);  // soft spikes
    for (LayerOptions& layer : c.options.layers) layer.neuron.spike = SpikeKind::kSoft;
    const auto cpu = make_cpu_backend(c.options, 1);
    cpu->load_parameters(c.parameters.data());
    const Results ours = ask_gpu(c), theirs = ask(*cpu, c);
    CHECK(ours.statistics.loss == doctest::Approx(theirs.statistics.loss).epsilon(1e-5));
    CHECK(ours.statistics.correct == theirs.statistics.correct);
    CHECK(ours.statistics.steps == theirs.statistics.steps);
    CHECK(distance(ours.gradient, theirs.gradient) < 1e-4);
    CHECK(distance(ours.scores, theirs.scores) < 1e-5);
  }
}

#if !defined(SONOSPIKE_CUDA)
TEST_CASE("cuda: the bits do not depend on the order in which blocks and threads run") {
  for (uint32_t seed = 0; seed < test::gpu_networks(25); ++seed) {
    CAPTURE(seed);
    const NetworkCase c = seed % 3
                              ? case_of(7000 + seed)
                              : test::narrow_case(seed, seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft);
    const Results expected = ask_gpu(c);
    for (const uint32_t order : {1u, 2u, 3u}) {
      cuda::emulation::shuffle(order);
      const Results ours = ask_gpu(c);
      cuda::emulation::shuffle(0);
      CHECK(same_bits(ours.scores, expected.scores));
      CHECK(same_bits(ours.spikes, expected.spikes));
      CHECK(same_bits(ours.gradient, expected.gradient));
      CHECK(ours.statistics.loss == expected.statistics.loss);
    }
  }
}

struct Memory {
  explicit Memory(size_t bytes) { cuda::emulation::set_memory(bytes); }
  ~Memory() { cuda::emulation::set_memory(size_t{1} << 30); }
};

TEST_CASE("cuda: batches that do not fit go through the device a part at a time" *
          doctest::skip(test::kWatchedGpu)) {
  for (uint32_t seed = 0; seed < test::gpu_networks(12); ++seed) {
    CAPTURE(seed);
    const NetworkCase c = case_of(8000 + seed, {3, 40, 40, 40, 40, true});
    const Results whole = ask_gpu(c);
    const size_t before = cuda::emulation::memory_in_use();
    for (const size_t bytes : {size_t{8} << 20, size_t{3} << 20}) {
      const Memory little(bytes);
      Results parts;
      try {
        parts = ask_gpu(c);
      } catch (const DeviceError& error) {
        CHECK(error.kind() == DeviceError::Kind::kOutOfMemory);
        CHECK(std::string(error.what()).find("MiB") != std::string::npos);
        continue;
      }
      CHECK(same_bits(parts.scores, whole.scores));
      CHECK(same_bits(parts.spikes, whole.spikes));
      CHECK(distance(parts.gradient, whole.gradient) < 1e-4);
      CHECK(parts.statistics.loss == doctest::Approx(whole.statistics.loss).epsilon(1e-9));
    }
    CHECK(cuda::emulation::memory_in_use() == before);
  }
}

TEST_CASE("cuda: memory does not grow from batch to batch") {
  NetworkCase c = case_of(9001);
  const auto backend = test::make_gpu_backend(c.options, 1);
  backend->load_parameters(c.parameters.data());
  const auto once = [&] {
    ask(*backend, c);
    backend->step({}, 1e-3f);
    return cuda::emulation::memory_in_use();
  };
  const size_t first = once();
  for (int i = 0; i < 20; ++i) CHECK(once() == first);
}

TEST_CASE("cuda: what does not fit, and a device that is lost, are told as such") {
  NetworkCase c = case_of(9002);
  const auto backend = test::make_gpu_backend(c.options, 1);
  backend->load_parameters(c.parameters.data());
  const auto kind_of = [&](const auto& work) {
    try {
      work();
    } catch (const DeviceError& error) {
      return static_cast<int>(error.kind());
    }
    return -1;
  };
  {
    const Memory none(cuda::emulation::memory_in_use());
    CHECK(kind_of([&] { ask(*backend, c); }) == static_cast<int>(DeviceError::Kind::kOutOfMemory));
  }
  const Results whole = ask(*backend, c);  // and it works again
  cuda::emulation::lose();
  CHECK(kind_of([&] { ask(*backend, c); }) == static_cast<int>(DeviceError::Kind::kLost));
  CHECK(kind_of([&] { backend->step({}, 1e-3f); }) == static_cast<int>(DeviceError::Kind::kLost));
  cuda::emulation::restore();
  CHECK(kind_of([&] { test::make_gpu_backend(c.options, 1); }) == -1);
  CHECK(kind_of([&] { cuda::CudaNetwork(c.options, 1, 1); }) ==
        static_cast<int>(DeviceError::Kind::kNoDevice));
}
#endif

TEST_CASE("cuda: predictions and what they show come from the CPU, with the parameters of the device") {
  NetworkCase c = case_of(9003);
  const auto gpu = make_cuda_backend(c.options, 0, 1);
  const auto cpu = make_cpu_backend(c.options, 1);
  gpu->load_parameters(c.parameters.data());
  gpu->gradient(c.batch(), c.loss);
  gpu->step({}, 0.1f);
  std::vector<float> parameters(c.parameters.size());
  gpu->read_parameters(parameters.data());
  CHECK(parameters != c.parameters);
  cpu->load_parameters(parameters.data());
  const NetworkCase one = c.alone(0);
  Results ours, theirs;
  for (auto [backend, results] : {std::pair{gpu.get(), &ours}, {cpu.get(), &theirs}}) {
    results->scores.resize(c.options.classes);
    results->spikes.resize(c.options.layers.size());
    backend->forward(one.batch(), results->scores.data(), results->spikes.data());
    CHECK(backend->observe(one.batch(), results->scores.data()).layers.size() == c.options.layers.size());
  }
  CHECK(same_bits(ours.scores, theirs.scores));
  CHECK(same_bits(ours.spikes, theirs.spikes));
}

}  // namespace
}  // namespace sonospike
