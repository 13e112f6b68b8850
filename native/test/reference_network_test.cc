// The reference itself: its gradients against central differences, its neurons against numbers made by hand.
#include "test/reference_network.h"

#include <doctest/doctest.h>

#include "test/network_cases.h"

namespace sonospike {
namespace {

using test::Doubles;
using test::ReferenceNetwork;
using test::ReferencePass;

/// Central difference of the loss along one parameter. A detached reset takes its spikes from `at`, the pass
/// without the change.
double central_difference(ReferenceNetwork& network, const test::NetworkCase& c, const ReferencePass& at,
                          int parameter) {
  const double h = 1e-5;
  const Doubles x(c.clips[0].begin(), c.clips[0].end());
  double& value = network.parameters()[parameter];
  const double before = value;
  value = before + h;
  const auto loss = [&] {
    const ReferencePass pass = network.forward(x, &at, c.keys.empty() ? nullptr : &c.keys[0]);
    return network.loss(pass, c.loss, c.labels[0], nullptr) + network.spike_cost(pass, c.loss);
  };
  const double above = loss();
  value = before - h;
  const double below = loss();
  value = before;
  return (above - below) / (2.0 * h);
}

TEST_CASE("reference: the gradient of a soft network is the central difference of its loss") {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    const bool connections = seed >= 300;
    const test::NetworkCase c = test::CaseMaker(seed).make(test::Spikes::kSoft, {3, 5, 4, 9, 1, connections});
    ReferenceNetwork network(c.options, {c.parameters.begin(), c.parameters.end()});
    const ReferencePass pass = network.forward({c.clips[0].begin(), c.clips[0].end()}, nullptr,
                                               c.keys.empty() ? nullptr : &c.keys[0]);
    Doubles gradient(network.table().size());
    network.backward(pass, c.loss, c.labels[0], 1.0, gradient);
    double worst = 0.0, largest = 0.0;
    for (size_t i = 0; i < gradient.size(); ++i) {
      const double expected = central_difference(network, c, pass, static_cast<int>(i));
      worst = std::max(worst, std::abs(gradient[i] - expected));
      largest = std::max(largest, std::abs(expected));
    }
    CHECK(worst <= 1e-7 + 1e-6 * largest);
  }
}

TEST_CASE("reference: surrogates are the derivatives of the functions that they are named after") {
  const double a = 3.0, h = 1e-6, pi = std::numbers::pi;
  const auto check = [&](SpikeKind kind, double x, auto&& smooth) {
    const NeuronModel neuron{kind, static_cast<float>(a), ResetKind::kZero, false};
    CHECK(test::spike_slope(neuron, x) ==
          doctest::Approx((smooth(x + h) - smooth(x - h)) / (2 * h)).epsilon(1e-6));
  };
  for (double x : {-2.1, -0.3, -0.05, 0.04, 0.15, 0.31, 1.7}) {
    check(SpikeKind::kSoft, x, [&](double d) { return 1 / (1 + std::exp(-a * d)); });
    check(SpikeKind::kSigmoid, x, [&](double d) { return 1 / (1 + std::exp(-a * d)); });
    check(SpikeKind::kFastSigmoid, x, [&](double d) { return d / (1 + a * std::abs(d)); });
    check(SpikeKind::kAtan, x, [&](double d) { return std::atan(pi / 2 * a * d) / pi; });
    check(SpikeKind::kBoxcar, x, [&](double d) { return std::clamp(a * d, -0.5, 0.5); });
    check(SpikeKind::kTriangle, x, [&](double d) {
      const double part = std::clamp(d, -1 / a, 1 / a);
      return part - a * part * std::abs(part) / 2;
    });
  }
}

TEST_CASE("reference: a hard neuron step by step") {
  NetworkOptions options;
  options.inputs = 1;
  options.classes = 1;
  options.layers.resize(1);
  options.layers[0].neurons = 1;
  options.layers[0].recurrent = true;
  const auto check = [&](ResetKind reset, const Doubles& u, const Doubles& s) {
    options.layers[0].neuron.reset = reset;
    // weight 2, recurrent -0.25, bias 0.5, decay 0.5, threshold 1
    const ReferencePass pass =
        ReferenceNetwork(options, {2.0, -0.25, 0.5, 0.5, 1.0}).forward({0.25, 0.0, 0.5, 0.0, 0.0});
    CHECK(pass.layers[0].u == u);
    CHECK(pass.layers[0].s == s);
    CHECK(pass.score[0] == 1.0);
  };
  // A potential equal to the threshold does not spike.
  check(ResetKind::kZero, {1.0, 1.0, 2.0, 0.25, 0.625}, {0, 0, 1, 0, 0});
  check(ResetKind::kSubtract, {1.0, 1.0, 2.0, 0.75, 0.875}, {0, 0, 1, 0, 0});
}

TEST_CASE("reference: an adaptive neuron step by step") {
  NetworkOptions options;
  options.inputs = 1;
  options.classes = 1;
  options.layers.resize(1);
  options.layers[0].neurons = 1;
  options.layers[0].neuron.adaptive = true;
  const auto check = [&](ResetKind reset, const Doubles& u, const Doubles& s, const Doubles& w) {
    options.layers[0].neuron.reset = reset;
    // weight 2, bias 0, decay 0.5, threshold 1; rho 0.5, coupling 0.5, jump 1
    const ReferencePass pass =
        ReferenceNetwork(options, {2.0, 0.0, 0.5, 1.0, 0.5, 0.5, 1.0}).forward({0.5, 1.0, 0.5, 0.0});
    CHECK(pass.layers[0].u == u);
    CHECK(pass.layers[0].s == s);
    CHECK(pass.layers[0].w == w);
  };
  // w of a step follows its u before the reset, and is taken from the u of the next.
  check(ResetKind::kZero, {1.0, 2.25, -0.1875, -0.640625}, {0, 1, 0, 0},
        {0.25, 1.1875, 0.546875, 0.11328125});
  check(ResetKind::kSubtract, {1.0, 2.25, 0.4375, -0.484375}, {0, 1, 0, 0},
        {0.25, 1.1875, 0.703125, 0.23046875});
}

TEST_CASE("reference: scores and loss of every readout by hand") {
  NetworkOptions options;
  options.inputs = 1;
  options.classes = 2;
  options.layers.resize(1);
  options.layers[0].neurons = 2;
  // Both neurons: bias 0, decay 0, threshold 1. The first sees the input, the second nothing.
  const Doubles layer = {2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0};
  ReferenceNetwork counts(options, layer);
  const ReferencePass counted = counts.forward({1.0, 1.0, 0.0});
  CHECK(counted.score == Doubles{2.0, 0.0});
  CHECK(counts.loss(counted, {}, 1, nullptr) == doctest::Approx(std::log(1 + std::exp(2.0))));
  CHECK(counts.loss(counted, {0.5f}, 1, nullptr) == doctest::Approx(std::log(1 + std::exp(2.0)) - 0.5));

  options.readout.kind = ReadoutKind::kLeakyIntegrator;
  Doubles all = layer;
  for (double x : {4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5}) all.push_back(x);
  ReferenceNetwork leaky(options, all);
  const ReferencePass integrated = leaky.forward({1.0, 1.0, 0.0});  // o of class 0: 2, 3, 1.5
  const double p = (test::sigmoid(2.0) + test::sigmoid(3.0) + test::sigmoid(1.5)) / 3;
  CHECK(integrated.score[0] == doctest::Approx(p));
  CHECK(leaky.loss(integrated, {}, 0, nullptr) == doctest::Approx(-std::log(p)));

  options.readout.kind = ReadoutKind::kMeanPotential;
  ReferenceNetwork mean(options, all);
  const ReferencePass averaged = mean.forward({1.0, 1.0, 0.0});
  CHECK(averaged.score[0] == doctest::Approx(6.5 / 3));
  CHECK(averaged.score[1] == 0.0);
  CHECK(mean.loss(averaged, {}, 1, nullptr) == doctest::Approx(std::log(1 + std::exp(6.5 / 3))));
}

}  // namespace
}  // namespace sonospike
