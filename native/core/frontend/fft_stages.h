#pragma once

namespace sonospike {

// The stages of a mixed-radix complex Fourier transform in Stockham's order, which needs no bit reversal
// (C. Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992). `V` is float or Lanes.

template <class V>
struct Complex {
  V re, im;
};

template <class V>
inline Complex<V> operator+(const Complex<V>& a, const Complex<V>& b) {
  return {a.re + b.re, a.im + b.im};
}

template <class V>
inline Complex<V> operator-(const Complex<V>& a, const Complex<V>& b) {
  return {a.re - b.re, a.im - b.im};
}

template <class V>
inline Complex<V> scale(const Complex<V>& a, float factor) {
  return {a.re * factor, a.im * factor};
}

template <class V>
inline Complex<V> rotate(const Complex<V>& a, const Complex<float>& by) {
  return {a.re * by.re - a.im * by.im, a.re * by.im + a.im * by.re};
}

/// a - i b
template <class V>
inline Complex<V> minus_i(const Complex<V>& a, const Complex<V>& b) {
  return {a.re + b.im, a.im - b.re};
}

/// a + i b
template <class V>
inline Complex<V> plus_i(const Complex<V>& a, const Complex<V>& b) {
  return {a.re - b.im, a.im + b.re};
}

/// Discrete Fourier transform of 2, 3, 4 or 5 values in place: X[j] = sum over k of x[k] exp(-2 pi i j k /
/// R).
template <int R, class V>
inline void butterfly(Complex<V>* x) {
  if constexpr (R == 2) {
    const Complex<V> a = x[0], b = x[1];
    x[0] = a + b;
    x[1] = a - b;
  } else if constexpr (R == 3) {
    constexpr float kSin60 = 0.866025403784438647f;
    const Complex<V> sum = x[1] + x[2];
    const Complex<V> difference = scale(x[1] - x[2], kSin60);
    const Complex<V> middle = x[0] - scale(sum, 0.5f);
    x[0] = x[0] + sum;
    x[1] = minus_i(middle, difference);
    x[2] = plus_i(middle, difference);
  } else if constexpr (R == 4) {
    const Complex<V> a = x[0] + x[2], b = x[0] - x[2];
    const Complex<V> c = x[1] + x[3], d = x[1] - x[3];
    x[0] = a + c;
    x[1] = minus_i(b, d);
    x[2] = a - c;
    x[3] = plus_i(b, d);
  } else {
    static_assert(R == 5);
    constexpr float kCos72 = 0.309016994374947424f, kCos144 = -0.809016994374947424f;
    constexpr float kSin72 = 0.951056516295153572f, kSin144 = 0.587785252292473129f;
    const Complex<V> sum1 = x[1] + x[4], sum2 = x[2] + x[3];
    const Complex<V> difference1 = x[1] - x[4], difference2 = x[2] - x[3];
    const Complex<V> a = x[0] + scale(sum1, kCos72) + scale(sum2, kCos144);
    const Complex<V> b = x[0] + scale(sum1, kCos144) + scale(sum2, kCos72);
    const Complex<V> c = scale(difference1, kSin72) + scale(difference2, kSin144);
    const Complex<V> d = scale(difference1, kSin144) - scale(difference2, kSin72);
    x[0] = x[0] + sum1 + sum2;
    x[1] = minus_i(a, c);
    x[2] = minus_i(b, d);
    x[3] = plus_i(b, d);
    x[4] = plus_i(a, c);
  }
}

/// One stage: splits each transform of R * m values, of which there are `stride` interleaved, into R of m.
/// `twiddles` is [m, R - 1]: exp(-2 pi i p j / (R m)) for p = 0..m-1 and j = 1..R-1.
template <int R, class V>
void fft_stage(const Complex<V>* in, Complex<V>* out, const Complex<float>* twiddles, int m, int stride) {
  for (int p = 0; p < m; ++p, twiddles += R - 1) {
    const Complex<V>* from = in + stride * p;
    Complex<V>* to = out + stride * R * p;
    for (int q = 0; q < stride; ++q) {
      // Unrolled, x lives in registers; GCC would not do it by itself at -O2.
      Complex<V> x[R];
#pragma GCC unroll 5
      for (int k = 0; k < R; ++k) x[k] = from[q + stride * m * k];
      butterfly<R>(x);
      to[q] = x[0];
#pragma GCC unroll 5
      for (int j = 1; j < R; ++j) to[q + stride * j] = rotate(x[j], twiddles[j - 1]);
    }
  }
}

/// The same for any `radix`, in radix^2 operations a butterfly. `roots` is [radix]: exp(-2 pi i k / radix).
template <class V>
void fft_stage(const Complex<V>* in, Complex<V>* out, const Complex<float>* twiddles, int m, int stride,
               int radix, const Complex<float>* roots) {
  for (int p = 0; p < m; ++p, twiddles += radix - 1) {
    const Complex<V>* from = in + stride * p;
    Complex<V>* to = out + stride * radix * p;
    for (int q = 0; q < stride; ++q) {
      for (int j = 0; j < radix; ++j) {
        Complex<V> sum = from[q];
        for (int k = 1, root = j; k < radix; ++k) {
          sum = sum + rotate(from[q + stride * m * k], roots[root]);
          root += j;
          if (root >= radix) root -= radix;
        }
        to[q + stride * j] = j == 0 ? sum : rotate(sum, twiddles[j - 1]);
      }
    }
  }
}

}  // namespace sonospike
