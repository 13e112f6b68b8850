// Every step of the front end against plain double precision code.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <initializer_list>
#include <random>
#include <vector>

#include "core/frontend/front_end.h"
#include "core/frontend/resampler.h"
#include "core/frontend/scaling.h"
#include "test/frontend_reference.h"

namespace sonospike {
namespace {

std::vector<float> noise(size_t n, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> samples(n);
  for (float& sample : samples) sample = normal(random);
  return samples;
}

template <class T>
T pick(std::initializer_list<T> choices, std::mt19937& random) {
  return choices.begin()[random() % choices.size()];
}

void check_near(const std::vector<float>& ours, const std::vector<double>& theirs, double tolerance) {
  REQUIRE(ours.size() == theirs.size());
  double worst = 0;
  bool finite = true;
  for (size_t i = 0; i < ours.size(); ++i) {
    worst = std::max(worst, std::abs(ours[i] - theirs[i]));
    finite = finite && std::isfinite(ours[i]);
  }
  CHECK(finite);
  CHECK(worst <= tolerance);
}

std::vector<float> resample(const std::vector<float>& in, int from, int to) {
  const Resampler resampler(from, to);
  std::vector<float> out(resampler.output_length(in.size()));
  resampler.process(in.data(), in.size(), out.data());
  return out;
}

std::vector<float> features(const FrontEnd& front_end, const std::vector<float>& samples) {
  std::vector<float> out(front_end.frame_count(samples.size()) * front_end.feature_count());
  front_end.compute(samples.data(), samples.size(), out.data());
  return out;
}

TEST_CASE("resampler: equals the windowed sinc sum") {
  std::mt19937 random(1);
  const std::vector<std::array<int, 2>> rates = {
      {48000, 16000}, {44100, 16000}, {8000, 16000}, {22050, 16000}, {16000, 44100}, {11025, 8000},
      {44101, 16000}, {7, 5},         {5, 1},        {1, 3},         {2, 3}};
  for (const auto& [from, to] : rates) {
    for (size_t n : {1, 2, 3, 17, 100, 999}) {
      CAPTURE(from);
      CAPTURE(to);
      CAPTURE(n);
      const std::vector<float> in = noise(n, random);
      check_near(resample(in, from, to), test::reference_resample(in, from, to), 1e-6);
    }
  }
}

TEST_CASE("resampler: rates whose filters do not fit in a table") {
  std::mt19937 random(2);
  for (const auto& [from, to, n] : std::vector<std::array<int, 3>>{{44101, 96000, 300},
                                                                   {768000, 767999, 200},
                                                                   {768000, 1, 3000},
                                                                   {1, 768000, 1},
                                                                   {767999, 16000, 2000}}) {
    CAPTURE(from);
    CAPTURE(to);
    const std::vector<float> in = noise(n, random);
    check_near(resample(in, from, to), test::reference_resample(in, from, to), 1e-6);
  }
}

TEST_CASE("resampler: equal rates copy, an empty clip stays empty") {
  std::mt19937 random(3);
  const std::vector<float> in = noise(100, random);
  CHECK(resample(in, 16000, 16000) == in);
  CHECK(resample({}, 48000, 16000).empty());
  CHECK(Resampler(44100, 16000).output_length(600 * 44100) == 600 * 16000);
}

/// Transforms kLaneCount random signals together and one by one, and holds both against the definition.
void check_fft(int length, double tolerance, std::mt19937& random) {
  CAPTURE(length);
  const RealFft fft(length);
  std::vector<std::vector<float>> signals;
  std::vector<Lanes> in(length);
  for (int lane = 0; lane < kLaneCount; ++lane) {
    signals.push_back(noise(length, random));
    for (int i = 0; i < length; ++i) set_lane(in[i], lane, signals[lane][i]);
  }
  std::vector<Complex<Lanes>> out(fft.bins()), workspace(fft.workspace_length());
  fft.forward(in.data(), out.data(), workspace.data());

  for (int lane = 0; lane < kLaneCount; ++lane) {
    const std::vector<float>& signal = signals[lane];
    std::vector<Complex<float>> single(fft.bins()), single_workspace(fft.workspace_length());
    fft.forward(signal.data(), single.data(), single_workspace.data());
    const auto expected = test::reference_dft({signal.begin(), signal.end()});
    double worst = 0;
    for (int k = 0; k < fft.bins(); ++k) {
      const std::complex<double> a(get_lane(out[k].re, lane), get_lane(out[k].im, lane));
      const std::complex<double> b(single[k].re, single[k].im);
      worst = std::max({worst, std::abs(a - expected[k]), std::abs(b - expected[k])});
    }
    CHECK(worst <= tolerance);
  }
}

TEST_CASE("FFT: equals the sum of the definition for any length") {
  std::mt19937 random(4);
  for (int length = 1; length <= 130; ++length) check_fft(length, 3e-7 * std::sqrt(length), random);
  for (int length : {200, 256, 400, 512, 1000, 1024, 1155})
    check_fft(length, 3e-7 * std::sqrt(length), random);
  // Plain sums over a large prime: more additions, more rounding.
  for (int length : {1009, 2018}) check_fft(length, 1e-6 * std::sqrt(length), random);
}

TEST_CASE("window: reflection turns round at both ends as often as needed") {
  for (size_t n : {1, 2, 3, 10}) {
    std::vector<float> ramp(n);
    for (size_t i = 0; i < n; ++i) ramp[i] = static_cast<float>(i);
    for (ptrdiff_t index = -50; index <= 50; ++index) {
      CHECK(static_cast<double>(reflected_index(index, n)) == test::reference_reflected(ramp, index));
    }
  }
}

TEST_CASE("front end: equals the definitions for clips of any length") {
  std::mt19937 random(5);
  FrontEndOptions options;
  options.top_db =
      40;  // a short clip repeated has lines that rise far above the rounding errors between them
  const FrontEnd front_end(options);
  for (size_t n : {1, 2, 3, 5, 50, 199, 200, 201, 399, 400, 401, 1000, 1999, 2000}) {
    CAPTURE(n);
    const std::vector<float> samples = noise(n, random);
    check_near(features(front_end, samples), test::reference_features(options, samples), 2e-3);
  }
}

TEST_CASE("front end: equals the definitions for all sorts of options") {
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
    const size_t n = 1 + options.fft_length + random() % (options.hop_length * 12);
    CAPTURE(round);
    CAPTURE(options.fft_length);
    CAPTURE(options.window_length);
    CAPTURE(options.mel_bands);
    CAPTURE(n);
    const std::vector<float> samples = noise(n, random);
    check_near(features(FrontEnd(options), samples), test::reference_features(options, samples), 5e-3);
  }
}

TEST_CASE("front end: a workspace used before changes nothing") {
  std::mt19937 random(7);
  const FrontEnd front_end{FrontEndOptions{}};
  FrontEndWorkspace workspace;
  for (size_t n : {5000, 1, 1700, 400}) {
    const std::vector<float> samples = noise(n, random);
    std::vector<float> out(front_end.frame_count(n) * front_end.feature_count());
    front_end.compute(samples.data(), n, out.data(), workspace);
    CHECK(out == features(front_end, samples));
  }
}

TEST_CASE("front end: silence is finite, an empty clip has no frames") {
  const FrontEnd front_end{FrontEndOptions{}};
  for (float value : features(front_end, std::vector<float>(1000))) CHECK(std::isfinite(value));
  CHECK(front_end.frame_count(0) == 0);
  CHECK(features(front_end, {}).empty());
}

}  // namespace
}  // namespace sonospike
