// The kernels of the front end that put rows on lanes and back, and the small ones, against plain loops, at
// every instruction set.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/support/buffer.h"
#include "test/buffers.h"
#include "test/instruction_sets.h"

namespace sonospike {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_CASE("lanes: no more than the padding, and room for the rows that are left") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    for (size_t rows : {1, 2, 7, 8, 9, 15, 16, 17, 1000}) {
      const int lanes = kernels.lanes_for(rows);
      CHECK(kLanePad % lanes == 0);
      CHECK((lanes >= static_cast<int>(rows) || lanes == kernels.lanes_for(kLanePad)));
    }
  });
}

TEST_CASE("lanes: rows of any length go there") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(1);
    for (int lanes : {kernels.lanes_for(1), kernels.lanes_for(kLanePad)}) {
      for (int count = 0; count <= 21; ++count) {
        // Each row ends with its buffer: reading on would show.
        std::vector<Buffer<float>> values;
        const float* rows[kLanePad];
        for (int lane = 0; lane < lanes; ++lane) {
          values.push_back(test::random_values(count, -1, 1, random));
          rows[lane] = values[lane].data();
        }
        const Buffer<float> weights = test::random_values(count, -1, 1, random);
        for (const float* weight : {static_cast<const float*>(nullptr), weights.data()}) {
          Buffer<float> out(static_cast<size_t>(count + 1) * lanes);
          kernels.to_lanes({lanes, rows, count, weight, out.data()});
          for (int i = 0; i < count; ++i) {
            for (int lane = 0; lane < lanes; ++lane) {
              CHECK(out[i * lanes + lane] == rows[lane][i] * (weight ? weight[i] : 1.0f));
            }
          }
          for (int lane = 0; lane < lanes; ++lane) CHECK(out[count * lanes + lane] == 0.0f);
        }
      }
    }
  });
}

TEST_CASE("lanes: any number of rows comes back, and nothing else is written") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(2);
    for (int lanes : {kernels.lanes_for(1), kernels.lanes_for(kLanePad)}) {
      for (int rows = 0; rows <= lanes; ++rows) {
        for (int count : {0, 1, 3, 4, 5, 8, 13}) {
          const int in_stride = lanes * (1 + static_cast<int>(random() % 2)), out_stride = count + 2;
          const Buffer<float> in = test::random_values(static_cast<size_t>(count) * in_stride, -1, 1, random);
          std::vector<float> out(static_cast<size_t>(rows + 1) * out_stride, 7.0f), expected = out;
          for (int i = 0; i < count; ++i) {
            for (int row = 0; row < rows; ++row) expected[row * out_stride + i] = in[i * in_stride + row];
          }
          kernels.from_lanes({lanes, rows, count, in.data(), in_stride, out.data(), out_stride});
          CHECK(out == expected);
        }
      }
    }
  });
}

/// Decibels of one value a lane, by a bank of one filter that is 1 at the first bin.
std::vector<float> decibels(const Kernels& kernels, const std::vector<float>& power, float* peak) {
  const int lanes = kernels.lanes_for(kLanePad);
  const MelFilter filter{0, 1, 0};
  const float one = 1.0f;
  std::vector<float> result;
  *peak = -kInfinity;
  for (size_t at = 0; at < power.size(); at += lanes) {
    Buffer<float> in(lanes), out(lanes);
    for (int lane = 0; lane < lanes; ++lane) in[lane] = power[std::min(at + lane, power.size() - 1)];
    *peak = std::max(*peak,
                     kernels.mel_decibels({lanes, 1, &filter, &one, in.data(), out.data(), lanes, 1e-10f}));
    result.insert(result.end(), out.data(), out.data() + lanes);
  }
  result.resize(power.size());
  return result;
}

