// The products of the CUDA backend, on tensor cores and by multiply-adds, against plain sums in double
// precision.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "cuda/device/bfloat16.h"
#include "cuda/kernels/divisor.h"
#include "cuda/kernels/index.h"
#include "cuda/kernels/product.h"
#include "test/backends.h"

namespace sonospike::cuda {
namespace {

struct Sizes {
  ConnectionShape shape;
  std::vector<int> steps;  // of each clip
  bool bits;
};

/// What the products work with: what a layer reads, its weights, and the gradient that comes back.
struct Work {
  Sizes sizes;
  int rows = 0;
  std::vector<int> first_row{0};
  std::vector<float> x, weight, bias, g;  // weight [taps, kernel, in_channels, channels]

  Work(const Sizes& of, uint32_t seed) : sizes(of) {
    for (const int steps : of.steps) first_row.push_back(rows += steps);
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<float>& values, size_t size, const auto& value) {
      values.resize(size);
      for (float& each : values) each = value();
    };
    const auto any = [&] { return normal(random) * std::exp2(static_cast<float>(random() % 20) - 10.0f); };
    const auto input = [&] { return of.bits ? static_cast<float>(random() % 3 == 0) : any(); };
    fill(x, static_cast<size_t>(rows) * of.shape.inputs, input);
    fill(weight, of.shape.weights(), any);
    fill(bias, of.shape.channels, any);
    fill(g, static_cast<size_t>(rows) * of.shape.neurons(), any);
  }

  const ConnectionShape& shape() const { return sizes.shape; }
  float& weight_at(int tap, int place, int i, int channel) {
    return weight[((static_cast<size_t>(tap) * shape().kernel + place) * shape().in_channels + i) *
                      shape().channels +
                  channel];
  }

