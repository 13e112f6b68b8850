#include "core/frontend/fft.h"

#include <cassert>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include "core/frontend/lanes.h"

namespace sonospike {
namespace {

/// exp(-2 pi i k / n). Reduced before it is rounded, so that large k lose nothing.
Complex<float> unit_root(int64_t k, int64_t n) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  return {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
}

/// The next factor to split off: 4 before 2, as it needs the fewest multiplications.
int next_radix(int n) {
  for (int radix : {4, 5, 3, 2}) {
    if (n % radix == 0) return radix;
  }
  for (int radix = 7; radix <= n / radix; radix += 2) {
    if (n % radix == 0) return radix;
  }
  return n;
}

}  // namespace

RealFft::RealFft(int length) : length_(length), points_(length % 2 == 0 ? length / 2 : length) {
  assert(length > 0);
  plan();
  if (length % 2 != 0) return;
  for (int k = 0; k <= points_; ++k) separation_.push_back(unit_root(k, length));
}

void RealFft::plan() {
  int stride = 1;
  for (int n = points_; n > 1;) {
    const int radix = next_radix(n);
    Stage stage{radix, n / radix, stride, {}, {}};
    for (int64_t p = 0; p < stage.m; ++p) {
      for (int64_t j = 1; j < radix; ++j) stage.twiddles.push_back(unit_root(p * j, n));
    }
    if (radix > 5) {
      for (int k = 0; k < radix; ++k) stage.roots.push_back(unit_root(k, radix));
    }
    stages_.push_back(std::move(stage));
    n /= radix;
    stride *= radix;
  }
}

template <class V>
void RealFft::run(const Stage& stage, const Complex<V>* in, Complex<V>* out) {
  const Complex<float>* twiddles = stage.twiddles.data();
  switch (stage.radix) {
    case 2:
      return fft_stage<2>(in, out, twiddles, stage.m, stage.stride);
    case 3:
      return fft_stage<3>(in, out, twiddles, stage.m, stage.stride);
    case 4:
      return fft_stage<4>(in, out, twiddles, stage.m, stage.stride);
    case 5:
      return fft_stage<5>(in, out, twiddles, stage.m, stage.stride);
    default:
      return fft_stage(in, out, twiddles, stage.m, stage.stride, stage.radix, stage.roots.data());
  }
}

/// Complex transform of values[points_]; the result lies in one of the two arrays.
template <class V>
const Complex<V>* RealFft::transform(Complex<V>* values, Complex<V>* spare) const {
  for (const Stage& stage : stages_) {
    run(stage, values, spare);
    std::swap(values, spare);
  }
  return values;
}

/// With z[n] = x[2n] + i x[2n+1], the transforms E of the even and O of the odd samples are the
/// conjugate-even and conjugate-odd parts of Z, and X[k] = E[k] + exp(-2 pi i k / length) O[k].
template <class V>
void RealFft::separate(const Complex<V>* packed, Complex<V>* out) const {
  for (int k = 0; k <= points_; ++k) {
    const Complex<V>& a = packed[k == points_ ? 0 : k];
    const Complex<V>& b = packed[k == 0 ? 0 : points_ - k];
    const Complex<V> even{(a.re + b.re) * 0.5f, (a.im - b.im) * 0.5f};
    const Complex<V> odd{(a.im + b.im) * 0.5f, (b.re - a.re) * 0.5f};
    out[k] = even + rotate(odd, separation_[k]);
  }
}

template <class V>
void RealFft::forward(const V* in, Complex<V>* out, Complex<V>* workspace) const {
  Complex<V>* spare = workspace + points_;
  if (length_ % 2 == 0) {
    for (int n = 0; n < points_; ++n) workspace[n] = {in[2 * n], in[2 * n + 1]};
    separate(transform(workspace, spare), out);
    return;
  }
  for (int n = 0; n < points_; ++n) workspace[n] = {in[n], V{}};
  const Complex<V>* result = transform(workspace, spare);
  for (int k = 0; k < bins(); ++k) out[k] = result[k];
}

template void RealFft::forward(const float*, Complex<float>*, Complex<float>*) const;
#if defined(__GNUC__)
template void RealFft::forward(const Lanes*, Complex<Lanes>*, Complex<Lanes>*) const;
#endif

}  // namespace sonospike
