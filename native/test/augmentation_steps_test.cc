// Each change of a clip against plain double precision code.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "core/augmentation/bands.h"
#include "core/augmentation/noise.h"
#include "core/augmentation/speed.h"
#include "test/frontend_reference.h"
#include "test/instruction_sets.h"
#include "test/signals.h"

namespace sonospike {
namespace {

using std::numbers::pi;

Draws some_draws(uint32_t clip) {
  return Draws({7, clip, 1}, RandomStream::kAugmentation, 3);
}

/// The definition: every sample of the clip through the sinc at every output's place.
std::vector<double> reference_speed(const std::vector<float>& in, int units) {
  const double speed = units / 512.0;
  const double steps = std::max(0.0, std::ceil(std::log2(speed) * 16 - 1e-9));
  const double bandwidth = 0.95 * std::exp2(-steps / 16);
  std::vector<double> out;
  for (double place = 0; place < static_cast<double>(in.size()) - 1e-9; place += speed) {
    double sum = 0.0;
    for (size_t i = 0; i < in.size(); ++i) {
      const double x = (static_cast<double>(i) - place) * bandwidth;
      if (std::abs(x) >= 8) continue;
      const double sinc = x == 0 ? 1.0 : std::sin(pi * x) / (pi * x);
      sum += in[i] * bandwidth * sinc * (0.5 + 0.5 * std::cos(pi * x / 8));
    }
    out.push_back(sum);
  }
  return out;
}

TEST_CASE("speed: equals the definition") {
  std::mt19937 random(1);
  const SpeedChange change({0.5, 2});
  test::at_every_instruction_set([&](const Kernels&) {
    for (int units : {256, 257, 400, 511, 512, 513, 534, 535, 700, 1023, 1024}) {
      for (size_t n : {1, 2, 17, 301}) {
        CAPTURE(units);
        CAPTURE(n);
        const auto in = test::noise(n, random);
        std::vector<float> out(SpeedChange::output_length(n, units), -1.0f), padded;
        change.process(in.data(), n, units, out.data(), padded);
        test::check_near(out, reference_speed(in, units), 2e-6);
      }
    }
  });
}

TEST_CASE("speed: a tone becomes higher and shorter, and one beyond the new limit goes") {
  const SpeedChange change({1.25, 1.25});
  const auto play = [&](double hertz) {
    std::vector<float> in(2000), padded;
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(std::sin(2 * pi * hertz * i / 8000));
    std::vector<float> out(SpeedChange::output_length(2000, 640));
    change.process(in.data(), 2000, 640, out.data(), padded);
    return out;
  };
  const auto low = play(500), high = play(3700);
  CHECK(low.size() == 1600);
  for (size_t i = 20; i < 1580; ++i) {
    CHECK(std::abs(low[i] - std::sin(2 * pi * 625 * static_cast<double>(i) / 8000)) < 2e-3);
    CHECK(std::abs(high[i]) < 0.01);
  }
}

TEST_CASE("noise: white noise is of mean 0 and variance 1, and depends on its key alone") {
  constexpr int kCount = 100'000;
  std::vector<float> first;
  test::at_every_instruction_set([&](const Kernels&) {
    Buffer<uint32_t> words;
    std::vector<float> x(kCount), other(kCount);
    white_noise(some_draws(1), x.data(), kCount, words);
    white_noise(some_draws(2), other.data(), kCount, words);
    double sum = 0.0, squares = 0.0, product = 0.0, neighbours = 0.0;
    for (int i = 0; i < kCount; ++i) {
      sum += x[i];
      squares += x[i] * x[i];
      product += x[i] * other[i];
      if (i > 0) neighbours += x[i] * x[i - 1];
    }
    CHECK(std::abs(sum / kCount) < 0.015);
    CHECK(std::abs(squares / kCount - 1) < 0.02);
    CHECK(std::abs(product / kCount) < 0.015);
    CHECK(std::abs(neighbours / kCount) < 0.015);
    if (first.empty()) first = x;
    CHECK(x == first);
  });
}

/// dB an octave of the noise's power between 60 and 2000 Hz, from octave bands of its spectrum.
double measured_slope(double slope) {
  constexpr int kLength = 512, kPieces = 150;
  std::vector<double> power(kLength / 2 + 1);
  NoiseWorkspace workspace;
  for (int piece = 0; piece < kPieces; ++piece) {
    coloured_noise(some_draws(piece), slope, 8000, kLength, workspace);
    std::vector<double> windowed(kLength);
    for (int i = 0; i < kLength; ++i)
      windowed[i] = workspace.noise[i] * (0.5 - 0.5 * std::cos(2 * pi * i / kLength));
    const auto bins = test::reference_dft(windowed);
    for (size_t k = 0; k < power.size(); ++k) power[k] += std::norm(bins[k]);
  }
  const auto octave = [&](int low) {
    double sum = 0.0;
    for (int k = low; k < 2 * low; ++k) sum += power[k] / low;
    return 10 * std::log10(sum);
  };
  return (octave(64) - octave(4)) / 4;
}

TEST_CASE("noise: its power falls by the slope") {
  for (double slope : {0.0, -0.5, -1.0, -1.5, -2.0}) {
    CAPTURE(slope);
    CHECK(std::abs(measured_slope(slope) - slope * 10 * std::log10(2)) < 0.35);
  }
}

TEST_CASE("noise: it is added at the ratio to the part of the clip that is not silent") {
  std::mt19937 random(2);
  auto clip = test::noise(4000, random);
  const auto noise = test::noise(8000, random);
  const double level = rms(clip.data(), 4000);
  clip.resize(8000, 0.0f);
  CHECK(std::abs(active_rms(clip.data(), 8000) / level - 1) < 0.02);
  for (double snr : {-5.0, 10.0, 30.0}) {
    auto noisy = clip;
    add_noise(noise.data(), snr, noisy.data(), noisy.size());
    for (size_t i = 0; i < noisy.size(); ++i) noisy[i] -= clip[i];
    const double ratio = 20 * std::log10(active_rms(clip.data(), 8000) / rms(noisy.data(), 8000));
    CHECK(std::abs(ratio - snr) < 0.01);
  }
  std::vector<float> silence(100, 0.0f);
  add_noise(noise.data(), 10, silence.data(), 100);
  CHECK(silence == std::vector<float>(100, 0.0f));
}

std::vector<float> random_frames(size_t count, std::mt19937& random) {
  std::uniform_real_distribution<float> decibels(-60, 10);
  std::vector<float> frames(count);
  for (float& x : frames) x = decibels(random);
  return frames;
}

/// A value between two neighbours in values[at * step].
double between(const std::vector<float>& values, size_t first, size_t step, size_t count, double place) {
  const double at = std::clamp(place, 0.0, static_cast<double>(count - 1));
  const auto low = static_cast<size_t>(std::floor(at));
  const size_t high = std::min(low + 1, count - 1);
  const double part = at - static_cast<double>(low);
  return values[first + low * step] * (1 - part) + values[first + high * step] * part;
}

TEST_CASE("tempo: frames lie on straight lines between those of the clip") {
  std::mt19937 random(3);
  for (size_t count : {1, 2, 40}) {
    for (double tempo : {0.5, 0.83, 1.0, 1.37, 2.0}) {
      const auto frames = random_frames(count * 3, random);
      std::vector<float> out;
      const size_t made = stretch(frames.data(), count, 3, tempo, out);
      CHECK(made == static_cast<size_t>(std::floor((count - 1) / tempo)) + 1);
      std::vector<double> wanted;
      for (size_t i = 0; i < made; ++i) {
        for (size_t f = 0; f < 3; ++f)
          wanted.push_back(between(frames, f, 3, count, static_cast<double>(i) * tempo));
      }
      test::check_near(out, wanted, 1e-4);
    }
  }
}

TEST_CASE("frequency warp: a band takes what lies at its frequency times the factor, and the top stays") {
  std::mt19937 random(4);
  FrontEndOptions options;
  options.mel_bands = 40;
  options.min_frequency = 20;
  options.max_frequency = 4000;
  const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double low = mel(20), step = (mel(4000) - low) / 41;
  for (double factor : {0.5, 0.8, 0.95, 1.0, 1.1, 1.3, 2.0}) {
    CAPTURE(factor);
    auto frames = random_frames(80, random);
    const auto before = frames;
    std::vector<float> row;
    warp(warped_places(options, factor), 2, frames.data(), row);
    std::vector<double> wanted;
    for (size_t frame = 0; frame < 2; ++frame) {
      for (int band = 0; band < 40; ++band) {
        const double hertz = 700 * (std::pow(10, (low + step * (band + 1)) / 2595) - 1);
        const double knee = 0.8 * 4000 * std::min(1.0, factor) / factor;
        const double at_knee = knee * factor;
        const double moved =
            hertz <= knee ? hertz * factor : at_knee + (hertz - knee) * (4000 - at_knee) / (4000 - knee);
        wanted.push_back(between(before, frame * 40, 1, 40, (mel(moved) - low) / step - 1));
      }
    }
    test::check_near(frames, wanted, 1e-3);
  }
}

TEST_CASE("filter: a line and a bump are added, but silence stays silence") {
  std::mt19937 random(5);
  const FilterShape shape{6, -4, 3.5, 1.2};
  for (double top_db : {-1.0, 50.0}) {
    auto frames = random_frames(60, random);
    frames[7] = 10.0f;
    if (top_db >= 0) {
      for (float& x : frames) x = std::max(x, 10.0f - static_cast<float>(top_db));
    }
    const auto before = frames;
    filter(shape, top_db, 6, 10, frames.data());
    std::vector<double> wanted;
    double peak = -1e300;
    for (int i = 0; i < 60; ++i) {
      const int band = i % 10;
      const double bump = -4 * std::exp(-0.5 * std::pow((band - 3.5) / 1.2, 2));
      const bool silent = top_db >= 0 && before[i] <= 10.0 - top_db;
      wanted.push_back(silent ? -1e300 : before[i] + 6 * (band / 9.0 - 0.5) + bump);
      peak = std::max(peak, wanted.back());
    }
    if (top_db >= 0) {
      for (double& x : wanted) x = std::max(x, peak - top_db);
    }
    test::check_near(frames, wanted, 1e-4);
  }
}

TEST_CASE("filter: where nothing may be quieter than the loudest, nothing changes") {
  std::vector<float> frames(20, -30.0f);
  filter({6, -4, 3.5, 1.2}, 0.0, 2, 10, frames.data());
  CHECK(frames == std::vector<float>(20, -30.0f));
}

TEST_CASE("mask: a rectangle takes the value, and nothing else") {
  std::vector<float> frames(50, 1.0f);
  mask({2, 3, 4, 5}, -7.0f, 10, frames.data());
  for (int i = 0; i < 50; ++i) {
    const bool inside = i / 10 >= 2 && i / 10 < 5 && i % 10 >= 4 && i % 10 < 9;
    CHECK(frames[i] == (inside ? -7.0f : 1.0f));
  }
}

}  // namespace
}  // namespace sonospike
