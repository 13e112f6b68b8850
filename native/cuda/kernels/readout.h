#pragma once

#include <vector>

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

/// What the host wants to know of each clip, in double precision, [kFigures + layers, clips]: the loss,
/// whether the answer is right (1 or 0), and the spikes of every layer.
constexpr int kLossFigure = 0, kCorrectFigure = 1, kFigures = 2;

/// The spikes of a layer's neurons, [clips, neurons].
struct NeuronCounts {
  const double* count;
  int neurons;
};

struct ReportArgs {
  ReadoutKind readout;
  LossOptions loss;
  int classes, clips;
  float* scores;      ///< [clips, classes]: in, or out where they are the spikes of the last layer
  const int* labels;  ///< [clips]; null: nobody asks for the loss
  float weight;
  float* grad_score;  ///< out: dloss/dscore times `weight`
  double* figures;    ///< out: without labels, the spikes alone
};

/// Loss and right answer of every clip, as clip_loss and best_class, and how much each layer spiked.
void report(const Device& device, const ReportArgs& args, const std::vector<NeuronCounts>& layers);

}  // namespace sonospike::cuda
