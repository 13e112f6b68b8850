#pragma once

namespace sonospike {

/// How sure a model is of its answer: a logistic regression in the manner of J. Platt (1999) on the
/// probabilities of the labels. lib/settings/confidence.ts has the formula, with which it is fitted.
struct ConfidenceOptions {
  /// Otherwise the confidence is the probability of the label, and nothing is rejected.
  bool calibrated = false;
  double bias = 0, log_odds = 0, margin = 0, entropy = 0;
  double threshold = 0;  ///< an answer with less confidence is rejected

  bool rejects(double confidence) const { return calibrated && confidence < threshold; }
};

/// The probability that the label `best` is right, from those of all labels: probabilities[classes].
double confidence(const ConfidenceOptions& options, const float* probabilities, int classes, int best);

}  // namespace sonospike
