// The CPU backend against the plain reference, on random networks, at every instruction set.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "test/instruction_sets.h"
#include "test/network_cases.h"
#include "test/reference_network.h"

namespace sonospike {
namespace {

using test::Doubles;
using test::NetworkCase;
using test::ReferenceNetwork;
using test::ReferencePass;

double norm(const Doubles& x) {
  double sum = 0.0;
  for (double value : x) sum += value * value;
  return std::sqrt(sum);
}

/// What the reference makes of all clips of a case.
struct Expected {
  std::vector<ReferencePass> passes;
  std::vector<double> dropped_spikes;  // of each layer where some are dropped, summed over the clips
  double loss = 0.0;                   // summed over the clips
  double learning_loss = 0.0;          // the same with what is dropped
  Doubles gradient;                    // of the mean loss
  int boxcar_edges = 0;
};

/// Potentials so near to an edge of the boxcar that float32 may fall on the other side of it.
int boxcar_edges(const NetworkOptions& options, const ReferenceNetwork& network, const Doubles& parameters,
                 const ReferencePass& pass) {
  int count = 0;
  for (size_t k = 0; k < options.layers.size(); ++k) {
    const LayerOptions& layer = options.layers[k];
    if (layer.neuron.spike != SpikeKind::kBoxcar) continue;
    const ConnectionOptions& connection = layer.connection;
    const int neurons = connection.convolves() ? connection.channels : layer.neurons;
    const double* threshold =
        &parameters[network.table().at("layers." + std::to_string(k) + ".threshold").offset];
    for (size_t i = 0; i < pass.layers[k].u.size(); ++i) {
      const double distance = std::abs(pass.layers[k].u[i] - threshold[i % neurons]);
      count += std::abs(distance - 0.5 / layer.neuron.slope) < 1e-5;
    }
  }
  return count;
}

/// As they are counted: of a rectified linear unit how often it was not 0.
double spikes_of(const NetworkOptions& options, const ReferencePass& pass, size_t layer) {
  double sum = 0.0;
  const bool relu = options.layers[layer].neuron.spike == SpikeKind::kRelu;
  for (double s : pass.layers[layer].s) sum += relu ? s > 0.0 : s;
  return sum;
}

Expected expect(const NetworkCase& c) {
  Expected expected;
  const Doubles parameters(c.parameters.begin(), c.parameters.end());
  const ReferenceNetwork network(c.options, parameters);
  expected.gradient.resize(parameters.size());
  for (size_t i = 0; i < c.clips.size(); ++i) {
    ReferencePass pass = network.forward({c.clips[i].begin(), c.clips[i].end()});
    expected.loss += network.loss(pass, c.loss, c.labels[i], nullptr);
    const ReferencePass dropped = network.forward(pass.x, nullptr, c.keys.empty() ? nullptr : &c.keys[i]);
    expected.learning_loss += network.loss(dropped, c.loss, c.labels[i], nullptr);
    network.backward(dropped, c.loss, c.labels[i], 1.0 / static_cast<double>(c.clips.size()),
                     expected.gradient);
    expected.dropped_spikes.resize(c.options.layers.size());
    for (size_t k = 0; k < c.options.layers.size(); ++k)
      expected.dropped_spikes[k] += spikes_of(c.options, dropped, k);
    expected.boxcar_edges += boxcar_edges(c.options, network, parameters, pass);
    expected.passes.push_back(std::move(pass));
  }
  return expected;
}

std::unique_ptr<Backend> make_backend(const NetworkCase& c, int threads = 1) {
  auto backend = make_cpu_backend(c.options, threads);
  backend->load_parameters(c.parameters.data());
  return backend;
}

bool same_spikes(Backend& backend, const NetworkCase& c, const Expected& expected) {
  std::vector<float> scores(c.options.classes);
  for (size_t clip = 0; clip < c.clips.size(); ++clip) {
    const auto views = backend.observe(c.batch(static_cast<int>(clip), 1), scores.data()).layers;
    for (size_t k = 0; k < views.size(); ++k) {
      const Doubles& s = expected.passes[clip].layers[k].s;
      const int n = views[k].neurons;
      for (size_t i = 0; i < s.size(); ++i) {
        const float ours = views[k].s[i / n * views[k].stride + i % n];
        const bool relu = c.options.layers[k].neuron.spike == SpikeKind::kRelu;
        if (relu ? std::abs(ours - s[i]) > 1e-4 * (1.0 + s[i]) : ours != static_cast<float>(s[i]))
          return false;
      }
    }
  }
  return true;
}

/// The potential of the leaky integrator in every step.
void check_potential(Backend& backend, const NetworkCase& c, const Expected& expected, double tolerance) {
  const int classes = c.options.classes;
  std::vector<float> scores(classes);
  double worst = 0.0, largest = 0.0;
  for (size_t clip = 0; clip < c.clips.size(); ++clip) {
    const NetworkView seen = backend.observe(c.batch(static_cast<int>(clip), 1), scores.data());
    const Doubles& o = expected.passes[clip].o;
    REQUIRE((seen.potential == nullptr) == (c.options.readout.kind == ReadoutKind::kSpikeCount));
    for (size_t i = 0; seen.potential && i < o.size(); ++i) {
      const float ours = seen.potential[i / classes * seen.potential_stride + i % classes];
      const double error = std::abs(ours - o[i]);
      worst = error <= worst ? worst : error;  // NaN wins
      largest = std::max(largest, std::abs(o[i]));
    }
  }
  CHECK(worst <= tolerance * largest);
}

void check_forward(Backend& backend, const NetworkCase& c, const Expected& expected, double tolerance) {
  const int classes = c.options.classes;
  const size_t layers = c.options.layers.size();
  std::vector<float> scores(c.clips.size() * classes);
  std::vector<double> clip_spikes(c.clips.size() * layers);
  backend.forward(c.batch(), scores.data(), clip_spikes.data());
  double worst = 0.0, largest = 0.0, worst_spikes = 0.0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const double score = expected.passes[i / classes].score[i % classes];
    worst = std::max(worst, std::abs(scores[i] - score));
    largest = std::max(largest, std::abs(score));
  }
  for (size_t i = 0; i < clip_spikes.size(); ++i) {
    const double sum = spikes_of(c.options, expected.passes[i / layers], i % layers);
    worst_spikes = std::max(worst_spikes, std::abs(clip_spikes[i] - sum) / (1.0 + sum));
  }
  CHECK(worst <= tolerance * largest);
  CHECK(worst_spikes <= tolerance);
  check_potential(backend, c, expected, tolerance);
  CHECK(c.total_loss(scores) == doctest::Approx(expected.loss).epsilon(tolerance));
}

/// Each parameter by itself: cosine at least 0.9999, norm within 0.1%. False: not compared, as hard spikes
/// differ.
bool check_gradient(Backend& backend, const NetworkCase& c, const Expected& expected) {
  const BatchStatistics seen = backend.gradient(c.batch(), c.loss);
  for (size_t k = 0; k < seen.spikes.size(); ++k) {
    if (!(std::abs(seen.spikes[k] - expected.dropped_spikes[k]) <= 1e-4 * expected.dropped_spikes[k]))
      return false;
  }
  CHECK(seen.loss == doctest::Approx(expected.learning_loss).epsilon(1e-4));
  std::vector<float> gradient(backend.table().size());
  backend.read_gradient(gradient.data());
  for (const ParameterInfo& info : backend.table().all()) {
    CAPTURE(info.name);
    const Doubles ours(gradient.begin() + info.offset, gradient.begin() + info.offset + info.size);
    const Doubles theirs(expected.gradient.begin() + info.offset,
                         expected.gradient.begin() + info.offset + info.size);
    // Sums that cancel, such as those of one neuron alone, keep the rounding errors of their terms.
    if (norm(theirs) < 1e-4 * norm(expected.gradient)) {
      CHECK(std::abs(norm(ours) - norm(theirs)) <= 1e-5 * norm(expected.gradient));
      continue;
    }
    double product = 0.0;
    for (size_t i = 0; i < ours.size(); ++i) product += ours[i] * theirs[i];
    CHECK(product >= 0.9999 * norm(ours) * norm(theirs));
    CHECK(norm(ours) == doctest::Approx(norm(theirs)).epsilon(1e-3));
  }
  return true;
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
