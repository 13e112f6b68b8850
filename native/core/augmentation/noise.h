#pragma once

#include <cstddef>
#include <vector>

#include "core/support/buffer.h"
#include "core/support/draws.h"

namespace sonospike {

struct NoiseWorkspace {
  Buffer<uint32_t> words;
  std::vector<float> noise;
};

/// White noise of mean 0 and variance 1, to out[n]: sums of four random bytes, which are close to normal. The
/// Philox blocks from 0 on of the key and stream of `draws`.
void white_noise(const Draws& draws, float* out, size_t n, Buffer<uint32_t>& words);

/// Noise whose power falls as frequency ^ slope from 20 Hz on: 0 white, -1 pink, -2 brown. Poles and zeros
/// lie evenly between 20 Hz and half of `rate`, and the slope of a straight line is held within 1 dB. Of
/// arbitrary level, to workspace.noise[n].
void coloured_noise(const Draws& draws, double slope, double rate, size_t n, NoiseWorkspace& workspace);

/// Root of the mean square of in[n].
double rms(const float* in, size_t n);

/// The same over the samples that are at most 40 dB below the greatest: pauses do not count.
double active_rms(const float* in, size_t n);

/// Adds noise[n] so that the active part of samples[n] is `snr` dB above it. Silence stays silence.
void add_noise(const float* noise, double snr, float* samples, size_t n);

}  // namespace sonospike
