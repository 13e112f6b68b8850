#include "core/frontend/mel.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sonospike {
namespace {

/// Edges and centres of the bands in Hz, [bands + 2]: band b goes from point b over b + 1 to b + 2.
std::vector<double> band_points(const FrontEndOptions& options) {
  const double low = hertz_to_mel(options.min_frequency);
  const double high = hertz_to_mel(options.max_frequency);
  std::vector<double> points(options.mel_bands + 2);
  for (int i = 0; i < options.mel_bands + 2; ++i) {
    points[i] = mel_to_hertz(low + (high - low) * i / (options.mel_bands + 1));
  }
  return points;
}

}  // namespace

MelFilterBank::MelFilterBank(const FrontEndOptions& options)
    : least_power_(static_cast<float>(options.least_power)) {
  assert(options.mel_bands > 0 && options.min_frequency >= 0 &&
         options.min_frequency < options.max_frequency);
  // torchaudio spreads the bins evenly up to half of the sample rate, rounded down to whole Hz, even where an
  // odd FFT length puts the last one below that.
  const int last_bin = options.fft_length / 2;
  const double highest = options.sample_rate / 2;
  const std::vector<double> points = band_points(options);
  for (int band = 0; band < options.mel_bands; ++band) {
    const double low = points[band], centre = points[band + 1], high = points[band + 2];
    MelFilter filter{0, 0, static_cast<int>(weights_.size())};
    for (int bin = 0; bin <= last_bin; ++bin) {
      const double hertz = last_bin == 0 ? 0 : highest * bin / last_bin;
      const double weight = std::min((hertz - low) / (centre - low), (high - hertz) / (high - centre));
      if (weight <= 0) continue;
      if (filter.bins++ == 0) filter.first_bin = bin;
      weights_.push_back(static_cast<float>(weight));
    }
    filters_.push_back(filter);
  }
}

}  // namespace sonospike
