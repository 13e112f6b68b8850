// Event-driven products against the dense ones, bit for bit, at every instruction set.
#include "core/network/spike_train.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "core/network/backend.h"
#include "test/buffers.h"
#include "test/instruction_sets.h"

namespace sonospike {
namespace {

using test::random_values;

/// Rows of zeros and ones; the padding is zero.
Buffer<float> random_spikes(int rows, int width, double density, std::mt19937& random) {
  std::bernoulli_distribution spike(density);
  Buffer<float> s(static_cast<size_t>(rows) * pad_lanes(width));
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < width; ++i)
      s[static_cast<size_t>(row) * pad_lanes(width) + i] = spike(random) ? 1.0f : 0.0f;
  }
  return s;
}

void check_products(const Kernels& kernels, int rows, int width, int n, double density, unsigned seed) {
  std::mt19937 random(seed);
  const int stride = pad_lanes(width);
  const Buffer<float> s = random_spikes(rows, width, density, random);
  const Buffer<float> b = random_values(static_cast<size_t>(width) * n, -1, 1, random);
  const Buffer<float> d = random_values(static_cast<size_t>(rows) * n, -1, 1, random);
  const Buffer<float> bias = random_values(n, -1, 1, random);
  SpikeTrain train;
  train.clear(width, stride);
  // In pieces, as a recurrent layer appends them.
  const int half = rows / 2;
  train.append(s.data(), half);
  train.append(s.data() + static_cast<size_t>(half) * stride, rows - half);
  REQUIRE(train.binary());
  REQUIRE(train.rows() == rows);

  Buffer<float> dense(static_cast<size_t>(rows) * n), events(dense.size());
  kernels.gemm({rows, n, width, s.data(), stride, 1, b.data(), n, dense.data(), n, bias.data(), false});
  train.multiply(0, rows, b.data(), n, bias.data(), events.data());
  CHECK(std::equal(dense.data(), dense.data() + dense.size(), events.data()));
  const int first = rows / 3;
  const size_t from = static_cast<size_t>(first) * n;
  train.multiply(first, rows - first, b.data(), n, nullptr, events.data() + from);
  kernels.gemm({rows - first, n, width, s.data() + static_cast<size_t>(first) * stride, stride, 1, b.data(),
                n, dense.data() + from, n, nullptr, true});
  CHECK(std::equal(dense.data(), dense.data() + dense.size(), events.data()));

  for (int used : {rows, rows - rows / 4}) {
    Buffer<float> dense_t = random_values(static_cast<size_t>(width) * n, -1, 1, random), events_t = dense_t;
    kernels.gemm({width, n, used, s.data(), 1, stride, d.data(), n, dense_t.data(), n, nullptr, true});
    train.multiply_transposed(used, d.data(), n, events_t.data());
    CHECK(std::equal(dense_t.data(), dense_t.data() + dense_t.size(), events_t.data()));
  }
}

TEST_CASE("event-driven products give the bits of the dense ones") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    unsigned seed = 1;
    for (double density : {0.0, 0.03, 0.2, 1.0}) {
      for (int n : {16, 48, 144, 304}) check_products(kernels, 61, 37, n, density, seed++);
      check_products(kernels, 1, 1, 16, density, seed++);
      check_products(kernels, 700, 300, 32, density, seed++);
    }
  });
}

TEST_CASE("only zeros and ones are spikes") {
  test::at_every_instruction_set([](const Kernels&) {
    for (float value : {0.5f, -1.0f, 2.0f, 1.0000001f, std::numeric_limits<float>::quiet_NaN()}) {
      for (size_t at : {size_t{0}, size_t{17}, size_t{95}}) {
        Buffer<float> s(96);
        s[3] = 1.0f;
        s[at] = value;
        SpikeTrain train;
        train.clear(48, 48);
        train.append(s.data(), 2);
        CHECK_FALSE(train.binary());
        CHECK_FALSE(train.sparse());
        train.clear(48, 48);
        CHECK(train.binary());
      }
    }
  });
}

TEST_CASE("sparse says whether few enough have spiked") {
  std::mt19937 random(5);
  for (double density : {0.01, 0.1, 0.6, 1.0}) {
    const Buffer<float> s = random_spikes(100, 60, density, random);
    SpikeTrain train;
    train.clear(60, pad_lanes(60));
    train.append(s.data(), 100);
    CHECK(train.sparse() == (density < 0.25));
  }
}

/// Gradient and input gradient of a network whose input is given.
struct Result {
  double loss;
  std::vector<float> gradient, input_gradient;
};

Result run(const NetworkOptions& options, const std::vector<float>& x, int steps, int clips) {
  auto backend = make_cpu_backend(options, 1);
  std::vector<float> values(backend->table().size());
  backend->table().initialise(3, values.data());
  backend->load_parameters(values.data());
  Result result{0, std::vector<float>(values.size()), std::vector<float>(x.size())};
  std::vector<int> labels(clips);
  for (int i = 0; i < clips; ++i) labels[i] = i % options.classes;
  Batch batch;
  batch.clips = clips;
  batch.steps = steps;
  batch.labels = labels.data();
  batch.input_gradient = result.input_gradient.data();
  batch.input = [&](int clip, float* out, size_t stride, int) {
    for (int t = 0; t < steps; ++t) {
      std::copy_n(x.data() + (static_cast<size_t>(t) * clips + clip) * options.inputs, options.inputs,
                  out + stride * t);
    }
  };
  result.loss = backend->gradient(batch, {}).loss;
  backend->read_gradient(result.gradient.data());
  return result;
}

TEST_CASE("the gradient of the input is that of the loss") {
  // Soft spikes, so that the loss is smooth: central differences.
  NetworkOptions options;
  options.inputs = 3;
  options.classes = 4;
  options.layers.resize(2);
  options.layers[0].neurons = 5;
  options.layers[0].recurrent = true;
  for (auto& layer : options.layers) layer.neuron = {SpikeKind::kSoft, 2.0f, ResetKind::kSubtract, false};
  options.layers[1].neurons = 4;
  const int steps = 6, clips = 3;
  std::mt19937 random(9);
  const Buffer<float> start =
      random_values(static_cast<size_t>(steps) * clips * options.inputs, -1, 1, random);
  const std::vector<float> x(start.data(), start.data() + start.size());
  const Result at = run(options, x, steps, clips);
  const float h = 1e-2f;
  for (size_t i = 0; i < x.size(); ++i) {
    std::vector<float> up = x, down = x;
    up[i] += h;
    down[i] -= h;
    const double slope =
        (run(options, up, steps, clips).loss - run(options, down, steps, clips).loss) / (2 * h) / clips;
    CHECK(at.input_gradient[i] == doctest::Approx(slope).epsilon(0.02).scale(0.01));
  }
}

}  // namespace
}  // namespace sonospike
