#include "core/frontend/dct.h"

#include <cassert>
#include <cmath>
#include <numbers>

#include "core/support/buffer.h"

namespace sonospike {

Dct::Dct(int bands, int coefficients) : bands_(bands), coefficients_(coefficients) {
  assert(coefficients >= 0 && coefficients <= bands);
  for (int c = 0; c < coefficients; ++c) {
    const double norm = std::sqrt((c == 0 ? 1.0 : 2.0) / bands);
    for (int band = 0; band < bands; ++band) {
      basis_.push_back(static_cast<float>(norm * std::cos(std::numbers::pi * c * (band + 0.5) / bands)));
    }
  }
}

void Dct::apply(const Kernels& kernels, const float* in, float* out) const {
  GemmArgs g{};
  g.m = coefficients_;
  g.n = kLanePad;
  g.k = bands_;
  g.a = basis_.data();
  g.a_row = bands_;
  g.a_col = 1;
  g.b = in;
  g.ldb = kLanePad;
  g.c = out;
  g.ldc = kLanePad;
  kernels.gemm(g);
}

}  // namespace sonospike
