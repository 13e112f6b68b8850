#pragma once

#include <cstddef>
#include <vector>

#include "core/frontend/options.h"

namespace sonospike {

// Changes of frames [frames, features], before the scaling; all but `stretch` take mel bands in dB.

/// Frame i is that at i * tempo, between two frames along a straight line. Appends nothing: `out` becomes
/// [floor((frames - 1) / tempo) + 1, features]. Returns how many.
size_t stretch(const float* frames, size_t count, int features, double tempo, std::vector<float>& out);

/// Vocal tract length perturbation (Jaitly and Hinton 2013): where band b of the warped frame is found,
/// counted in bands. It is where the frequency of its centre, times `factor`, lies; above 0.8 of the greatest
/// frequency, or below where that would go beyond it, a straight line leads to the greatest, which stays.
std::vector<double> warped_places(const FrontEndOptions& options, double factor);

/// Each band takes the value at its place, between two bands along a straight line.
void warp(const std::vector<double>& places, size_t count, float* frames, std::vector<float>& row);

/// A microphone: a line from -tilt / 2 dB at the lowest band to tilt / 2 at the highest, and a bump of
/// Gaussian shape.
struct FilterShape {
  double tilt;    ///< dB
  double height;  ///< of the bump, dB
  double centre;  ///< band
  double width;   ///< standard deviation, bands

  double at(int band, int bands) const;
};

/// Adds the filter. What lies `top_db` below the loudest (0 or more; below 0: no limit) is silence, before
/// and after: it stays so and nothing goes below it.
void filter(const FilterShape& shape, double top_db, size_t count, int bands, float* frames);

/// A rectangle of frames and bands.
struct Mask {
  size_t first_frame, frames;
  int first_band, bands;
};

void mask(const Mask& area, float value, int bands, float* frames);

}  // namespace sonospike
