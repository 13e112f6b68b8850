#include "core/network/loss.h"

#include <algorithm>
#include <cmath>

namespace sonospike {
namespace {

// Keeps log and its derivative finite where a probability underflows in float32.
constexpr double kLeastProbability = 1e-30;

double target_of(const LossOptions& options, int c, int label, int classes) {
  if (label < 0) return 1.0 / classes;
  return (c == label ? 1.0 - options.label_smoothing : 0.0) + options.label_smoothing / classes;
}

}  // namespace

double clip_loss(ReadoutKind readout, const LossOptions& options, const float* score, int classes, int label,
                 float weight, float* grad) {
  double loss = 0.0;
  if (readout == ReadoutKind::kLeakyIntegrator) {
    for (int c = 0; c < classes; ++c) {
      const double target = target_of(options, c, label, classes);
      const double p = std::max(static_cast<double>(score[c]), kLeastProbability);
      if (target > 0.0) loss -= target * std::log(p);
      grad[c] = static_cast<float>(-target / p * weight);
    }
    return loss;
  }
  const double top = *std::max_element(score, score + classes);
  double sum = 0.0;
  for (int c = 0; c < classes; ++c) sum += std::exp(score[c] - top);
  const double log_sum = top + std::log(sum);
  for (int c = 0; c < classes; ++c) {
    const double target = target_of(options, c, label, classes);
    loss += target * (log_sum - score[c]);
    grad[c] = static_cast<float>((std::exp(score[c] - log_sum) - target) * weight);
  }
  return loss;
}

int best_class(const float* score, int classes) {
  return static_cast<int>(std::max_element(score, score + classes) - score);
}

void class_probabilities(ReadoutKind readout, const float* score, int classes, float* probabilities) {
  if (readout == ReadoutKind::kLeakyIntegrator) {
    std::copy_n(score, classes, probabilities);
    return;
  }
  const double top = *std::max_element(score, score + classes);
  double sum = 0.0;
  for (int c = 0; c < classes; ++c) sum += std::exp(score[c] - top);
  for (int c = 0; c < classes; ++c) probabilities[c] = static_cast<float>(std::exp(score[c] - top) / sum);
}

}  // namespace sonospike
