#pragma once

#include "cuda/kernels/layer.h"

namespace sonospike::cuda {

/// Narrow dense layers on top of each other, all at once: a block takes a clip through all steps and layers.
/// A warp is a layer, each a few steps behind the one below, and a lane a neuron, which has its weights in
/// registers. What they send goes through shared memory; no product is ever in the device's.
constexpr int kNarrow = kWarp;        ///< most inputs and neurons of a layer
constexpr int kMostNarrowLayers = 7;  ///< and their input is a warp too

struct NarrowLayer {
  LayerArgs layer;
  TraceArgs trace;
  int inputs;
  const float* weight;  ///< [neurons, inputs], as in the files, to be taken times `scale`
  float scale;
  const float* bias;
  // Backward:
  float spike_cost;        ///< as in BackwardArgs
  float* gradients;        ///< [kNeuronGradients, clips, neurons]
  float* weight_gradient;  ///< [clips, neurons, inputs]
};

struct NarrowArgs {
  int layers;
  Clips clips;
  Sent input;
  NarrowLayer layer[kMostNarrowLayers];
  // Backward: dL/ds of the last layer, of which one is null.
  const float* g;      ///< [rows, neurons]
  const float* every;  ///< [clips, neurons]: of every step
};

void narrow_forward(const Device& device, const NarrowArgs& args);
void narrow_backward(const Device& device, const NarrowArgs& args);

}  // namespace sonospike::cuda