  /// Calls use(row read, input, row, neuron, place of the weight) for every synapse.
  template <typename Use>
  void for_synapses(const Use& use) const {
    const ConnectionShape& s = shape();
    const int in_bands = s.inputs / s.in_channels;
    for (size_t clip = 0; clip + 1 < first_row.size(); ++clip) {
      for (int row = first_row[clip]; row < first_row[clip + 1]; ++row) {
        for (int tap = 0; tap < s.taps; ++tap) {
          const int from = row - s.delay_of(tap);
          if (from < first_row[clip]) continue;
          for (int band = 0; band < s.bands; ++band) {
            for (int place = 0; place < s.kernel; ++place) {
              const int in_band = band * s.stride - s.left + place;
              if (in_band < 0 || in_band >= in_bands) continue;
              for (int i = 0; i < s.in_channels; ++i) {
                for (int c = 0; c < s.channels; ++c) {
                  const size_t weight =
                      ((static_cast<size_t>(tap) * s.kernel + place) * s.in_channels + i) * s.channels + c;
                  use(from, in_band * s.in_channels + i, row, band * s.channels + c, weight);
                }
              }
            }
          }
        }
      }
    }
  }
};

/// Sums, and the sums of what they add up without its signs, of which rounding is a part.
struct Sums {
  std::vector<double> value, size;
  explicit Sums(size_t count) : value(count), size(count) {}
  void add(size_t i, double term) {
    value[i] += term;
    size[i] += std::abs(term);
  }
  /// The greatest error, in parts of 2^-24 of the size.
  double error(const std::vector<float>& found) const {
    double most = 0.0;
    for (size_t i = 0; i < value.size(); ++i) {
      const double off = std::abs(found[i] - value[i]);
      if (off > 0.0) most = std::max(most, off / (size[i] * std::exp2(-24.0)));
    }
    return most;
  }
};

template <typename T>
DeviceArray<T> on(Device& device, const std::vector<T>& values) {
  DeviceArray<T> array(device);
  array.upload(values.data(), values.size());
  return array;
}

std::vector<float> read(const DeviceArray<float>& array) {
  std::vector<float> values(array.size());
  array.download(values.data());
  return values;
}

/// The errors of all three products.
struct Errors {
  double forward, down, gradient;
};

Errors errors_of(Work work) {
  Device device(0);
  device.use();
  const ConnectionShape& s = work.shape();
  const int rows = work.rows, words = words_of(s.inputs);
  const auto first_row = on(device, work.first_row);
  DeviceArray<int> step_of(device), clip_of(device);
  step_of.reserve(rows);
  clip_of.reserve(rows);
  const int count = static_cast<int>(work.sizes.steps.size());
  index_rows(device, first_row.data(), count, step_of.data(), clip_of.data());
  const Clips clips{count, rows, first_row.data(), step_of.data(), clip_of.data()};

  std::vector<uint32_t> bits(static_cast<size_t>(rows) * words);
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < s.inputs; ++i) {
      const bool set = work.x[static_cast<size_t>(row) * s.inputs + i] > 0.0f;
      bits[static_cast<size_t>(row) * words + i / 32] |= static_cast<uint32_t>(set) << (i % 32);
    }
  }
  const auto x = on(device, work.x);
  const auto packed = on(device, bits);
  const Sent input{s.inputs, words, work.sizes.bits ? nullptr : x.data(),
                   work.sizes.bits ? packed.data() : nullptr};

  std::vector<float> turned(work.weight.size());  // as input_gradient_product reads them
  for (int group = 0; group < s.taps * s.kernel; ++group) {
    const int tap = group / s.kernel, place = group % s.kernel;
    for (int i = 0; i < s.in_channels; ++i) {
      for (int c = 0; c < s.channels; ++c) {
        turned[(static_cast<size_t>(s.group_of(tap, place)) * s.channels + c) * s.in_channels + i] =
            work.weight_at(tap, place, i, c);
      }
    }
  }
  const auto weight = on(device, work.weight), back = on(device, turned), bias = on(device, work.bias),
             g = on(device, work.g);

  Sums currents(static_cast<size_t>(rows) * s.neurons()), down(work.x.size()), gradient(work.weight.size());
  for (size_t i = 0; i < currents.value.size(); ++i) currents.add(i, work.bias[i % s.channels]);
  work.for_synapses([&](int from, int i, int row, int neuron, size_t at) {
    const size_t below = static_cast<size_t>(from) * s.inputs + i,
                 above = static_cast<size_t>(row) * s.neurons() + neuron;
    currents.add(above, double{work.x[below]} * work.weight[at]);
    down.add(below, double{work.g[above]} * work.weight[at]);
    gradient.add(at, double{work.x[below]} * work.g[above]);
  });

  DeviceArray<float> out(device), gx(device), parts(device);
  out.reserve(currents.value.size());
  forward_product(device, s, clips, input, weight.data(), bias.data(), out.data());
  gx.reserve(down.value.size());
  input_gradient_product(device, s, clips, g.data(), back.data(), gx.data());
  const int cut = gradient_parts(s, rows);
  parts.reserve(cut * s.weights());
  weight_gradient(device, s, clips, input, g.data(), cut, parts.data());
  const std::vector<float> cuts = read(parts);
  std::vector<float> summed(s.weights());
  for (size_t i = 0; i < cuts.size(); ++i) summed[i % s.weights()] += cuts[i];
  return {currents.error(read(out)), down.error(read(gx)), gradient.error(summed)};
}

ConnectionShape dense(int inputs, int neurons, int taps = 1, int delay = 0) {
  return {inputs, inputs, 1, neurons, 1, 1, 0, taps, 2, delay};
}

