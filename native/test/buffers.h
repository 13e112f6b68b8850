#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/support/buffer.h"

namespace sonospike::test {

inline Buffer<float> random_values(size_t count, float low, float high, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(low, high);
  Buffer<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = uniform(random);
  return values;
}

/// The greatest difference, as a part of the greatest value.
inline double error(const Buffer<float>& ours, const std::vector<double>& theirs) {
  double worst = 0.0, largest = 1e-30;
  for (size_t i = 0; i < theirs.size(); ++i) {
    const double difference = std::abs(ours[i] - theirs[i]);
    worst = difference <= worst ? worst : difference;  // NaN wins
    largest = std::max(largest, std::abs(theirs[i]));
  }
  return worst / largest;
}

inline std::vector<double> doubles(const Buffer<float>& values) {
  return {values.data(), values.data() + values.size()};
}

}  // namespace sonospike::test
