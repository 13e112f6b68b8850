#pragma once

#include <vector>

#include "core/frontend/options.h"

namespace sonospike {

/// Triangular filters, equally wide on the mel scale of HTK, mel = 2595 log10(1 + f / 700), each rising from
/// the centre of the band before it to 1 at its own and falling to 0 at that of the next: the same as
/// torchaudio.functional.melscale_fbanks(norm=None, mel_scale='htk'). A band that lies between two
/// frequencies of the transform is empty. Only the weights above zero are stored, one run for each band.
class MelFilterBank {
 public:
  explicit MelFilterBank(const FrontEndOptions& options);

  int bands() const { return static_cast<int>(filters_.size()); }

  /// Sums the power spectrum [fft_length / 2 + 1] to out[bands]. `V` is float or Lanes.
  template <class V>
  void apply(const V* power, V* out) const;

 private:
  struct Filter {
    int first_bin;
    int bins;
    int first_weight;
  };

  std::vector<Filter> filters_;
  std::vector<float> weights_;
};

}  // namespace sonospike
