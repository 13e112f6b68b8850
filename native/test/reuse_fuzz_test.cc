// Random networks of every kind, each asked for batches of different sizes one after the other.
#include <doctest/doctest.h>

#include <cstring>

#include "test/backends.h"
#include "test/network_cases.h"

namespace sonospike {
namespace {

using test::NetworkCase;

constexpr uint32_t kNetworks = 150;
constexpr int kCalls = 3;

struct Results {
  std::vector<float> scores, gradient, input_gradient;
  std::vector<double> clip_spikes, sums;
};

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

Results ask(Backend& backend, const NetworkCase& c) {
  Results r;
  const size_t clips = c.clips.size();
  r.scores.resize(clips * c.options.classes);
  r.clip_spikes.resize(clips * c.options.layers.size());
  r.input_gradient.resize(clips * c.steps * c.options.inputs);
  r.gradient.resize(backend.table().size());
  Batch batch = c.batch();
  backend.forward(batch, r.scores.data(), r.clip_spikes.data());
  batch.of_input = true;
  const BatchStatistics learned = backend.gradient(batch, c.loss);
  backend.read_gradient(r.gradient.data());
  backend.read_input_gradient(r.input_gradient.data());
  r.sums = {learned.loss, double(learned.correct)};
  return r;
}

/// Soft and hard layers side by side.
NetworkCase mixed_network(test::CaseMaker& maker) {
  NetworkCase c =
      maker.make(maker.flip() ? test::Spikes::kHard : test::Spikes::kSoft, {3, 40, 40, 40, 1, maker.flip()});
  for (LayerOptions& layer : c.options.layers) {
    if (maker.between(0, 2) == 0) layer.neuron.spike = static_cast<SpikeKind>(maker.between(0, 5));
  }
  return c;
}

void draw_batch(test::CaseMaker& maker, NetworkCase& c) {
  c.steps = maker.between(1, 40);
  c.clips.clear();
  c.labels.clear();
  maker.add_clips(c, maker.between(1, 40), maker.flip() ? test::Inputs::kBinary : test::Inputs::kMixed);
}

template <class Make>
void check_reuse(const Make& make, uint32_t networks) {
  for (uint32_t seed = 1000; seed < 1000 + networks; ++seed) {
    CAPTURE(seed);
    test::CaseMaker maker(seed);
    NetworkCase c = mixed_network(maker);
    const auto used = make(c.options, maker.between(1, 3));
    used->load_parameters(c.parameters.data());
    for (int call = 0; call < kCalls; ++call) {
      CAPTURE(call);
      draw_batch(maker, c);
      const auto fresh = make(c.options, maker.between(1, 3));
      fresh->load_parameters(c.parameters.data());
      const Results ours = ask(*used, c), expected = ask(*fresh, c);
      CHECK(same_bits(ours.scores, expected.scores));
      CHECK(same_bits(ours.clip_spikes, expected.clip_spikes));
      CHECK(same_bits(ours.gradient, expected.gradient));
      CHECK(same_bits(ours.input_gradient, expected.input_gradient));
      CHECK(same_bits(ours.sums, expected.sums));
    }
  }
}

TEST_CASE("reuse: batches of all sizes in a row give the bits of a new backend each") {
  test::at_every_instruction_set([](const Kernels&) { check_reuse(make_cpu_backend, kNetworks); });
}

TEST_CASE("reuse: so they do on the GPU" * doctest::skip(test::kWatchedGpu)) {
  check_reuse(test::make_gpu_backend, 12);
}

}  // namespace
}  // namespace sonospike