/// A connection of any kind, of clips of any lengths.
Sizes random_sizes(uint32_t seed) {
  std::mt19937 random(seed);
  const auto between = [&](int least, int most) {
    return least + static_cast<int>(random() % (most - least + 1));
  };
  Sizes sizes{dense(between(1, 150), between(1, 150), between(1, 3), between(0, 1)), {}, random() % 2 == 0};
  if (random() % 2) {
    const int in_channels = between(1, 40), in_bands = between(1, 9), kernel = between(1, 5);
    const int stride = between(1, 3), bands = (in_bands + stride - 1) / stride;
    const int left = std::max(0, (bands - 1) * stride + kernel - in_bands) / 2;
    sizes.shape = {in_channels * in_bands, in_channels,  bands, 16 * between(1, 5), kernel, stride, left,
                   between(1, 3),          between(1, 2)};
  }
  for (int clip = between(1, 5); clip > 0; --clip) sizes.steps.push_back(between(1, 30));
  return sizes;
}

void check_products() {
  // In parts of 2^-24: rounding at every addition makes up to 20 here, one product of bfloat16 left out
  // more than this.
  constexpr double kMost = 32.0;
  for (uint32_t seed = 0; seed < test::gpu_networks(24); ++seed) {
    CAPTURE(seed);
    const Errors errors = errors_of(Work(random_sizes(seed), seed));
    CHECK(errors.forward < kMost);
    CHECK(errors.down < kMost);
    CHECK(errors.gradient < kMost);
  }
  // Sums of many terms, which are cut into tiles and parts; and inputs that fill words of 32 bits.
  const ConnectionShape convolution{64 * 7, 64, 4, 48, 5, 2, 2, 3, 1};
  for (const Sizes& sizes :
       {Sizes{dense(700, 130), {150, 57}, false}, Sizes{dense(700, 130), {150, 57}, true},
        Sizes{dense(704, 130), {150, 57}, true}, Sizes{dense(96, 33, 3, 1), {9, 30}, true},
        Sizes{dense(32, 20), {70}, true}, Sizes{convolution, {20, 1, 13}, true}}) {
    CAPTURE(sizes.shape.inputs);
    const Errors errors = errors_of(Work(sizes, 99));
    CHECK(errors.forward < kMost);
    CHECK(errors.down < kMost);
    CHECK(errors.gradient < kMost);
  }
}

TEST_CASE("cuda products: on tensor cores, where there are some, equal plain sums to float32") {
  check_products();
}

TEST_CASE("cuda products: by multiply-adds equal plain sums to float32") {
  const test::WithoutTensorCores without;
  check_products();
}

#if defined(SONOSPIKE_CUDA)
TEST_CASE("cuda products: a GPU of a data centre uses its tensor cores") {
  const CudaDeviceInfo info = cuda_info().devices.at(0);
  const bool of_data_centre = (info.major == 8 && info.minor == 0) || info.major == 9 || info.major == 10;
  CHECK(Device(0).has_tensor_cores() == of_data_centre);
}
#endif

TEST_CASE("cuda products: three bfloat16 are a float32") {
  std::mt19937 random(5);
  for (int i = 0; i < 100'000; ++i) {
    float of[2];
    for (float& value : of) {
      const uint32_t bits = (random() & 0x807FFFFFu) | (64 + random() % 128) << 23;  // 2^-63 to 2^64
      std::memcpy(&value, &bits, sizeof value);
    }
    const SplitPair pair = split(of[0], of[1]);
    double lower = 0.0, upper = 0.0;
    for (const uint32_t term : pair.term) {
      lower += lower_of(term);
      upper += upper_of(term);
    }
    if (lower != of[0] || upper != of[1]) FAIL("split ", of[0], " and ", of[1]);
  }
}

TEST_CASE("cuda products: division by multiplying is division") {
  std::mt19937 random(6);
  for (int i = 0; i < 200'000; ++i) {
    const int by = i < 1000 ? i + 1 : 1 + static_cast<int>(random() % (random() % 2 ? 100 : INT32_MAX));
    const int n = static_cast<int>(random() % (uint32_t{1} << 31));
    const Divisor divisor(by);
    for (const int each : {n, n / by * by, n / by * by - 1, INT32_MAX, 0}) {
      if (each >= 0 && divisor.of(each) != each / by) FAIL(each, " / ", by);
    }
  }
}

}  // namespace
}  // namespace sonospike::cuda
