// Every step of the front end against plain double precision code.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <initializer_list>
#include <random>
#include <vector>

#include "core/frontend/front_end.h"
#include "test/frontend_reference.h"
#include "test/instruction_sets.h"
#include "test/signals.h"

namespace sonospike {
namespace {

template <class T>
T pick(std::initializer_list<T> choices, std::mt19937& random) {
  return choices.begin()[random() % choices.size()];
}

std::vector<float> features(const FrontEnd& front_end, const std::vector<float>& samples) {
  std::vector<float> out(front_end.frame_count(samples.size()) * front_end.feature_count());
  front_end.compute(samples.data(), samples.size(), out.data());
  return out;
}

/// Holds the power of random signals, one on each lane, against the definition.
void check_fft(const Kernels& kernels, int length, int lanes, double tolerance, std::mt19937& random) {
  CAPTURE(length);
  CAPTURE(lanes);
  const RealFft fft(length);
  std::vector<std::vector<float>> signals;
  Buffer<float> values(fft.workspace_length() * lanes), spare(fft.workspace_length() * lanes);
  for (int lane = 0; lane < lanes; ++lane) {
    signals.push_back(test::noise(length, random));
    for (int i = 0; i < length; ++i) values[static_cast<size_t>(i) * lanes + lane] = signals[lane][i];
  }
  const float* power = fft.power(kernels, lanes, values.data(), spare.data());
  for (int lane = 0; lane < lanes; ++lane) {
    const auto expected = test::reference_dft({signals[lane].begin(), signals[lane].end()});
    double worst = 0;
    for (int k = 0; k < fft.bins(); ++k) {
      // sqrt(p) is within the tolerance of |X|
      const double error = std::abs(std::sqrt(power[k * lanes + lane]) - std::abs(expected[k]));
      worst = error <= worst ? worst : error;  // NaN wins
    }
    CHECK(worst <= tolerance);
  }
}

TEST_CASE("FFT: power equals the sum of the definition for any length") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(4);
    const int few = kernels.lanes_for(1), many = kernels.lanes_for(kLanePad);
    for (int length = 1; length <= 130; ++length) {
      check_fft(kernels, length, length % 2 == 0 ? few : many, 3e-7 * std::sqrt(length), random);
    }
    for (int length : {1, 2, 7, 25, 200, 256, 400, 401, 512, 1000, 1024, 1155}) {
      check_fft(kernels, length, few, 3e-7 * std::sqrt(length), random);
      check_fft(kernels, length, many, 3e-7 * std::sqrt(length), random);
    }
    // Plain sums over a large prime: more additions, more rounding.
    for (int length : {1009, 2018}) check_fft(kernels, length, few, 1e-6 * std::sqrt(length), random);
  });
}

TEST_CASE("window: reflection turns round at both ends as often as needed") {
  for (size_t n : {1, 2, 3, 10}) {
    std::vector<float> ramp(n);
    for (size_t i = 0; i < n; ++i) ramp[i] = static_cast<float>(i);
    for (ptrdiff_t begin = -50; begin <= 50; ++begin) {
      float copy[9];
      copy_reflected(ramp.data(), n, begin, 9, copy);
      for (ptrdiff_t i = 0; i < 9; ++i) CHECK(copy[i] == test::reference_reflected(ramp, begin + i));
    }
  }
}

TEST_CASE("front end: equals the definitions for clips of any length") {
  FrontEndOptions options;
  options.top_db =
      40;  // a short clip repeated has lines that rise far above the rounding errors between them
  const FrontEnd front_end(options);
  test::at_every_instruction_set([&](const Kernels&) {
    std::mt19937 random(5);
    // 2800, 3000, 3200: 15, 16 and 17 frames
    for (size_t n : {1, 2, 3, 5, 50, 199, 200, 201, 399, 400, 401, 1000, 1999, 2000, 2800, 3000, 3200}) {
      CAPTURE(n);
      const std::vector<float> samples = test::noise(n, random);
      test::check_near(features(front_end, samples), test::reference_features(options, samples), 2e-3);
    }
  });
}

