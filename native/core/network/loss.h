#pragma once

#include "core/network/options.h"

namespace sonospike {

struct LossOptions {
  float label_smoothing = 0.0f;  ///< share of the target spread evenly over all classes
  /// Times the mean of the spikes of a layer's neurons and steps, summed over the layers, it is added to what
  /// training makes small; not to the loss that is reported.
  float spike_cost = 0.0f;

  bool operator==(const LossOptions&) const = default;
};

/// The loss of one clip and its gradient.
///
/// spike count and mean potential: cross-entropy of softmax(score). leaky integrator: the scores are
/// probabilities already, loss = -sum over c of target[c] log(score[c]).
///
/// A label below 0 stands for a clip that is none of the classes: its target is spread evenly over all of
/// them (outlier exposure, Hendrycks, Mazeika and Dietterich 2019).
///
/// `grad` [classes] receives dloss/dscore times `weight`. Returns the loss.
double clip_loss(ReadoutKind readout, const LossOptions& options, const float* score, int classes, int label,
                 float weight, float* grad);

/// Index of the greatest score; the first of equals.
int best_class(const float* score, int classes);

/// Probabilities of the classes: softmax of spike counts or mean potentials, or the scores of the leaky
/// integrator themselves.
void class_probabilities(ReadoutKind readout, const float* score, int classes, float* probabilities);

}  // namespace sonospike
