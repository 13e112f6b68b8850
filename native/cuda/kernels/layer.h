#pragma once

#include "core/encoding/encoder.h"
#include "core/support/philox.h"
#include "cuda/kernels/neuron.h"
#include "cuda/kernels/shapes.h"

namespace sonospike::cuda {

/// What a layer leaves out of the clips in hand: drawn again wherever it is needed.
struct DropoutArgs {
  float probability;    ///< 0: nothing is left out
  int layer;            ///< its number, from 0
  const ClipKey* keys;  ///< [clips]

  /// `own`: which of the neurons that have parameters of their own.
  SONOSPIKE_DEVICE bool keeps(int clip, int own) const {
    if (probability == 0.0f) return true;
    const ClipKey key = keys[clip];
    const PhiloxBlock random = philox(key.seed, static_cast<uint32_t>(layer << 16 | own / 4),
                                      static_cast<uint32_t>(RandomStream::kDropout), key.clip, key.epoch);
    return philox_uniform(random.word[own % 4]) >= probability;
  }
};

/// The neurons of a layer. Parameters [own].
struct LayerArgs {
  NeuronModel model;
  int neurons;
  int own;  ///< neurons that have parameters of their own: neuron i has those of i % own
  const float *decay, *threshold;
  const float *rho, *coupling, *jump;  ///< of adaptive neurons
  DropoutArgs dropout;

  SONOSPIKE_DEVICE NeuronParameters parameters(int i) const {
    const int p = own < neurons ? i % own : i;
    NeuronParameters of{decay[p], threshold[p], 0.0f, 0.0f, 0.0f};
    if (model.adaptive) {
      of.rho = rho[p];
      of.coupling = coupling[p];
      of.jump = jump[p];
    }
    return of;
  }
};

/// What a layer does to the clips in hand.
struct TraceArgs {
  float* u;        ///< [rows, neurons]: input current, then membrane potential before the reset
  float* s;        ///< [rows, neurons]: what is sent on, where it is not 0 or 1
  uint32_t* bits;  ///< [rows, words]: what is sent on, where it is; otherwise null
  float* w;        ///< [rows, neurons]: of adaptive neurons
  double* count;   ///< [clips, neurons]: spikes; of a rectified linear unit how often it was not 0
};

struct BackwardArgs {
  float* g;            ///< [rows, neurons]: in: dL/ds as what is sent on has it, out: dL/du
  const float* every;  ///< [clips, neurons]: dL/ds of every step, in place of what is in g; null: that
  float spike_cost;    ///< what the mean spike of the layer adds to L
  float* gradients;    ///< [kNeuronGradients, clips, neurons], the last three of adaptive neurons alone
};

/// From currents to spikes, a thread for every neuron of every clip through all of its steps.
void scan_forward(const Device& device, const LayerArgs& layer, const Clips& clips, const TraceArgs& trace);
void scan_backward(const Device& device, const LayerArgs& layer, const Clips& clips, const TraceArgs& trace,
                   const BackwardArgs& backward);

/// The same for a layer that reads its own spikes of the step before: a block for a few clips.
/// recurrent_t [from, to]; state [2, clips, neurons] to work with.
void recurrent_forward(const Device& device, const LayerArgs& layer, const Clips& clips,
                       const TraceArgs& trace, const float* recurrent_t, float* state);
/// recurrent [to, from].
void recurrent_backward(const Device& device, const LayerArgs& layer, const Clips& clips,
                        const TraceArgs& trace, const BackwardArgs& backward, const float* recurrent,
                        float* state);

}  // namespace sonospike::cuda
