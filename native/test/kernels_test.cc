// The matrix product, the random numbers and the small kernels against plain loops in double precision, at
// every instruction set.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/support/buffer.h"
#include "core/support/philox.h"
#include "test/instruction_sets.h"

namespace sonospike {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Product {
  int m, n, k;
  bool transposed;  // A is stored [k, m]
  bool bias, accumulate;
  int gap;  // floats between the rows of all three matrices that are nobody's
};

/// A product with its operands. What lies between the rows is NaN: reading it would show.
struct ProductData {
  explicit ProductData(const Product& p, std::mt19937& random)
      : product(p),
        a_rows(p.transposed ? p.k : p.m),
        lda((p.transposed ? p.m : p.k) + p.gap),
        ldb(p.n + pad_lanes(p.gap)),
        a(fill(a_rows, p.transposed ? p.m : p.k, lda, random)),
        b(fill(p.k, p.n, ldb, random)),
        c(fill(p.m, p.n, ldb, random)),
        bias(fill(1, p.n, p.n, random)) {}

  static Buffer<float> fill(int rows, int columns, ptrdiff_t stride, std::mt19937& random) {
    std::normal_distribution<float> normal;
    Buffer<float> values(static_cast<size_t>(rows) * stride);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<ptrdiff_t>(i) % stride < columns ? normal(random) : kNan;
    }
    return values;
  }

  /// Rows [first, first + rows) of the result; the rest of C stays.
  Buffer<float> run(const Kernels& kernels, int first, int rows) const {
    Buffer<float> result = c;
    GemmArgs g{};
    g.m = rows;
    g.n = product.n;
    g.k = product.k;
    g.a_row = product.transposed ? 1 : lda;
    g.a_col = product.transposed ? lda : 1;
    g.a = a.data() + first * g.a_row;
    g.b = b.data();
    g.ldb = ldb;
    g.c = result.data() + first * ldb;
    g.ldc = ldb;
    g.bias = product.bias ? bias.data() : nullptr;
    g.accumulate = product.accumulate;
    kernels.gemm(g);
    return result;
  }

  /// How far an element of `result` is from the sum in double precision, in units of float32 rounding of its
  /// terms.
  double error(const Buffer<float>& result, int i, int j) const {
    double sum = product.accumulate ? c[i * ldb + j] : product.bias ? bias[j] : 0.0f;
    double size = std::abs(sum);
    for (int p = 0; p < product.k; ++p) {
      const double term = double{a[product.transposed ? p * lda + i : i * lda + p]} * b[p * ldb + j];
      sum += term;
      size += std::abs(term);
    }
    return std::abs(result[i * ldb + j] - sum) / (size * 0x1p-24 + 1e-30);
  }

  Product product;
  int a_rows;
  ptrdiff_t lda, ldb;
  Buffer<float> a, b, c, bias;
};

void check_product(const Kernels& kernels, const Product& p, std::mt19937& random) {
  CAPTURE(p.m);
  CAPTURE(p.n);
  CAPTURE(p.k);
  CAPTURE(p.transposed);
  CAPTURE(p.bias);
  CAPTURE(p.accumulate);
  const ProductData data(p, random);
  const Buffer<float> result = data.run(kernels, 0, p.m);
  double worst = 0.0;
  bool gaps_untouched = true;
  for (int i = 0; i < p.m; ++i) {
    for (int j = 0; j < p.n; ++j) {
      const double error = data.error(result, i, j);
      worst = error <= worst ? worst : error;  // NaN wins
    }
    for (int j = p.n; j < data.ldb; ++j)
      gaps_untouched = gaps_untouched && std::isnan(result[i * data.ldb + j]);
  }
  CHECK(worst <= 3.0 + std::sqrt(p.k));
  CHECK(gaps_untouched);

  // The bits of a row do not depend on its neighbours.
  const int row = static_cast<int>(random() % p.m);
  const Buffer<float> alone = data.run(kernels, row, 1);
  CHECK(std::memcmp(&alone[row * data.ldb], &result[row * data.ldb], p.n * sizeof(float)) == 0);
}

TEST_CASE("kernels: matrix product, every number of rows and columns") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(1);
    for (int m = 1; m <= 50; ++m) {
      for (int n : {16, 32, 48, 64, 80}) {
        const int k = 1 + static_cast<int>(random() % 40);
        check_product(kernels, {m, n, k, random() % 2 == 0, random() % 2 == 0, random() % 2 == 0, 3}, random);
      }
    }
  });
}