TEST_CASE("front end: equals the definitions for all sorts of options") {
  test::at_every_instruction_set([](const Kernels&) {
    std::mt19937 random(6);
    for (int round = 0; round < 60; ++round) {
      FrontEndOptions options;
      options.sample_rate = pick({8000, 11025, 16000, 22050}, random);
      options.kind = pick({FeatureKind::kMfcc, FeatureKind::kLogMel}, random);
      options.fft_length = pick({64, 97, 154, 200, 256, 360, 400, 401, 512}, random);
      options.window_length = 1 + static_cast<int>(random() % options.fft_length);
      options.hop_length = 1 + static_cast<int>(random() % 300);
      options.mel_bands = pick({1, 13, 40, 64, 128}, random);
      options.coefficients = 1 + static_cast<int>(random() % options.mel_bands);
      options.min_frequency = pick({0.0, 20.0, 300.0}, random);
      options.max_frequency = options.sample_rate * pick({0.25, 0.4, 0.5}, random);
      options.top_db = pick({0.0, 20.0, 60.0, -1.0}, random);
      const size_t n = 1 + options.fft_length + random() % (options.hop_length * 20);
      CAPTURE(round);
      CAPTURE(options.fft_length);
      CAPTURE(options.window_length);
      CAPTURE(options.mel_bands);
      CAPTURE(n);
      const std::vector<float> samples = test::noise(n, random);
      test::check_near(features(FrontEnd(options), samples), test::reference_features(options, samples),
                       5e-3);
    }
  });
}

TEST_CASE("front end: the bits of a frame do not depend on how many there are, nor on its place") {
  FrontEndOptions options;
  options.top_db = -1;
  for (FeatureKind kind : {FeatureKind::kMfcc, FeatureKind::kLogMel}) {
    options.kind = kind;
    const FrontEnd front_end(options);
    const int width = front_end.feature_count();
    test::at_every_instruction_set([&](const Kernels&) {
      std::mt19937 random(8);
      const std::vector<float> samples = test::noise(200 * 50, random);
      const std::vector<float> all = features(front_end, samples);
      for (int first : {0, 1, 7, 13}) {
        for (int frames : {4, 8, 9, 15, 16, 17, 18, 24, 25, 33}) {
          // The frames at the ends of the cut see its reflection.
          const auto begin = samples.begin() + 200 * first;
          const std::vector<float> part = features(front_end, {begin, begin + 200 * (frames - 1)});
          REQUIRE(static_cast<int>(part.size()) == frames * width);
          CHECK(std::equal(part.begin() + 2 * width, part.end() - 2 * width,
                           all.begin() + (first + 2) * width));
        }
      }
    });
  }
}

TEST_CASE("front end: a workspace used before changes nothing") {
  const FrontEnd front_end{FrontEndOptions{}};
  FrontEndWorkspace workspace;
  test::at_every_instruction_set([&](const Kernels&) {
    std::mt19937 random(7);
    for (size_t n : {5000, 1, 1700, 400}) {
      const std::vector<float> samples = test::noise(n, random);
      std::vector<float> out(front_end.frame_count(n) * front_end.feature_count());
      front_end.compute(samples.data(), n, out.data(), workspace);
      CHECK(out == features(front_end, samples));
    }
  });
}

TEST_CASE("front end: silence is finite, an empty clip has no frames") {
  const FrontEnd front_end{FrontEndOptions{}};
  test::at_every_instruction_set([&](const Kernels&) {
    for (float value : features(front_end, std::vector<float>(1000))) CHECK(std::isfinite(value));
    CHECK(features(front_end, {}).empty());
  });
  CHECK(front_end.frame_count(0) == 0);
}

}  // namespace
}  // namespace sonospike
