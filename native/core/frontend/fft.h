#pragma once

#include <cstddef>
#include <vector>

#include "core/frontend/fft_stages.h"

namespace sonospike {

/// Fourier transform of real values of any length: X[k] = sum over n of x[n] exp(-2 pi i k n / length).
/// Products of 2, 3 and 5 take O(length log length); a larger prime factor p costs p operations a value and
/// some precision. Tables are computed in double precision, the transform in float: errors are a few 1e-7 of
/// the largest |X|, and a few 1e-6 for primes of about 1000.
class RealFft {
 public:
  explicit RealFft(int length);

  int length() const { return length_; }
  /// Values of the result: frequencies 0 to length / 2.
  int bins() const { return length_ / 2 + 1; }
  /// Values that `forward` needs room for.
  size_t workspace_length() const { return 2 * static_cast<size_t>(points_); }

  /// Transforms in[length] to out[bins]. `V` is float, or Lanes for kLaneCount transforms at a time.
  template <class V>
  void forward(const V* in, Complex<V>* out, Complex<V>* workspace) const;

 private:
  struct Stage {
    int radix;
    int m;       // length of the transforms that remain
    int stride;  // number of transforms interleaved before this stage
    std::vector<Complex<float>> twiddles;
    std::vector<Complex<float>> roots;  // for radices without a butterfly of their own
  };

  void plan();
  template <class V>
  static void run(const Stage& stage, const Complex<V>* in, Complex<V>* out);
  template <class V>
  const Complex<V>* transform(Complex<V>* values, Complex<V>* spare) const;
  template <class V>
  void separate(const Complex<V>* packed, Complex<V>* out) const;

  int length_;
  // Length of the complex transform: even lengths go through one of half the length, two reals a value.
  int points_;
  std::vector<Stage> stages_;
  // exp(-2 pi i k / length) for k = 0..length/2, where the length is even.
  std::vector<Complex<float>> separation_;
};

}  // namespace sonospike
