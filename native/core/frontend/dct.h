#pragma once

#include <vector>

#include "core/kernels/kernels.h"

namespace sonospike {

/// The first coefficients of the orthonormal discrete cosine transform, type II
/// (torchaudio.functional.create_dct with norm='ortho'): y[c] = s(c) sum over b of x[b] cos(pi c (b + 1/2) /
/// bands), s(0) = sqrt(1 / bands), else sqrt(2 / bands).
class Dct {
 public:
  /// 0 <= coefficients <= bands.
  Dct(int bands, int coefficients);

  int coefficients() const { return coefficients_; }

  /// Transforms in[bands, kLanePad] to out[coefficients, kLanePad].
  void apply(const Kernels& kernels, const float* in, float* out) const;

 private:
  int bands_;
  int coefficients_;
  std::vector<float> basis_;  // [coefficients, bands]
};

}  // namespace sonospike
