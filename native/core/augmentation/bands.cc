#include "core/augmentation/bands.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/frontend/mel.h"

namespace sonospike {
namespace {

constexpr double kWarpedPart = 0.8;

/// Equation 1 of Jaitly and Hinton, with the greatest frequency of the bands for half of the sample rate.
double warped_frequency(double hertz, double factor, double top) {
  const double reach = kWarpedPart * top * std::min(factor, 1.0);
  const double knee = reach / factor;
  if (hertz <= knee) return hertz * factor;
  return top - (top - reach) / (top - knee) * (top - hertz);
}

}  // namespace

size_t stretch(const float* frames, size_t count, int features, double tempo, std::vector<float>& out) {
  assert(count > 0);
  const auto made = static_cast<size_t>(static_cast<double>(count - 1) / tempo) + 1;
  out.resize(made * features);
  for (size_t i = 0; i < made; ++i) {
    const double place = std::min(static_cast<double>(i) * tempo, static_cast<double>(count - 1));
    const auto before = static_cast<size_t>(place);
    const size_t behind = std::min(before + 1, count - 1);
    const auto part = static_cast<float>(place - static_cast<double>(before));
    const float *a = frames + before * features, *b = frames + behind * features;
    for (int f = 0; f < features; ++f) out[i * features + f] = a[f] + part * (b[f] - a[f]);
  }
  return made;
}

std::vector<double> warped_places(const FrontEndOptions& options, double factor) {
  const double low = hertz_to_mel(options.min_frequency), high = hertz_to_mel(options.max_frequency);
  const double step = (high - low) / (options.mel_bands + 1);
  std::vector<double> places(options.mel_bands);
  for (int band = 0; band < options.mel_bands; ++band) {
    const double centre = mel_to_hertz(low + step * (band + 1));
    const double hertz = warped_frequency(centre, factor, options.max_frequency);
    places[band] = std::clamp((hertz_to_mel(hertz) - low) / step - 1, 0.0, options.mel_bands - 1.0);
  }
  return places;
}

void warp(const std::vector<double>& places, size_t count, float* frames, std::vector<float>& row) {
  const int bands = static_cast<int>(places.size());
  row.resize(bands);
  for (size_t i = 0; i < count; ++i, frames += bands) {
    std::copy_n(frames, bands, row.data());
    for (int band = 0; band < bands; ++band) {
      const int below = static_cast<int>(places[band]), above = std::min(below + 1, bands - 1);
      frames[band] = row[below] + static_cast<float>(places[band] - below) * (row[above] - row[below]);
    }
  }
}

double FilterShape::at(int band, int bands) const {
  const double line = bands > 1 ? tilt * (static_cast<double>(band) / (bands - 1) - 0.5) : 0.0;
  const double away = (band - centre) / width;
  return line + height * std::exp(-0.5 * away * away);
}

void filter(const FilterShape& shape, double top_db, size_t count, int bands, float* frames) {
  if (top_db == 0) return;  // all is as loud
  std::vector<float> gain(bands);
  for (int band = 0; band < bands; ++band) gain[band] = static_cast<float>(shape.at(band, bands));
  const size_t values = count * bands;
  const auto range = static_cast<float>(top_db >= 0 ? top_db : std::numeric_limits<float>::infinity());
  const float floor = *std::max_element(frames, frames + values) - range;
  float peak = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < values; ++i) {
    frames[i] = frames[i] > floor ? frames[i] + gain[i % bands] : -std::numeric_limits<float>::infinity();
    peak = std::max(peak, frames[i]);
  }
  for (size_t i = 0; i < values; ++i) frames[i] = std::max(frames[i], peak - range);
}

void mask(const Mask& area, float value, int bands, float* frames) {
  for (size_t i = area.first_frame; i < area.first_frame + area.frames; ++i) {
    std::fill_n(frames + i * bands + area.first_band, area.bands, value);
  }
}

}  // namespace sonospike
