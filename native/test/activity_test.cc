// Event-driven products against the dense ones, bit for bit, at every instruction set.
#include "core/network/activity.h"

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
  Activity spikes;
  spikes.reserve(Activity::Kind::kSpikes, width, stride, rows);
  REQUIRE(kernels.spike_bits(s.data(), s.size(), spikes.bits(0)));
  EventScratch scratch;

  Buffer<float> dense(static_cast<size_t>(rows) * n), events(dense.size());
  kernels.gemm({rows, n, width, s.data(), stride, 1, b.data(), n, dense.data(), n, bias.data(), false});
  spikes.multiply(0, rows, b.data(), n, bias.data(), events.data(), scratch);
  CHECK(std::equal(dense.data(), dense.data() + dense.size(), events.data()));
  const int first = rows / 3;
  const size_t from = static_cast<size_t>(first) * n;
  spikes.multiply(first, rows - first, b.data(), n, nullptr, events.data() + from, scratch);
  kernels.gemm({rows - first, n, width, s.data() + static_cast<size_t>(first) * stride, stride, 1, b.data(),
                n, dense.data() + from, n, nullptr, true});
  CHECK(std::equal(dense.data(), dense.data() + dense.size(), events.data()));

  Buffer<float> dense_t = random_values(static_cast<size_t>(width) * n, -1, 1, random), events_t = dense_t;
  kernels.gemm({width, n, rows - first, s.data() + static_cast<size_t>(first) * stride, 1, stride, d.data(),
                n, dense_t.data(), n, nullptr, true});
  spikes.multiply_transposed(first, rows - first, d.data(), n, events_t.data(), scratch);
  CHECK(std::equal(dense_t.data(), dense_t.data() + dense_t.size(), events_t.data()));
}

TEST_CASE("activity: products with few spikes give the bits of the dense ones, as do those with many") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    unsigned seed = 1;
    for (double density : {0.0, 0.03, 0.2, 1.0}) {
      for (int n : {16, 48, 144, 304}) check_products(kernels, 61, 37, n, density, seed++);
      check_products(kernels, 1, 1, 16, density, seed++);
      check_products(kernels, 700, 300, 32, density, seed++);
    }
  });
}

TEST_CASE("activity: values that are not 0 or 1 are not taken for spikes") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(6);
    const Buffer<float> b = random_values(48 * 16, -1, 1, random);
    for (float value : {0.5f, -1.0f, 2.0f, 1.0000001f}) {
      for (size_t at : {size_t{0}, size_t{17}, size_t{95}}) {
        Activity input;
        EventScratch scratch;
        input.reserve(Activity::Kind::kEither, 48, 48, 3);
        input.values(0)[3] = 1.0f;
        input.values(1)[at] = value;
        input.take(0, 1);
        input.take(1, 2);
        Buffer<float> dense(48), ours(48);
        kernels.gemm({3, 16, 48, input.values(0), 48, 1, b.data(), 16, dense.data(), 16, nullptr, true});
        input.multiply(0, 3, b.data(), 16, nullptr, ours.data(), scratch);
        CHECK(std::equal(dense.data(), dense.data() + 48, ours.data()));
      }
    }
  });
}

TEST_CASE("kernels: bits, places and numbers of spikes say the same") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(8);
    for (int words : {1, 2, 7, 32}) {
      for (double density : {0.0, 0.1, 1.0}) {
        const int rows = 9;
        const Buffer<float> s = random_spikes(rows, words * kLanePad, density, random);
        Buffer<uint16_t> bits(static_cast<size_t>(rows) * words);
        REQUIRE(kernels.spike_bits(s.data(), s.size(), bits.data()));
        Buffer<float> back(s.size());
        kernels.expand_spikes(bits.data(), bits.size(), back.data());
        CHECK(std::equal(s.data(), s.data() + s.size(), back.data()));
        Buffer<uint32_t> start(rows + 1), index(s.size() + kLanePad);
        kernels.list_spikes(bits.data(), rows, words, start.data(), index.data());
        CHECK(kernels.count_spikes(bits.data(), bits.size()) == start[rows]);
        size_t at = 0;
        for (size_t i = 0; i < s.size(); ++i) {
          if (i % (words * kLanePad) == 0) CHECK(start[i / (words * kLanePad)] == at);
          if (s[i] == 1.0f) CHECK(index[at++] == i % (words * kLanePad));
        }
        CHECK(at == start[rows]);
      }
    }
  });
}

