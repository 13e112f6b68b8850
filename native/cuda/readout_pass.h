#pragma once

#include <vector>

#include "cuda/kernels/readout.h"
#include "cuda/layer_pass.h"

namespace sonospike::cuda {

/// The readout: its weights, and what it makes of the clips in hand.
class ReadoutPass {
 public:
  ReadoutPass(Device& device, const NetworkOptions& options, const ParameterTable& table);

  bool counts_spikes() const { return options_.kind == ReadoutKind::kSpikeCount; }
  size_t row_bytes() const;
  /// As LayerPass.
  void set_parameters(const float* parameters, float input_scale);
  void pack();

  // Not where it counts spikes: `report` does that.
  /// Scores [clips, classes] from what the last layer sends.
  void forward(const Clips& clips, const Sent& last, float* scores);
  /// Values that `backward` takes of `sums`.
  size_t sums_size(int clips) const {
    return counts_spikes() ? 0 : 2 * static_cast<size_t>(clips) * classes_;
  }
  /// grad_score [clips, classes] to dL/ds of the last layer [rows, neurons].
  void backward(const Clips& clips, const Sent& last, const float* grad_score, bool add, Scratch& scratch,
                float* gs, float* gradient);
  /// The integrator's potentials, [rows, classes], as `forward` left them.
  void download(std::vector<float>& potential) const;
  void free();

 private:
  IntegratorArgs arguments() const;

  Device& device_;
  const ParameterTable& table_;
  ReadoutOptions options_;
  int classes_;
  PackedWeights weights_;
  const float* parameters_ = nullptr;
  DeviceArray<float> current_, o_, p_, work_;
};

}  // namespace sonospike::cuda
