#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <vector>

#include "core/frontend/options.h"

// The front end in double precision, straight from the definitions and without a thought for speed.
namespace sonospike::test {

using std::numbers::pi;

inline std::vector<double> reference_resample(const std::vector<float>& in, int64_t from, int64_t to) {
  const double bandwidth = 0.99 * std::min(1.0, static_cast<double>(to) / static_cast<double>(from));
  const auto n = static_cast<int64_t>(in.size());
  const auto reach = static_cast<int64_t>(6 / bandwidth) + 2;
  std::vector<double> out;
  for (int64_t i = 0; i * from < n * to; ++i) {
    // The distance from sample m in whole and fractional part, lest a long clip cost digits.
    const int64_t whole = i * from / to;
    const double fraction = static_cast<double>(i * from % to) / static_cast<double>(to);
    double sum = 0;
    for (int64_t m = std::max<int64_t>(0, whole - reach); m < std::min(n, whole + reach); ++m) {
      const double t = (static_cast<double>(m - whole) - fraction) * bandwidth;
      if (std::abs(t) >= 6) continue;
      const double sinc = t == 0 ? 1 : std::sin(pi * t) / (pi * t);
      sum += in[m] * bandwidth * sinc * std::pow(std::cos(pi * t / 12), 2);
    }
    out.push_back(sum);
  }
  return out;
}

/// Bins 0 to length / 2 of the Fourier transform.
inline std::vector<std::complex<double>> reference_dft(const std::vector<double>& x) {
  const size_t n = x.size();
  std::vector<std::complex<double>> bins(n / 2 + 1);
  for (size_t k = 0; k < bins.size(); ++k) {
    for (size_t i = 0; i < n; ++i) {
      bins[k] += x[i] * std::polar(1.0, -2 * pi * static_cast<double>(i * k % n) / static_cast<double>(n));
    }
  }
  return bins;
}

/// The sample that is `steps` away from the first one, on a walk that turns round at both ends.
inline double reference_reflected(const std::vector<float>& samples, int64_t steps) {
  const auto last = static_cast<int64_t>(samples.size()) - 1;
  if (last == 0) return samples[0];
  int64_t at = 0, direction = 1;
  for (int64_t left = std::abs(steps); left > 0; --left) {
    if (at + direction < 0 || at + direction > last) direction = -direction;
    at += direction;
  }
  return samples[at];
}

/// [bands, bins]
inline std::vector<std::vector<double>> reference_mel(const FrontEndOptions& options) {
  const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const auto hertz = [](double mel) { return 700 * (std::pow(10, mel / 2595) - 1); };
  const auto point = [&](int i) {
    const double low = mel(options.min_frequency), high = mel(options.max_frequency);
    return hertz(low + (high - low) * i / (options.mel_bands + 1));
  };
  const int bins = options.fft_length / 2 + 1;
  std::vector<std::vector<double>> matrix(options.mel_bands, std::vector<double>(bins));
  for (int band = 0; band < options.mel_bands; ++band) {
    for (int bin = 0; bin < bins; ++bin) {
      const double f = bins == 1 ? 0 : static_cast<double>(options.sample_rate / 2) * bin / (bins - 1);
      const double rise = (f - point(band)) / (point(band + 1) - point(band));
      const double fall = (point(band + 2) - f) / (point(band + 2) - point(band + 1));
      matrix[band][bin] = std::max(0.0, std::min(rise, fall));
    }
  }
  return matrix;
}

/// Mel bands in dB of one frame, before the floor.
inline std::vector<double> reference_log_mel(const FrontEndOptions& options,
                                             const std::vector<float>& samples, int64_t frame) {
  std::vector<double> windowed(options.fft_length);
  const int left = (options.fft_length - options.window_length) / 2;
  for (int k = 0; k < options.window_length; ++k) {
    const int64_t at = frame * options.hop_length - options.fft_length / 2 + left + k;
    windowed[left + k] =
        reference_reflected(samples, at) * (0.5 - 0.5 * std::cos(2 * pi * k / options.window_length));
  }
  const auto bins = reference_dft(windowed);
  std::vector<double> bands;
  for (const std::vector<double>& filter : reference_mel(options)) {
    double sum = 0;
    for (size_t bin = 0; bin < bins.size(); ++bin) sum += filter[bin] * std::norm(bins[bin]);
    bands.push_back(10 * std::log10(std::max(sum, 1e-10)));
  }
  return bands;
}

/// [frames * features]
inline std::vector<double> reference_features(const FrontEndOptions& options,
                                              const std::vector<float>& samples) {
  const int64_t padded = static_cast<int64_t>(samples.size()) + options.fft_length / 2 * 2;
  std::vector<std::vector<double>> frames;
  for (int64_t start = 0; start + options.fft_length <= padded; start += options.hop_length) {
    frames.push_back(reference_log_mel(options, samples, static_cast<int64_t>(frames.size())));
  }
  double peak = -1e300;
  for (const auto& bands : frames) peak = std::max(peak, *std::max_element(bands.begin(), bands.end()));

  std::vector<double> features;
  for (auto& bands : frames) {
    for (double& band : bands) band = options.top_db < 0 ? band : std::max(band, peak - options.top_db);
    for (int f = 0; f < options.feature_count(); ++f) {
      if (options.kind == FeatureKind::kLogMel) {
        features.push_back(bands[f]);
        continue;
      }
      double sum = 0;
      for (int b = 0; b < options.mel_bands; ++b)
        sum += bands[b] * std::cos(pi * f * (b + 0.5) / options.mel_bands);
      features.push_back(sum * std::sqrt((f == 0 ? 1.0 : 2.0) / options.mel_bands));
    }
  }
  return features;
}

}  // namespace sonospike::test
