#pragma once

#include <vector>

namespace sonospike {

/// The first coefficients of the orthonormal discrete cosine transform, type II
/// (torchaudio.functional.create_dct with norm='ortho'): y[c] = s(c) sum over b of x[b] cos(pi c (b + 1/2) /
/// bands), s(0) = sqrt(1 / bands), else sqrt(2 / bands).
class Dct {
 public:
  /// 0 <= coefficients <= bands.
  Dct(int bands, int coefficients);

  int coefficients() const { return coefficients_; }

  /// Transforms in[bands] to out[coefficients]. `V` is float or Lanes.
  template <class V>
  void apply(const V* in, V* out) const;

 private:
  int bands_;
  int coefficients_;
  // [bands, coefficients]: a sum for each coefficient grows beside the others, and none waits for itself.
  std::vector<float> basis_;
};

}  // namespace sonospike
