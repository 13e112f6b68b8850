#include "core/augmentation/noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/kernels/kernels.h"

namespace sonospike {
namespace {

constexpr int kSections = 4;
constexpr double kLowest = 20.0;  // Hz
constexpr double kWarmUp = 0.05;  // seconds that the filter needs to forget that it started from nothing
constexpr double kActive = 0.01;

}  // namespace

void white_noise(const Draws& draws, float* out, size_t n, Buffer<uint32_t>& words) {
  // The variance of a byte is (256^2 - 1) / 12.
  constexpr float kScale = 0.0067659f;
  const size_t blocks = (n + 3) / 4;
  words.reserve(4 * blocks + kLanePad);
  const ClipKey& key = draws.key();
  kernels().philox_fill(words.data(), static_cast<int>(blocks), 0, draws.stream(), key.clip, key.epoch,
                        key.seed);
  for (size_t i = 0; i < n; ++i) {
    const uint32_t w = words[i];
    const auto sum = static_cast<int>((w & 255) + (w >> 8 & 255) + (w >> 16 & 255) + (w >> 24));
    out[i] = static_cast<float>(sum - 510) * kScale;
  }
}

void coloured_noise(const Draws& draws, double slope, double rate, size_t n, NoiseWorkspace& workspace) {
  const auto warm_up = static_cast<size_t>(kWarmUp * rate);
  std::vector<float>& x = workspace.noise;
  x.resize(n + warm_up);
  white_noise(draws, x.data(), x.size(), workspace.words);
  float pole[kSections], zero[kSections], state[kSections] = {};
  const double spacing = std::pow(rate / 2 / kLowest, 1.0 / kSections);
  for (int s = 0; s < kSections; ++s) {
    const double from = kLowest * std::pow(spacing, s), to = from * std::pow(spacing, -slope / 2);
    pole[s] = static_cast<float>(std::exp(-2 * std::numbers::pi * from / rate));
    zero[s] = static_cast<float>(std::exp(-2 * std::numbers::pi * to / rate));
  }
  for (float& sample : x) {
    for (int s = 0; s < kSections; ++s) {
      const float w = sample + pole[s] * state[s];
      sample = w - zero[s] * state[s];
      state[s] = w;
    }
  }
  x.erase(x.begin(), x.begin() + static_cast<ptrdiff_t>(warm_up));
}

double rms(const float* in, size_t n) {
  double sum = 0.0;
  for (size_t i = 0; i < n; ++i) sum += static_cast<double>(in[i]) * in[i];
  return n ? std::sqrt(sum / static_cast<double>(n)) : 0.0;
}

double active_rms(const float* in, size_t n) {
  float peak = 0.0f;
  for (size_t i = 0; i < n; ++i) peak = std::max(peak, std::abs(in[i]));
  const float least = peak * static_cast<float>(kActive);
  double sum = 0.0, count = 0.0;
  for (size_t i = 0; i < n; ++i) {
    const bool active = std::abs(in[i]) >= least;
    sum += active ? static_cast<double>(in[i]) * in[i] : 0.0;
    count += active ? 1.0 : 0.0;
  }
  return count > 0.0 ? std::sqrt(sum / count) : 0.0;
}

void add_noise(const float* noise, double snr, float* samples, size_t n) {
  const double level = rms(noise, n);
  if (level == 0.0) return;
  const auto scale = static_cast<float>(active_rms(samples, n) * std::pow(10.0, -snr / 20) / level);
  for (size_t i = 0; i < n; ++i) samples[i] += scale * noise[i];
}

}  // namespace sonospike
