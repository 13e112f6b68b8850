#pragma once
// A backend against the plain reference, for those who include doctest.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "test/network_cases.h"
#include "test/reference_network.h"

namespace sonospike::test {

inline double norm(const Doubles& x) {
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
inline int boxcar_edges(const NetworkOptions& options, const ReferenceNetwork& network,
                        const Doubles& parameters, const ReferencePass& pass) {
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
inline double spikes_of(const NetworkOptions& options, const ReferencePass& pass, size_t layer) {
  double sum = 0.0;
  const bool relu = options.layers[layer].neuron.spike == SpikeKind::kRelu;
  for (double s : pass.layers[layer].s) sum += relu ? s > 0.0 : s;
  return sum;
}

inline Expected expect(const NetworkCase& c) {
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

inline bool same_spikes(Backend& backend, const NetworkCase& c, const Expected& expected) {
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
inline void check_potential(Backend& backend, const NetworkCase& c, const Expected& expected,
                            double tolerance) {
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

inline void check_forward(Backend& backend, const NetworkCase& c, const Expected& expected,
                          double tolerance) {
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

inline bool has_hard_spikes(const NetworkOptions& options) {
  return std::any_of(options.layers.begin(), options.layers.end(),
                     [](const LayerOptions& layer) { return !sends_values(layer.neuron.spike); });
}

/// Each parameter by itself: cosine at least 0.9999, norm within 0.1%. False: not compared, as hard spikes
/// differ. A rounding error can make a hard spike; where there are none, sums that differ are a defect.
inline bool check_gradient(Backend& backend, const NetworkCase& c, const Expected& expected) {
  const BatchStatistics seen = backend.gradient(c.batch(), c.loss);
  for (size_t k = 0; k < seen.spikes.size(); ++k) {
    const bool same =
        std::abs(seen.spikes[k] - expected.dropped_spikes[k]) <= 1e-4 * expected.dropped_spikes[k];
    if (same) continue;
    CHECK_MESSAGE(has_hard_spikes(c.options), "the sums of soft spikes differ in layer ", k);
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

}  // namespace sonospike::test
