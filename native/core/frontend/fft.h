#pragma once

#include <cstddef>
#include <vector>

#include "core/kernels/kernels.h"

namespace sonospike {

/// Power spectrum of real values of any length: |X[k]|^2 with X[k] = sum over n of x[n] exp(-2 pi i k n /
/// length). Products of 2, 3 and 5 take O(length log length); a larger prime factor p costs p operations a
/// value and some precision. Tables are computed in double precision, the transform in float: errors of X are
/// a few 1e-7 of the largest |X|, and a few 1e-6 for primes of about 1000.
class RealFft {
 public:
  explicit RealFft(int length);
  RealFft(const RealFft&) = delete;
  RealFft& operator=(const RealFft&) = delete;

  int length() const { return plan_.length; }
  /// Values of the result: frequencies 0 to length / 2.
  int bins() const { return plan_.length / 2 + 1; }
  /// Values, times lanes, that `power` needs room for in each of its arrays.
  size_t workspace_length() const { return 2 * static_cast<size_t>(plan_.points); }

  /// The power [bins, lanes] of values[length, lanes], one signal on each lane. It lies in `values` or in
  /// `spare`; both are 64-byte aligned and lose their contents.
  const float* power(const Kernels& kernels, int lanes, float* values, float* spare) const {
    return kernels.power_spectrum({lanes, &plan_, values, spare});
  }

 private:
  void add_stages();
  const float* add_table(std::vector<float> table);

  FftPlan plan_;
  std::vector<FftStage> stages_;
  std::vector<std::vector<float>> tables_;
};

}  // namespace sonospike
