#include "core/network/confidence.h"

#include <algorithm>
#include <cmath>

namespace sonospike {
namespace {

constexpr double kLeast = 1e-9;

}  // namespace

double confidence(const ConfidenceOptions& options, const float* probabilities, int classes, int best) {
  if (!options.calibrated) return probabilities[best];
  double rest = 0, second = 0, entropy = 0;
  for (int i = 0; i < classes; ++i) {
    const double p = probabilities[i];
    if (p > 0) entropy -= p * std::log(p);
    if (i == best) continue;
    rest += p;
    second = std::max(second, p);
  }
  const double first = std::max<double>(kLeast, probabilities[best]);
  const double z = options.bias + options.log_odds * std::log(first / std::max(kLeast, rest)) +
                   options.margin * std::log(first / std::max(kLeast, second)) +
                   options.entropy * entropy / std::log(static_cast<double>(classes));
  return 1 / (1 + std::exp(-z));
}

}  // namespace sonospike
