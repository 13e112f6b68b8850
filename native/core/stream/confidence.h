#pragma once

namespace sonospike {

/// How sure a model is of its answer: see lib/settings/confidence.ts, which says the same to those who ask.
struct ConfidenceOptions {
  bool calibrated =
      false;  ///< otherwise the confidence is the probability of the label, and nothing is rejected
  double bias = 0, log_odds = 0, margin = 0, entropy = 0;
  double threshold = 0;  ///< below it an answer is rejected
};

/// The probability that the label `best` is right, from those of all labels: probabilities[classes].
double confidence(const ConfidenceOptions& options, const float* probabilities, int classes, int best);

}  // namespace sonospike
