#pragma once

#include <cmath>
#include <vector>

#include "core/frontend/options.h"
#include "core/kernels/kernels.h"

namespace sonospike {

/// The mel scale of HTK.
inline double hertz_to_mel(double hertz) {
  return 2595 * std::log10(1 + hertz / 700);
}
inline double mel_to_hertz(double mel) {
  return 700 * (std::pow(10.0, mel / 2595) - 1);
}

/// Triangular filters, equally wide on the mel scale of HTK, mel = 2595 log10(1 + f / 700), each rising from
/// the centre of the band before it to 1 at its own and falling to 0 at that of the next: the same as
/// torchaudio.functional.melscale_fbanks(norm=None, mel_scale='htk'). A band that lies between two
/// frequencies of the transform is empty. Only the weights above zero are stored, one run for each band.
class MelFilterBank {
 public:
  explicit MelFilterBank(const FrontEndOptions& options);

  int bands() const { return static_cast<int>(filters_.size()); }

  /// 10 log10(max(band, least_power)) of the bands of power[fft_length / 2 + 1, lanes], to out[bands,
  /// out_stride]. Returns the greatest of them.
  float decibels(const Kernels& kernels, int lanes, const float* power, float* out,
                 ptrdiff_t out_stride) const {
    return kernels.mel_decibels(
        {lanes, bands(), filters_.data(), weights_.data(), power, out, out_stride, least_power_});
  }

 private:
  std::vector<MelFilter> filters_;
  std::vector<float> weights_;
  float least_power_;
};

}  // namespace sonospike