TEST_CASE("kernels: products with spikes by table, and what every place of the table gets back") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(10);
    for (int width : {1, 4, 20, 37}) {
      for (int n : {16, 32, 48, 80}) {
        const int rows = 50, stride = pad_lanes(width), words = stride / kLanePad, groups = (width + 3) / 4;
        const Buffer<float> s = random_spikes(rows, width, 0.4, random);
        Buffer<uint16_t> bits(static_cast<size_t>(rows) * words);
        REQUIRE(kernels.spike_bits(s.data(), s.size(), bits.data()));
        Buffer<float> table = random_values(static_cast<size_t>(groups) * 16 * n, -1, 1, random);
        const Buffer<float> bias = random_values(n, -1, 1, random);
        Buffer<float> d(static_cast<size_t>(rows) * n);
        kernels.lookup_product({rows, words, groups, n, bits.data()}, table.data(), bias.data(), d.data());
        std::vector<double> product(d.size()), gradient = test::doubles(table);
        for (int row = 0; row < rows; ++row) {
          for (int j = 0; j < n; ++j) {
            double& sum = product[row * n + j];
            sum = bias[j];
            for (int group = 0; group < groups; ++group) {
              int place = 0;
              for (int bit = 0; bit < 4; ++bit) {
                const int i = group * 4 + bit;
                place |= (i < width && s[row * stride + i] == 1.0f) << bit;
              }
              const size_t at = (static_cast<size_t>(group) * 16 + place) * n + j;
              sum += table[at];
              gradient[at] += d[row * n + j];
            }
          }
        }
        CHECK(test::error(d, product) <= 1e-6);
        kernels.nibble_gradient({rows, words, groups, n, bits.data()}, d.data(), table.data());
        CHECK(test::error(table, gradient) <= 1e-5);
      }
    }
  });
}

TEST_CASE("kernels: scalar products of listed pairs of rows") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(9);
    for (int k : {16, 48, 128}) {
      for (double density : {0.0, 0.05, 0.5, 1.0}) {
        const int rows = 7, columns = 33, ldc = 48;
        const Buffer<float> a = random_values(static_cast<size_t>(rows) * k, -1, 1, random);
        const Buffer<float> b = random_values(static_cast<size_t>(columns) * k, -1, 1, random);
        const Buffer<float> listed = random_spikes(rows, columns, density, random);
        Buffer<float> c = random_values(static_cast<size_t>(rows) * ldc, -1, 1, random);
        std::vector<double> expected(c.data(), c.data() + c.size());
        Buffer<uint16_t> bits(listed.size() / kLanePad);
        kernels.spike_bits(listed.data(), listed.size(), bits.data());
        Buffer<uint32_t> start(rows + 1), index(listed.size() + kLanePad);
        kernels.list_spikes(bits.data(), rows, ldc / kLanePad, start.data(), index.data());
        for (int row = 0; row < rows; ++row) {
          for (int i = 0; i < columns; ++i) {
            if (listed[row * ldc + i] == 0.0f) continue;
            for (int j = 0; j < k; ++j) expected[row * ldc + i] += double{a[row * k + j]} * b[i * k + j];
          }
        }
        kernels.sddmm(
            {rows, k, start.data(), start.data() + 1, index.data(), a.data(), k, b.data(), k, c.data(), ldc});
        CHECK(test::error(c, expected) <= 1e-6);
      }
    }
  });
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
  batch.of_input = true;
  batch.input = [&](int clip, int first, int count, float* out, size_t stride, int) {
    for (int t = first; t < first + count; ++t, out += stride)
      std::copy_n(x.data() + (static_cast<size_t>(t) * clips + clip) * options.inputs, options.inputs, out);
  };
  result.loss = backend->gradient(batch, {}).loss;
  backend->read_gradient(result.gradient.data());
  backend->read_input_gradient(result.input_gradient.data());
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
