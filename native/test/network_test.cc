// The CPU backend against the plain reference, on random networks, at every instruction set.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "test/instruction_sets.h"
#include "test/network_checks.h"

namespace sonospike {
namespace {

using test::check_forward;
using test::check_gradient;
using test::Expected;
using test::NetworkCase;
using test::same_spikes;

std::unique_ptr<Backend> make_backend(const NetworkCase& c, int threads = 1) {
  auto backend = make_cpu_backend(c.options, threads);
  backend->load_parameters(c.parameters.data());
  return backend;
}

TEST_CASE("network: soft networks equal the reference") {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const NetworkCase c = test::CaseMaker(1000 + seed).make(test::Spikes::kSoft, {});
    const Expected expected = expect(c);
    test::at_every_instruction_set([&](const Kernels&) {
      const auto backend = make_backend(c);
      check_forward(*backend, c, expected, 1e-4);
      CHECK(check_gradient(*backend, c, expected));
    });
  }
}

TEST_CASE("network: hard networks equal the reference wherever their spikes do, which is nearly always") {
  int networks = 0, compared = 0;
  std::vector<int> compared_of(6);
  for (uint32_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    const NetworkCase c = test::CaseMaker(2000 + seed).make(test::Spikes::kHard, {});
    const Expected expected = expect(c);
    test::at_every_instruction_set([&](const Kernels&) {
      ++networks;
      const auto backend = make_backend(c);
      if (!same_spikes(*backend, c, expected)) return;
      check_forward(*backend, c, expected, 1e-4);
      if (expected.boxcar_edges > 0) return;
      CHECK(check_gradient(*backend, c, expected));
      ++compared;
      for (const LayerOptions& layer : c.options.layers) ++compared_of[static_cast<int>(layer.neuron.spike)];
    });
  }
  MESSAGE("compared ", compared, " of ", networks);
  CHECK(compared >= networks * 9 / 10);
  for (int kind = 1; kind <= 5; ++kind) CHECK(compared_of[kind] >= 5);
}

TEST_CASE("network: every connection, neuron and readout, and dropout, equal the reference") {
  int networks = 0, compared = 0;
  for (uint32_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    const NetworkCase c =
        test::CaseMaker(5000 + seed)
            .make(seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft, {3, 40, 30, 40, 6, true});
    const Expected expected = expect(c);
    test::at_every_instruction_set([&](const Kernels&) {
      ++networks;
      const auto backend = make_backend(c);
      if (seed % 2 && !same_spikes(*backend, c, expected)) return;
      check_forward(*backend, c, expected, 1e-4);
      if (expected.boxcar_edges > 0) return;
      compared += check_gradient(*backend, c, expected);
    });
  }
  MESSAGE("compared ", compared, " of ", networks);
  CHECK(compared >= networks * 9 / 10);
}

TEST_CASE("network: batches of many groups equal the reference") {
  test::CaseMaker maker(3000);
  for (int round = 0; round < 3; ++round) {
    NetworkCase c = maker.make(test::Spikes::kSoft, {2, 20, 20, 20, 1});
    maker.add_clips(c, 149 + 61 * round);
    const Expected expected = expect(c);
    test::at_every_instruction_set([&](const Kernels&) {
      const auto backend = make_backend(c, 2);
      check_forward(*backend, c, expected, 1e-4);
      CHECK(check_gradient(*backend, c, expected));
    });
  }
}

TEST_CASE("network: wide layers, with sums longer than a block of the matrix product") {
  LayerOptions layer;
  layer.neuron = {SpikeKind::kSoft, 5.0f, ResetKind::kSubtract, false};
  layer.neurons = 290;
  NetworkCase c;
  c.options = {300, 10, {layer, layer}, {ReadoutKind::kLeakyIntegrator}};
  c.options.layers[1].recurrent = true;
  const ParameterTable table(c.options);
  c.parameters.resize(table.size());
  table.initialise(7, c.parameters.data());
  c.steps = 4;
  test::CaseMaker(3100).add_clips(c, 9);
  const Expected expected = expect(c);
  test::at_every_instruction_set([&](const Kernels&) {
    const auto backend = make_backend(c);
    check_forward(*backend, c, expected, 1e-4);
    CHECK(check_gradient(*backend, c, expected));
  });
}

TEST_CASE("network: gradients of soft networks agree with central differences of the backend itself") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    NetworkCase c = test::CaseMaker(4000 + seed).make(test::Spikes::kSoft, {2, 6, 5, 12, 5, seed >= 10});
    for (LayerOptions& layer : c.options.layers) {
      layer.neuron.detach_reset = false;
      layer.neuron.spike = SpikeKind::kSoft;
      layer.neuron.slope = 5.0f;
    }
    c.keys.clear();
    c.loss.spike_cost = 0.0f;
    const auto backend = make_backend(c);
    backend->gradient(c.batch(), c.loss);
    std::vector<float> gradient(c.parameters.size());
    backend->read_gradient(gradient.data());
    std::vector<float> scores(c.clips.size() * c.options.classes);
    std::vector<double> spikes(c.clips.size() * c.options.layers.size());
    double largest = 0.0, worst = 0.0;
    for (size_t i = 0; i < gradient.size(); ++i) {
      const float h = 2e-3f;
      auto moved = c.parameters;
      double loss[2];
      for (int side : {0, 1}) {
        moved[i] = c.parameters[i] + (side ? h : -h);
        backend->load_parameters(moved.data());
        backend->forward(c.batch(), scores.data(), spikes.data());
        loss[side] = c.total_loss(scores);
      }
      const double slope = (loss[1] - loss[0]) / (2.0 * h * static_cast<double>(c.clips.size()));
      worst = std::max(worst, std::abs(gradient[i] - slope));
      largest = std::max(largest, std::abs(slope));
    }
    CHECK(worst <= 0.02 * largest);
  }
}

}  // namespace
}  // namespace sonospike
