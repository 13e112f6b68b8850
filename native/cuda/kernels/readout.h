#pragma once

#include "core/network/loss.h"
#include "cuda/kernels/shapes.h"

namespace sonospike::cuda {

/// The leaky integrator. Arrays [rows, classes]; decay [classes].
struct IntegratorArgs {
  int classes;
  bool softmax;  ///< the score is the mean of softmax(o), not of o itself
  const float* decay;
  float* current;  ///< forward: what it reads; backward: dL/dcurrent
  float* o;
  float* p;  ///< softmax(o), where the score is of it
};

/// From currents to scores [clips, classes].
void integrate(const Device& device, const IntegratorArgs& args, const Clips& clips, float* scores);
/// grad_score [clips, classes]. gradients [2, clips, classes]: of bias and decay. work [rows, classes].
void integrate_backward(const Device& device, const IntegratorArgs& args, const Clips& clips,
                        const float* grad_score, float* work, float* gradients);

/// Scores [clips, classes] from the spikes of the last layer [clips, classes].
void count_scores(const Device& device, const double* count, int clips, int classes, float* scores);

/// What the host wants to know of each clip, in double precision, [kFigures + layers, clips]: the loss,
/// whether the answer is right (1 or 0), and the spikes of every layer.
constexpr int kLossFigure = 0, kCorrectFigure = 1, kFigures = 2;

/// Loss and right answer of every clip, as clip_loss and best_class, and dloss/dscore times `weight`.
void losses(const Device& device, ReadoutKind readout, const LossOptions& options, const float* scores,
            int classes, const int* labels, int clips, float weight, float* grad_score, double* figures);

/// out[clip] = sum of count[clip, neurons].
void count_spikes(const Device& device, const double* count, int clips, int neurons, double* out);

}  // namespace sonospike::cuda
