#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/support/buffer.h"

namespace sonospike {

/// Memory that Resampler::process works in. Kept between calls, by one thread each, it is not allocated again
/// but for another pair of rates.
struct ResamplerWorkspace {
  Buffer<float> edges;    // rows that reach beyond the clip
  Buffer<float> in, out;  // stretches of the clip on the lanes

  size_t bytes() const { return bytes_of(edges, in, out); }
};

/// Band-limited change of the sample rate, as torchaudio.functional.resample does it with its defaults: a
/// sinc filter under a Hann window that reaches 6 zero crossings to each side, cut off at 0.99 of the lower
/// of the two Nyquist frequencies (J. O. Smith, "Digital Audio Resampling"). Samples outside of the input are
/// zero. The filters are computed in double precision, torchaudio's in float: results differ by up to 1e-5 of
/// full scale.
///
/// Output sample n lies at input position n * from / to, so there are to / gcd(from, to) different positions
/// between two input samples (phases). Their filters are computed once where they fit in 4 MiB, as for all
/// usual pairs of rates; otherwise (44101 to 96000 Hz) every weight is computed when it is needed, which is
/// some tens of times slower but takes no memory.
class Resampler {
 public:
  /// Rates in Hz, above 0.
  Resampler(int from_hz, int to_hz);

  /// Samples that `n` input samples become: ceil(n * to / from).
  size_t output_length(size_t n) const;

  /// Resamples in[n] to out[output_length(n)]. The arrays do not overlap. May be called by several threads.
  void process(const float* in, size_t n, float* out) const;
  void process(const float* in, size_t n, float* out, ResamplerWorkspace& workspace) const;

 private:
  double weight(int64_t phase, int64_t tap) const;
  void process_periods(const float* in, size_t n, float* out, ResamplerWorkspace& workspace) const;
  void process_outputs(const float* in, size_t n, float* out) const;
  float bounded_sum(const float* in, int64_t n, int64_t start, int64_t phase) const;

  // Rates divided by their greatest common divisor.
  int64_t from_;
  int64_t to_;
  // Zero crossings of the sinc for each input sample: the cut-off as a fraction of the input's Nyquist
  // frequency.
  double bandwidth_;
  // Input sample of the first tap, relative to the one at or before the output's position.
  int64_t first_tap_;
  int64_t taps_;
  // taps_ rounded up to kDotProductPad; the added weights are zero.
  int64_t row_length_;
  // [phases, row_length_], empty where it would be too large.
  std::vector<float> weights_;
};

}  // namespace sonospike
