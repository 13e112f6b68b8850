#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace sonospike::test {

inline std::vector<float> noise(size_t n, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> samples(n);
  for (float& sample : samples) sample = normal(random);
  return samples;
}

inline void check_near(const std::vector<float>& ours, const std::vector<double>& theirs, double tolerance) {
  REQUIRE(ours.size() == theirs.size());
  double worst = 0;
  bool finite = true;
  for (size_t i = 0; i < ours.size(); ++i) {
    worst = std::max(worst, std::abs(ours[i] - theirs[i]));
    finite = finite && std::isfinite(ours[i]);
  }
  CHECK(finite);
  CHECK(worst <= tolerance);
}

}  // namespace sonospike::test