TEST_CASE("mel: decibels of every magnitude, and their peak") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> exponent(-9.99, 38.0), near_one(0.5, 2.0);
    std::vector<float> power;
    for (int i = 0; i < 4000; ++i) {
      power.push_back(static_cast<float>(i % 2 == 0 ? std::pow(10.0, exponent(random)) : near_one(random)));
    }
    for (float special : {0.0f, 1e-12f, 1e-10f, 1.0f, 3.0e38f}) power.push_back(special);
    float peak = 0;
    const std::vector<float> ours = decibels(kernels, power, &peak);
    double worst = 0;
    for (size_t i = 0; i < power.size(); ++i) {
      const double expected = 10.0 * std::log10(std::max(1e-10, static_cast<double>(power[i])));
      const double rounding = std::abs(expected) * 0x1p-23 + 1e-12;
      worst = std::max(worst, std::abs(ours[i] - expected) / rounding);
    }
    CHECK(worst <= 2.0);
    CHECK(ours.back() == peak);
    CHECK(decibels(kernels, {1.0f}, &peak)[0] == 0.0f);
  });
}

TEST_CASE("mel: what is not a number stays that, infinity stays infinite") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    float peak = 0;
    CHECK(std::isnan(decibels(kernels, {std::numeric_limits<float>::quiet_NaN()}, &peak)[0]));
    CHECK(decibels(kernels, {kInfinity}, &peak)[0] == kInfinity);
    CHECK(peak == kInfinity);
  });
}

TEST_CASE("mel: bands are weighted sums of runs of bins, empty ones too") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(4);
    const std::vector<MelFilter> filters = {{0, 0, 0}, {0, 1, 0}, {3, 5, 1}, {1, 19, 6}};
    const Buffer<float> weights = test::random_values(25, 0, 1, random);
    for (int lanes : {kernels.lanes_for(1), kernels.lanes_for(kLanePad)}) {
      const Buffer<float> power = test::random_values(static_cast<size_t>(20) * lanes, 0, 9, random);
      Buffer<float> out(filters.size() * kLanePad);
      float expected_peak = -kInfinity;
      const float peak = kernels.mel_decibels({lanes, static_cast<int>(filters.size()), filters.data(),
                                               weights.data(), power.data(), out.data(), kLanePad, 1e-10f});
      for (size_t band = 0; band < filters.size(); ++band) {
        for (int lane = 0; lane < lanes; ++lane) {
          double sum = 0;
          for (int i = 0; i < filters[band].bins; ++i) {
            sum += double{weights[filters[band].first_weight + i]} *
                   power[(filters[band].first_bin + i) * lanes + lane];
          }
          CHECK(std::abs(out[band * kLanePad + lane] - 10 * std::log10(std::max(1e-10, sum))) <= 3e-5);
          expected_peak = std::max(expected_peak, out[band * kLanePad + lane]);
        }
      }
      CHECK(peak == expected_peak);
    }
  });
}

TEST_CASE("mel: values are raised to the floor, not a number stays that") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(5);
    for (size_t count : {0, 16, 48}) {
      Buffer<float> values = test::random_values(count, -1, 1, random);
      if (count) values[3] = std::numeric_limits<float>::quiet_NaN();
      const Buffer<float> before = values;
      kernels.raise_to(0.25f, values.data(), count);
      for (size_t i = 0; i < count; ++i) {
        CHECK((i == 3 ? std::isnan(values[i]) : values[i] == std::max(before[i], 0.25f)));
      }
    }
  });
}

TEST_CASE("resampling kernel: sums of products, four at a time and fewer") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(6);
    for (int taps : {8, 16, 24, 80}) {
      for (int count = 0; count <= 9; ++count) {
        const Buffer<float> x = test::random_values(100, -1, 1, random);
        const Buffer<float> w = test::random_values(100, -1, 1, random);
        std::vector<const float*> rows, weights;
        for (int i = 0; i < count; ++i) {
          rows.push_back(x.data() + random() % 20);
          weights.push_back(w.data() + random() % 20);
        }
        std::vector<float> out(count + 1, 7.0f);
        kernels.dot_products({count, rows.data(), weights.data(), taps, out.data()});
        for (int i = 0; i < count; ++i) {
          double sum = 0;
          for (int t = 0; t < taps; ++t) sum += double{rows[i][t]} * weights[i][t];
          CHECK(std::abs(out[i] - sum) <= 3e-6);
        }
        CHECK(out[count] == 7.0f);
      }
    }
  });
}

}  // namespace
}  // namespace sonospike
