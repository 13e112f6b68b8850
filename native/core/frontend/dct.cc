#include "core/frontend/dct.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "core/frontend/lanes.h"

namespace sonospike {

Dct::Dct(int bands, int coefficients) : bands_(bands), coefficients_(coefficients) {
  assert(coefficients >= 0 && coefficients <= bands);
  for (int band = 0; band < bands; ++band) {
    for (int c = 0; c < coefficients; ++c) {
      const double norm = std::sqrt((c == 0 ? 1.0 : 2.0) / bands);
      basis_.push_back(static_cast<float>(norm * std::cos(std::numbers::pi * c * (band + 0.5) / bands)));
    }
  }
}

template <class V>
void Dct::apply(const V* in, V* out) const {
  std::fill(out, out + coefficients_, V{});
  const float* row = basis_.data();
  for (int band = 0; band < bands_; ++band, row += coefficients_) {
    const V value = in[band];
    for (int c = 0; c < coefficients_; ++c) out[c] += value * row[c];
  }
}

template void Dct::apply(const float*, float*) const;
#if defined(__GNUC__)
template void Dct::apply(const Lanes*, Lanes*) const;
#endif

}  // namespace sonospike