TEST_CASE("kernels: matrix product, all options, sums of any length") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(2);
    for (int k : {0, 1, 2, 15, 255, 256, 257, 511, 512, 513, 700}) {
      for (int options = 0; options < 8; ++options) {
        const int m = 1 + static_cast<int>(random() % 70), n = 16 * (1 + static_cast<int>(random() % 6));
        const int gap = static_cast<int>(random() % 20);
        check_product(kernels, {m, n, k, (options & 1) != 0, (options & 2) != 0, (options & 4) != 0, gap},
                      random);
      }
    }
  });
}

TEST_CASE("kernels: Philox gives the known answers of Random123") {
  const auto check = [](uint64_t seed, const PhiloxBlock& counter, const PhiloxBlock& expected) {
    const uint32_t* c = counter.word;
    const PhiloxBlock block = philox(seed, c[0], c[1], c[2], c[3]);
    CHECK(std::memcmp(&block, &expected, sizeof(block)) == 0);
    test::at_every_instruction_set([&](const Kernels& kernels) {
      uint32_t words[4 * 40];
      for (int blocks : {1, 40}) {
        kernels.philox_fill(words, blocks, c[0], c[1], c[2], c[3], seed);
        CHECK(std::memcmp(words, &expected, sizeof(expected)) == 0);
      }
    });
  };
  // kat_vectors of Random123, philox4x32 with 10 rounds
  check(0, {}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  check(~uint64_t{0}, {{~0u, ~0u, ~0u, ~0u}}, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  check(0x299f31d0'a4093822, {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
        {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST_CASE("kernels: Philox in bulk equals Philox block by block") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(3);
    for (int blocks = 0; blocks <= 70; ++blocks) {
      const uint32_t first = random(), stream = random(), clip = random(), epoch = random();
      const uint64_t seed = uint64_t{random()} << 32 | random();
      std::vector<uint32_t> words(4 * blocks + 1, 7), expected;
      kernels.philox_fill(words.data(), blocks, first, stream, clip, epoch, seed);
      for (int i = 0; i < blocks; ++i) {
        const PhiloxBlock block = philox(seed, first + i, stream, clip, epoch);
        expected.insert(expected.end(), block.word, block.word + 4);
      }
      expected.push_back(7);
      CHECK(words == expected);
    }
  });
}

TEST_CASE("kernels: a random word becomes a float in [0, 1)") {
  CHECK(philox_uniform(0) == 0.0f);
  CHECK(philox_uniform(0x80000000) == 0.5f);
  CHECK(philox_uniform(~0u) == 1.0f - 0x1p-24f);
}

TEST_CASE("kernels: addition, any length") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    for (int count = 0; count <= 70; ++count) {
      std::vector<float> target(count + 1, 0.5f), source(count + 1);
      for (int i = 0; i <= count; ++i) source[i] = static_cast<float>(i);
      kernels.add(target.data(), source.data(), count);
      for (int i = 0; i < count; ++i) CHECK(target[i] == 0.5f + static_cast<float>(i));
      CHECK(target[count] == 0.5f);
    }
  });
}

TEST_CASE("kernels: one step of Adam, any length") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(4);
    std::normal_distribution<float> normal;
    for (size_t count = 1; count <= 40; ++count) {
      std::vector<float> w(count), m(count), v(count), g(count);
      for (size_t i = 0; i < count; ++i) {
        w[i] = normal(random);
        m[i] = normal(random);
        v[i] = std::abs(normal(random));
        g[i] = normal(random);
      }
      AdamArgs q{};
      q.gradient_scale = 0.5f;
      q.rate = 0.01f;
      q.beta1 = 0.9f;
      q.beta2 = 0.99f;
      q.epsilon = 1e-6f;
      q.correction1 = 0.3f;
      q.correction2 = 0.02f;
      q.decoupled_decay = 0.1f;
      q.l2_decay = 0.2f;
      auto w_now = w, m_now = m, v_now = v;
      q.count = count;
      q.parameter = w_now.data();
      q.m = m_now.data();
      q.v = v_now.data();
      q.gradient = g.data();
      kernels.adam(q);
      for (size_t i = 0; i < count; ++i) {
        const double gradient = 0.5 * g[i] + 0.2 * w[i];
        const double m_next = 0.9 * m[i] + 0.1 * gradient, v_next = 0.99 * v[i] + 0.01 * gradient * gradient;
        const double decayed = w[i] * (1.0 - 0.01 * 0.1);
        const double w_next = decayed - 0.01 * (m_next / 0.3) / (std::sqrt(v_next / 0.02) + 1e-6);
        CHECK(std::abs(m_now[i] - m_next) <= 1e-6);
        CHECK(std::abs(v_now[i] - v_next) <= 1e-6);
        CHECK(std::abs(w_now[i] - w_next) <= 1e-6);
      }
    }
  });
}

}  // namespace
}  // namespace sonospike
