#pragma once

#include <string>
#include <vector>

#include "core/kernels/kernels.h"

namespace sonospike {

/// A fully connected layer of leaky integrate-and-fire neurons:
///   u = decay v + W s_in + b (+ R s_prev),  s = spike(u - threshold),
///   v = u (1 - s) (reset to zero) or u - s threshold (reset by subtraction).
struct LayerOptions {
  int neurons = 32;
  bool recurrent = false;
  NeuronModel neuron{SpikeKind::kFastSigmoid, 5.0f, ResetKind::kZero, false};
  /// Initial values: uniform in decay ± decay_spread and threshold ± threshold_spread.
  float decay = 0.9f, decay_spread = 0.0f, threshold = 1.0f, threshold_spread = 0.0f;
  bool learn_decay = true, learn_threshold = true;
  bool constrain = false;  ///< keep decay in [0, 1] and threshold at or above 0.01 after every optimizer step
};

enum class ReadoutKind { kSpikeCount, kLeakyIntegrator };

struct ReadoutOptions {
  ReadoutKind kind = ReadoutKind::kSpikeCount;
  float decay = 0.9f;
  bool learn_decay = true;
};

struct NetworkOptions {
  int inputs = 0;
  int classes = 0;
  std::vector<LayerOptions> layers;
  ReadoutOptions readout;
};

}  // namespace sonospike
