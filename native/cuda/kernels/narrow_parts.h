#pragma once

#include <cstring>

#include "cuda/kernels/narrow.h"

/// What the kernels of narrow networks have in common.

namespace sonospike::cuda {

/// sum of weight[j] line[j], in four sums that do not wait for each other.
SONOSPIKE_DEVICE float dot(const float* weight, const float* line) {
  float sum[4] = {};
#pragma unroll
  for (int j = 0; j < kNarrow; j += 4) {
#pragma unroll
    for (int k = 0; k < 4; ++k) sum[k] = fmaf(weight[j + k], line[j + k], sum[k]);
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/// Where a neuron's values begin in an array that there may be or not.
template <typename T>
SONOSPIKE_DEVICE T* from(T* array, size_t at) {
  return array ? array + at : nullptr;
}

/// What a neuron reads of the input of its own number, a step after the other: floats, or bits of the words
/// of all. It is asked for long before it is used, so that what it means is made out afterwards.
struct InputLane {
  const uint32_t* first;  ///< step 0
  int stride;             ///< between steps
  int steps;              ///< 0: there is no input of this number
  int bit;                ///< below 0: it is a float

  SONOSPIKE_DEVICE InputLane(const Sent& input, int row, int steps, int i)
      : first(input.bits ? input.bits + row
                         : reinterpret_cast<const uint32_t*>(input.values) +
                               static_cast<size_t>(row) * input.width + i),
        stride(input.bits ? 1 : input.width),
        steps(i < input.width ? steps : 0),
        bit(input.bits ? i : -1) {}

  SONOSPIKE_DEVICE uint32_t ask(int t) const { return t < steps ? first[t * stride] : 0u; }
  SONOSPIKE_DEVICE float value(uint32_t asked) const {
    if (bit >= 0) return static_cast<float>(asked >> bit & 1u);
    float value;
    memcpy(&value, &asked, sizeof(value));
    return value;
  }
};

/// Neurons that a kernel is compiled for, so that its steps do not branch on what they are.
template <SpikeKind kSpike>
struct PlainNeurons {
  static SONOSPIKE_DEVICE NeuronModel model(NeuronModel model) {
    model.spike = kSpike;
    model.reset = ResetKind::kZero;
    model.adaptive = false;
    return model;
  }
};

/// Any neurons, and layers that differ in them.
struct AnyNeurons {
  static SONOSPIKE_DEVICE NeuronModel model(const NeuronModel& model) { return model; }
};

/// Calls launch(Neurons{}) with the kind that fits all layers.
template <typename Launch>
void for_neurons(const NarrowArgs& args, const Launch& launch) {
  const auto all = [&](SpikeKind spike) {
    for (int k = 0; k < args.layers; ++k) {
      const NeuronModel& model = args.layer[k].layer.model;
      if (model.spike != spike || model.reset != ResetKind::kZero || model.adaptive) return false;
    }
    return true;
  };
  if (all(SpikeKind::kSoft)) return launch(PlainNeurons<SpikeKind::kSoft>{});
  if (all(SpikeKind::kFastSigmoid)) return launch(PlainNeurons<SpikeKind::kFastSigmoid>{});
  launch(AnyNeurons{});
}

}  // namespace sonospike::cuda
