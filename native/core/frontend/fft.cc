#include "core/frontend/fft.h"

#include <cassert>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

namespace sonospike {
namespace {

/// Adds factor exp(-2 pi i k / n), with k / n reduced before it is rounded, so that large k lose nothing.
void add_root(int64_t k, int64_t n, double factor, std::vector<float>& table) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  table.push_back(static_cast<float>(factor * std::cos(angle)));
  table.push_back(static_cast<float>(factor * std::sin(angle)));
}

/// The next factor to split off: the largest of those with a butterfly of their own, but 4 * 4 rather than
/// 8 * 2.
int next_radix(int n) {
  if (n % 8 == 0 && n % 32 != 16) return 8;
  for (int radix : {4, 5, 3, 2}) {
    if (n % radix == 0) return radix;
  }
  for (int radix = 7; radix <= n / radix; radix += 2) {
    if (n % radix == 0) return radix;
  }
  return n;
}

}  // namespace

RealFft::RealFft(int length) : plan_{length, length % 2 == 0 ? length / 2 : length, 0, nullptr, nullptr} {
  assert(length > 0);
  add_stages();
  plan_.stages = stages_.data();
  plan_.stage_count = static_cast<int>(stages_.size());
  if (length % 2 != 0) return;
  // -i exp(-2 pi i k / n) = exp(-2 pi i (k + n / 4) / n)
  std::vector<float> separation;
  for (int64_t k = 0; k <= plan_.points / 2; ++k)
    add_root(4 * k + length, 4 * int64_t{length}, 0.5, separation);
  plan_.separation = add_table(std::move(separation));
}

/// Keeps the table; the result stays where it is.
const float* RealFft::add_table(std::vector<float> table) {
  tables_.push_back(std::move(table));
  return tables_.back().data();
}

void RealFft::add_stages() {
  int stride = 1;
  for (int n = plan_.points; n > 1;) {
    const int radix = next_radix(n);
    FftStage stage{radix, n / radix, stride, nullptr, nullptr};
    std::vector<float> twiddles, roots;
    for (int64_t p = 0; p < stage.m; ++p) {
      for (int64_t j = 1; j < radix; ++j) add_root(p * j, n, 1.0, twiddles);
    }
    stage.twiddles = add_table(std::move(twiddles));
    for (int k = 0; k < radix; ++k) add_root(k, radix, 1.0, roots);
    stage.roots = add_table(std::move(roots));
    stages_.push_back(stage);
    n /= radix;
    stride *= radix;
  }
}

}  // namespace sonospike
