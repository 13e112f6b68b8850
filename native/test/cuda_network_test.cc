// The CUDA backend against the plain reference and against the CPU backend, on random networks: on an
// emulated GPU, or on one that there is where CMake was told SONOSPIKE_CUDA.
#include <doctest/doctest.h>

#include <cmath>

#include "test/backends.h"
#include "test/network_checks.h"

namespace sonospike {
namespace {

using test::Expected;
using test::NetworkCase;

/// Every second one without tensor cores.
std::unique_ptr<Backend> on_gpu(const NetworkCase& c, int threads = 1) {
  static int made = 0;
  std::optional<test::WithoutTensorCores> without;
  if (made++ % 2) without.emplace();
  auto backend = test::make_gpu_backend(c.options, threads);
  backend->load_parameters(c.parameters.data());
  return backend;
}

TEST_CASE("cuda: soft networks equal the reference") {
  for (uint32_t seed = 0; seed < test::gpu_networks(40); ++seed) {
    CAPTURE(seed);
    const NetworkCase c = test::CaseMaker(1000 + seed).make(test::Spikes::kSoft, {3, 40, 40, 40, 20});
    const Expected expected = test::expect(c);
    const auto backend = on_gpu(c);
    test::check_forward(*backend, c, expected, 1e-4);
    CHECK(test::check_gradient(*backend, c, expected));
  }
}

TEST_CASE("cuda: hard networks equal the reference wherever their spikes do, which is nearly always") {
  int networks = 0, compared = 0;
  for (uint32_t seed = 0; seed < test::gpu_networks(60); ++seed) {
    CAPTURE(seed);
    const NetworkCase c = test::CaseMaker(2000 + seed).make(test::Spikes::kHard, {3, 40, 40, 40, 12});
    const Expected expected = test::expect(c);
    ++networks;
    const auto backend = on_gpu(c);
    if (!test::same_spikes(*backend, c, expected)) continue;
    test::check_forward(*backend, c, expected, 1e-4);
    if (expected.boxcar_edges > 0) continue;
    compared += test::check_gradient(*backend, c, expected);
  }
  MESSAGE("compared ", compared, " of ", networks);
  CHECK(compared >= networks * 9 / 10);
}

TEST_CASE("cuda: every connection, neuron and readout, and dropout, equal the reference") {
  int networks = 0, compared = 0;
  for (uint32_t seed = 0; seed < test::gpu_networks(120); ++seed) {
    CAPTURE(seed);
    const NetworkCase c =
        test::CaseMaker(5000 + seed)
            .make(seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft, {3, 40, 30, 40, 6, true});
    const Expected expected = test::expect(c);
    ++networks;
    const auto backend = on_gpu(c);
    if (seed % 2 && !test::same_spikes(*backend, c, expected)) continue;
    test::check_forward(*backend, c, expected, 1e-4);
    if (expected.boxcar_edges > 0) continue;
    compared += test::check_gradient(*backend, c, expected);
  }
  MESSAGE("compared ", compared, " of ", networks);
  CHECK(compared >= networks * 9 / 10);
}

TEST_CASE("cuda: narrow networks, whose layers go all at once, equal the reference") {
  int networks = 0, compared = 0;
  double spikes = 0.0;
  for (uint32_t seed = 0; seed < test::gpu_networks(60); ++seed) {
    CAPTURE(seed);
    const NetworkCase c =
        test::narrow_case(9500 + seed, seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft);
    const Expected expected = test::expect(c);
    ++networks;
    const auto backend = on_gpu(c);
    if (seed % 2 && !test::same_spikes(*backend, c, expected)) continue;
    test::check_forward(*backend, c, expected, 1e-4);
    if (expected.boxcar_edges > 0) continue;
    compared += test::check_gradient(*backend, c, expected);
    if (seed % 2) spikes += test::spikes_of(c.options, expected.passes[0], 0);
  }
  MESSAGE("compared ", compared, " of ", networks);
  CHECK(compared >= networks * 9 / 10);
  CHECK(spikes > 0.0);
}

TEST_CASE("cuda: wide layers, with sums longer than a tile of the matrix product") {
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
  test::CaseMaker(3100).add_clips(c, 3);
  const Expected expected = test::expect(c);
  const auto backend = on_gpu(c);
  test::check_forward(*backend, c, expected, 1e-4);
  CHECK(test::check_gradient(*backend, c, expected));
}

TEST_CASE("cuda: so many clips that a recurrent layer takes several in a block" *
          doctest::skip(test::kWatchedGpu)) {
  for (const test::Spikes spikes : {test::Spikes::kSoft, test::Spikes::kHard}) {
    test::CaseMaker maker(3001);
    NetworkCase c = maker.make(spikes, {2, 12, 12, 12, 1});
    for (LayerOptions& layer : c.options.layers) layer.recurrent = true;
    c.parameters.resize(ParameterTable(c.options).size());
    ParameterTable(c.options).initialise(3, c.parameters.data());
    maker.add_clips(c, 515);
    maker.vary_lengths(c);
    const auto gpu = on_gpu(c);
    const size_t classes = c.options.classes, layers = c.options.layers.size();
    std::vector<float> scores(c.clips.size() * classes), gradient(c.parameters.size());
    std::vector<double> spikes_of(c.clips.size() * layers);
    gpu->forward(c.batch(), scores.data(), spikes_of.data());
    gpu->gradient(c.batch(), c.loss);
    gpu->read_gradient(gradient.data());
    std::vector<double> sum(gradient.size());
    for (size_t i = 0; i < c.clips.size(); ++i) {
      const NetworkCase one = c.alone(i);
      std::vector<float> alone(classes), part(gradient.size());
      std::vector<double> alone_spikes(layers);
      gpu->forward(one.batch(), alone.data(), alone_spikes.data());
      CHECK(std::equal(alone.begin(), alone.end(), &scores[i * classes]));
      CHECK(std::equal(alone_spikes.begin(), alone_spikes.end(), &spikes_of[i * layers]));
      gpu->gradient(one.batch(), c.loss);
      gpu->read_gradient(part.data());
      for (size_t k = 0; k < sum.size(); ++k) sum[k] += part[k] / static_cast<double>(c.clips.size());
    }
    double difference = 0.0, size = 0.0;
    for (size_t k = 0; k < sum.size(); ++k) {
      difference += (gradient[k] - sum[k]) * (gradient[k] - sum[k]);
      size += sum[k] * sum[k];
    }
    CHECK(std::sqrt(difference / size) < 1e-5);
  }
}

TEST_CASE("cuda: scores and counts of very long clips do not drift" * doctest::skip(test::kWatchedGpu)) {
  for (const ReadoutKind readout :
       {ReadoutKind::kSpikeCount, ReadoutKind::kLeakyIntegrator, ReadoutKind::kMeanPotential}) {
    NetworkCase c;
    c.options.inputs = 1;
    c.options.classes = 2;
    c.options.layers.resize(1);
    c.options.layers[0].neurons = 2;
    c.options.layers[0].neuron = {SpikeKind::kSoft, 5.0f, ResetKind::kZero, false};
    c.options.readout.kind = readout;
    c.parameters.resize(ParameterTable(c.options).size());
    ParameterTable(c.options).initialise(1, c.parameters.data());
    c.labels = {0};
    c.steps = 100'000;
    c.clips = {std::vector<float>(c.steps, 0.7f)};
    const Expected expected = test::expect(c);
    std::vector<float> scores(c.options.classes);
    double spikes = 0.0;
    on_gpu(c)->forward(c.batch(), scores.data(), &spikes);
    for (int i = 0; i < c.options.classes; ++i)
      CHECK(scores[i] == doctest::Approx(expected.passes[0].score[i]).epsilon(1e-4));
    CHECK(spikes == doctest::Approx(test::spikes_of(c.options, expected.passes[0], 0)).epsilon(1e-4));
  }
}

/// Positions, over all clips, layers, steps and neurons, and those at which two backends send something else.
struct Positions {
  int64_t all = 0, different = 0;
};

void compare_spikes(Backend& ours, Backend& theirs, const NetworkCase& c, Positions& positions) {
  std::vector<float> scores(c.options.classes);
  for (size_t clip = 0; clip < c.clips.size(); ++clip) {
    const Batch one = c.batch(static_cast<int>(clip), 1);
    const auto a = ours.observe(one, scores.data()).layers, b = theirs.observe(one, scores.data()).layers;
    for (size_t k = 0; k < a.size(); ++k) {
      for (int t = 0; t < c.steps; ++t) {
        for (int i = 0; i < a[k].neurons; ++i) {
          ++positions.all;
          positions.different += a[k].s[t * a[k].stride + i] != b[k].s[t * b[k].stride + i];
        }
      }
    }
  }
}

TEST_CASE("cuda: over 500 steps hard networks spike as on the CPU, and soft ones have its gradient") {
  Positions positions;
  for (uint32_t seed = 0; seed < test::gpu_networks(8); ++seed) {
    CAPTURE(seed);
    const bool hard = seed % 2;
    NetworkCase c = test::CaseMaker(9100 + seed)
                        .make(hard ? test::Spikes::kHard : test::Spikes::kSoft, {3, 40, 40, 1, 1});
    c.steps = 500;
    c.clips.clear();
    c.labels.clear();
    test::CaseMaker(seed).add_clips(c, 2);
    const std::unique_ptr<Backend> gpu = on_gpu(c), cpu = make_cpu_backend(c.options, 1);
    cpu->load_parameters(c.parameters.data());
    if (hard) {
      compare_spikes(*gpu, *cpu, c, positions);
      continue;
    }
    std::vector<float> a(c.parameters.size()), b(c.parameters.size());
    gpu->gradient(c.batch(), c.loss);
    gpu->read_gradient(a.data());
    cpu->gradient(c.batch(), c.loss);
    cpu->read_gradient(b.data());
    double product = 0.0, own = 0.0, other = 0.0;
    for (size_t i = 0; i < a.size(); ++i) {
      product += double{a[i]} * b[i];
      own += double{a[i]} * a[i];
      other += double{b[i]} * b[i];
    }
    CHECK(product >= 0.9999 * std::sqrt(own * other));
  }
  MESSAGE(positions.different, " of ", positions.all, " positions differ");
  CHECK(positions.different <= positions.all / 1000);
}

}  // namespace
}  // namespace sonospike
