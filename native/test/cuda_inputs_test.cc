// What the CUDA backend is fed with.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "test/backends.h"

namespace sonospike {
namespace {

using test::NetworkCase;

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

}  // namespace
}  // namespace sonospike
